"""The lines of `reach why`, from what `reach.showing.story` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

from core.model.state import State
from reach.showing.phases import STOP, UP, Course
from reach.showing.words import duration, plain, printable, style_of, table

WIDTH: Final = 40
"""Columns of the longest bar of a start."""
_COURSES: Final = {Course.DONE: "", Course.OPEN: "yellow", Course.FAILED: "bold red"}
_MARKS: Final = {Course.DONE: "", Course.OPEN: "still", Course.FAILED: "failed"}


def lines(story: dict[str, Any], *, bar: str) -> Iterator[Text]:
    """The container, its phases, and below them a paragraph for each thing that is known. `bar` draws a column."""
    state = State(story["state"])
    head = f"{story['id']}  {state}  generation {story['generation']}, launch {story['launch']}"
    yield Text(head, style=f"bold {style_of(state)}")
    yield Text(f"{plain(story['image'] or '-')}  {story['task_arn'] or 'no task is known'}")
    yield Text()
    yield from bars(story["phases"], bar)
    if story["true"]:
        yield Text()
        yield from (Text(plain(one)) for one in story["true"])
    if story["error"]:
        yield Text()
        yield from _failure(story["error"])
    if story["warning"]:
        yield Text()
        yield Text(f"Warning: {plain(story['warning']['message'])}", style="yellow")
        yield Text(f"What to do: {plain(story['warning']['remedy'])}")
    for number, launch in enumerate(story["launches"], start=1):
        yield Text()
        yield Text(f"Launch {number} was given up at {launch['at']}  {launch['task_arn'] or 'without a task'}")
        yield from _failure(launch["error"])
    yield from _output(story)


def bars(phases: list[dict[str, Any]], bar: str) -> list[Text]:
    """A bar for each phase, to the scale of the longest one of the start; a longer one ends with `>`."""
    longest = max((one["seconds"] for one in phases if one["name"] not in (UP, STOP)), default=0) or 1
    rows = [
        (
            f"  {one['name']}",
            duration(one["seconds"]).rjust(len("23 h 59 min")),
            _MARKS[Course(one["course"])],
            _bar(one["seconds"] / longest, bar),
        )
        for one in phases
    ]
    return table(rows, [_COURSES[Course(one["course"])] for one in phases])


def _bar(share: float, bar: str) -> str:
    return f"{bar * WIDTH}>" if share > 1 else bar * (max(round(share * WIDTH), 1) if share > 0 else 0)


def _output(story: dict[str, Any]) -> Iterator[Text]:
    if story["last_lines"]:
        yield Text()
        yield Text("Its last lines:")
        yield from (Text(f"  {printable(line)}", style="dim") for line in story["last_lines"])
    if story["last_lines_unread"]:
        yield Text()
        yield Text(plain(story["last_lines_unread"]))


def _failure(error: dict[str, Any]) -> Iterator[Text]:
    cause = f" ({error['cause']})" if error["cause"] else ""
    yield Text(f"{error['code']}{cause}", style="bold red")
    if error["message"]:
        yield Text(f"Because: {plain(error['message'])}")
    if error["remedy"]:
        yield Text(f"What to do: {plain(error['remedy'])}")
    if error["transient"]:
        yield Text("The same request may succeed later without a change.")
