"""What the demo shows of a record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.text import Text

from core.model.agent import Injection
from core.model.parts import Stop
from core.model.state import State
from local.demo.cases import CASES
from local.demo.view import Screen, View
from tests.records import complete


def state_cell(state: State, exit_code: int | None) -> str:
    record = replace(complete(), state=state, stop=Stop(exit_code=exit_code))
    cell = View(Screen())._cells(record)[0]
    assert isinstance(cell, Text)
    return cell.plain


@pytest.mark.parametrize(
    ("state", "exit_code", "shown"),
    [
        (State.STOPPED, 7, "stopped (7)"),
        (State.STOPPED, 0, "stopped (0)"),
        (State.STOPPED, None, "stopped"),
        (State.FAILED, 0, "failed"),
        (State.AGENT_HEALTHY, None, "agent-healthy"),
    ],
)
def test_only_a_stopped_container_shows_an_exit_code(state: State, exit_code: int | None, shown: str) -> None:
    """A failed one was ended by the product: its exit code says nothing about it."""
    assert state_cell(state, exit_code) == shown


def test_picture_holds_what_was_recorded(tmp_path: Path) -> None:
    """The SVG holds only what was shown while `recorded` was true."""
    screen = Screen()
    screen.line("first-words")
    screen.recorded = False
    screen.line("other-words")
    screen.save(tmp_path / "demo.svg")
    picture = (tmp_path / "demo.svg").read_text()
    assert "<svg" in picture
    assert ("first-words" in picture, "other-words" in picture) == (True, False)


def test_cases_cover_what_the_demo_promises() -> None:
    """Every way of injection, keep-alive, a second launch, a job, and the two ends of an agent that is not reached."""
    strategies = {case.request.get("injection", "efs") for case in CASES}
    assert strategies == set(Injection)
    assert {case.fault for case in CASES} == {None, "eni-provisioning", "agent-missing", "port-blocked"}
    assert {case.expected for case in CASES} == {State.AGENT_HEALTHY, State.STOPPED, State.FAILED}
    assert any(case.request.get("cmd") == ["-f", "/dev/null"] for case in CASES)
