from __future__ import annotations

import io
import re
from contextlib import nullcontext

import pytest
from rich.console import Console

from core.model.errors import WaitTimeout
from core.model.record import Record
from reach import FunctionRefused
from reach.starting.progress import Progress
from tests.factories import CONTAINER_ID, at, pending
from tests.fakes import SettableClock
from tests.records import failed, healthy, resolved


def shown(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_off_a_terminal() -> None:
    """The whole id before all else, then a line for each phase that has ended, once."""
    console = Console(file=io.StringIO(), width=200)
    with Progress(console, SettableClock(at(40)), CONTAINER_ID, "alp\x1bine") as progress:
        assert shown(console) == f"{CONTAINER_ID}  alp\\x1bine\n"
        for record in (pending(), resolved(), resolved(), healthy()):
            progress(record)
    assert shown(console).splitlines()[1:] == [
        "RunTask: 1.0 s",
        "network + host + pull + start: 28 s",
        "address: 0.6 s",
        "agent: 2.0 s",
    ]


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None, _environ={})


def left(console: Console) -> str:
    """What stays on the screen, a line of it erased where it was drawn over."""
    lines: list[str] = [""]
    for part in re.split(r"(\n|\x1b\[1A|\x1b\[2K|\r)", shown(console)):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[1A":
            lines.pop()
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part != "\r":
            lines[-1] += re.sub(r"\x1b\[\?25[lh]", "", part)
    return "\n".join(lines)


def start(console: Console, *records: Record, ends_by: BaseException | None = None, to_the_end: bool = False) -> None:
    with Progress(console, SettableClock(at(40)), CONTAINER_ID, "alpine", to_the_end=to_the_end) as progress:
        for record in records:
            progress(record)
        if ends_by is not None:
            raise ends_by


def test_on_a_terminal() -> None:
    """One view, drawn again: the last one stays."""
    console = terminal()
    start(console, resolved(), healthy())
    head, *phases, state = left(console).strip().splitlines()
    assert head == f"{CONTAINER_ID}  alpine"
    assert [line.split()[0] for line in phases] == ["RunTask", "network", "address", "agent"]
    assert state == "agent-healthy"


def test_the_time_up_is_of_a_wait_for_the_end() -> None:
    """It is all that goes on then."""
    console = terminal()
    start(console, healthy(), to_the_end=True)
    assert "  up " in left(console)


@pytest.mark.parametrize(
    ("records", "ends_by", "stays"),
    [
        ((resolved(),), KeyboardInterrupt(), True),
        ((resolved(),), WaitTimeout(CONTAINER_ID, "eni-resolved", 5, ""), True),
        ((failed(),), None, False),
        ((), FunctionRefused("AlreadyRunning", "it runs"), False),
        ((), None, False),
    ],
    ids=["interrupted", "time-out", "failed", "refused", "detached"],
)
def test_what_says_more_takes_its_place(
    records: tuple[Record, ...], ends_by: BaseException | None, stays: bool
) -> None:
    """Ctrl-C and a time-out say nothing of the start; a failure and a refusal do. The cursor is shown again."""
    console = terminal()
    with pytest.raises(type(ends_by)) if ends_by else nullcontext():
        start(console, *records, ends_by=ends_by)
    assert (CONTAINER_ID in left(console)) is stays
    assert shown(console).count("\x1b[?25l") == shown(console).count("\x1b[?25h") == 1
