"""The lines of `reach ps`."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from core.client import Loaded
from core.model.record import Record
from core.model.state import State
from reach.showing.words import SHORT, command, duration, plain, shortened, style_of, table

_HEAD = ("ID", "STATE", "SINCE", "IMAGE", "COMMAND", "AGENT OR END")
_IMAGE_WIDTH = 40
_COMMAND_WIDTH = 30


def listing(loaded: Loaded, now: datetime) -> list[Text]:
    """A line for each container, the newest start first, and one for each item that cannot be read."""
    records = list(loaded.records.values())
    rows = [_HEAD, *(_row(record, now) for record in records)]
    shown = table(rows, ["bold", *(style_of(record.state) for record in records)])
    return [*shown, *(Text(plain(str(one)), style="red") for one in loaded.unreadable)]


def _row(record: Record, now: datetime) -> tuple[str, ...]:
    entered = record.history[-1].at if record.history else record.created_at
    return (
        record.container_id[:SHORT],
        f"{record.state} (stopping)" if record.stopping and not record.state.ended else record.state,
        duration(max((now - entered).total_seconds(), 0)),
        shortened(plain(record.image or "-"), _IMAGE_WIDTH),
        shortened(command(record.entrypoint, record.cmd) or "-", _COMMAND_WIDTH),
        _outcome(record),
    )


def _outcome(record: Record) -> str:
    """The address that may be trusted, the failure, or the exit code."""
    if record.error is not None:
        return f"{record.error.code} ({record.error.cause})" if record.error.cause else record.error.code
    if record.state is State.STOPPED:
        code = record.stop.exit_code if record.stop else None
        return "exit code unknown" if code is None else f"exit code {code}"
    return record.agent_address or "-" if record.state is State.AGENT_HEALTHY else "-"
