"""Shows a start while it goes on, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from core.model.record import Record
from core.ports import Clock
from reach.options import bar
from reach.showing.progress import News, heading, view


class Progress:
    """A context; called with each record that is polled. `keep`: whether the last view stays on a terminal."""

    def __init__(self, console: Console, clock: Clock, container_id: str, image: str) -> None:
        self._console = console
        self._clock = clock
        self._heading = heading(container_id, image)
        self._begun = clock.now()
        self._record: Record | None = None
        self._news = News()
        moving = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(get_renderable=self._view, console=console, refresh_per_second=8) if moving else None

    def __enter__(self) -> Self:
        self._console.print(self._heading)
        if self._live is not None:
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, record: Record) -> None:
        """The newest record."""
        self._record = record
        if self._live is None:
            for line in self._news.of(record, self._clock.now()):
                self._console.print(line)

    def clear(self) -> None:
        """Takes the view away, for one that says more."""
        if self._live is not None:
            self._live.transient = True

    def _view(self) -> Group:
        return Group(*view(self._record, self._begun, self._clock.now(), bar=bar(self._console)))
