"""Shows a start while it goes on, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from core.model.errors import WaitTimeout
from core.model.record import Record
from core.model.state import State
from core.ports import Clock
from reach.options import bar
from reach.showing.progress import News, heading, view


class Progress:
    """A context; called with each record that is polled.

    The last view stays on a terminal when the wait has ended well, or by its time or Ctrl-C. Whatever else ends it
    speaks for itself. `to_the_end`: the container's end is awaited.
    """

    def __init__(
        self, console: Console, clock: Clock, container_id: str, image: str, *, to_the_end: bool = False
    ) -> None:
        self._console = console
        self._clock = clock
        self._heading = heading(container_id, image)
        self._to_the_end = to_the_end
        self._begun = clock.now()
        self._record: Record | None = None
        self._news = News()
        moving = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(get_renderable=self._view, console=console, refresh_per_second=8) if moving else None

    def __enter__(self) -> Self:
        if self._live is None:
            self._console.print(self._heading)
        else:
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            well = error is None and self._record is not None and self._record.state is not State.FAILED
            self._live.transient = not well and not isinstance(error, KeyboardInterrupt | WaitTimeout)
            self._live.stop()

    def __call__(self, record: Record) -> None:
        """The newest record."""
        self._record = record
        if self._live is None:
            for line in self._news.of(record, self._clock.now()):
                self._console.print(line)

    def _view(self) -> Group:
        drawn = view(self._record, self._begun, self._clock.now(), bar=bar(self._console), to_the_end=self._to_the_end)
        return Group(self._heading, *drawn)
