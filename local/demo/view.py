"""What a person sees of the demo: a live table on a terminal, one line a change elsewhere."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from core.model.failure import Failure
from core.model.instants import milliseconds_between
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from local.demo.cases import CASES

_WIDTH: Final = 132
_COLOURS: Final = {
    State.PENDING: "yellow",
    State.TASK_RUNNING: "cyan",
    State.ENI_RESOLVED: "blue",
    State.AGENT_HEALTHY: "bold green",
    State.FAILED: "bold red",
    State.STOPPED: "magenta",
}
_PHASES: Final = (
    ("to RUNNING", None, Instant.STARTED),
    ("to address", Instant.STARTED, Instant.RESOLVED),
    ("to healthy", Instant.RESOLVED, Instant.HEALTHY),
)


class Screen:
    """The terminal; what is shown while `recorded` can be saved as a picture."""

    def __init__(self) -> None:
        terminal = Console()
        self.console = terminal if terminal.is_terminal else Console(width=_WIDTH)
        self.recorded = True
        self._record = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)

    def heading(self, text: str, more: str = "") -> None:
        self.show(Text.assemble("\n", (text, "bold"), f"  {more}"))

    def step(self, line: str) -> None:
        self.line(f"  {line}")

    def line(self, line: str) -> None:
        self.show(Text(line))

    def show(self, shown: RenderableType) -> None:
        self.console.print(shown)
        self.record(shown)

    def record(self, shown: RenderableType) -> None:
        """For the picture alone."""
        if self.recorded:
            self._record.print(shown)

    def save(self, svg: Path) -> None:
        svg.write_text(self._record.export_svg(title="make demo"))


class View:
    """Shows records as they change. A context: the live table ends with it."""

    def __init__(self, screen: Screen, known: Mapping[str, Record] | None = None) -> None:
        self._screen = screen
        self._console = screen.console
        self._shown: dict[str, Record] = dict(known or {})
        self._live = Live(console=self._console, refresh_per_second=12) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._console.print(self._table())
        self._screen.record(self._table())

    def show(self, records: Mapping[str, Record]) -> None:
        """The newest record of each case, by name."""
        changed = [name for name, record in records.items() if self._shown.get(name) != record]
        if self._live is None:
            for name in changed:
                self._say(name, self._shown.get(name), records[name])
        self._shown = dict(records)
        if self._live is not None and changed:
            self._live.update(self._table())

    def _say(self, name: str, before: Record | None, after: Record) -> None:
        known = len(before.history) if before and before.generation == after.generation else 0
        if before is None:
            self._console.print(f"  {name:<15} {after.state}")
        for step in after.history[known:]:
            address = f"  {after.agent_address}" if after.agent_address and step.to is after.state else ""
            self._console.print(f"  {name:<15} {step.origin} -> {step.to}  ({step.trigger}){address}")

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("container", "what it shows", "state", "agent"):
            table.add_column(column, no_wrap=True, overflow="ellipsis", ratio=1 if column == "what it shows" else None)
        for phase, _, _ in _PHASES:
            table.add_column(phase, justify="right", no_wrap=True)
        for case in CASES:
            table.add_row(case.name, case.shows, *self._cells(self._shown.get(case.name)))
        return table

    def _cells(self, record: Record | None) -> list[Text]:
        if record is None:
            return [Text("-", "dim")] * (2 + len(_PHASES))
        state = Text(str(record.state), _COLOURS[record.state])
        if record.state is State.STOPPED and record.stop is not None and record.stop.exit_code is not None:
            state.append(f" ({record.stop.exit_code})")
        return [state, Text(record.agent_address or ""), *(_phase(record, *phase[1:]) for phase in _PHASES)]


def _phase(record: Record, first: Instant | None, last: Instant) -> Text:
    begun = record.created_at if first is None else record.timings.get(first)
    ended = record.timings.get(last)
    if begun is None or ended is None:
        return Text("")
    return Text(f"{milliseconds_between(begun, ended)} ms", "dim")


def failure(name: str, error: Failure) -> Panel:
    """What happened, the facts, what to do next."""
    body = Text(error.message)
    body.append(f"\n\nWhat to do: {error.remedy}", "green")
    title = f"{name}: {error.code}" + (f" ({error.cause})" if error.cause else "")
    return Panel(body, title=title, title_align="left", border_style="red")
