from __future__ import annotations

import io

import pytest
from rich.console import Console

from core.model.errors import ReachError
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


def test_on_a_terminal() -> None:
    """One view, drawn again: the last one stays."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None, _environ={})
    with Progress(console, SettableClock(at(40)), CONTAINER_ID, "alpine") as progress:
        progress(resolved())
        progress(healthy())
    *_, last = shown(console).split("\x1b[2K")
    assert last.count("RunTask") == 1
    assert "agent-healthy" in last


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_terminal_is_left_as_it_was(interrupted: bool) -> None:
    """The cursor is shown again, also after Ctrl-C."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, _environ={})
    kind = KeyboardInterrupt if interrupted else ReachError

    def start() -> None:
        with Progress(console, SettableClock(at(40)), CONTAINER_ID, "alpine") as progress:
            progress(failed())
            progress.clear()
            raise kind

    with pytest.raises(kind):
        start()
    assert shown(console).count("\x1b[?25l") == shown(console).count("\x1b[?25h") == 1
