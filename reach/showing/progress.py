"""A start as it goes on: for a terminal a view that is drawn again and again, elsewhere a line for each new thing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.text import Text

from core.client.verdicts import hint
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from reach.showing.phases import START, STOP, UP, Course, Phase, phases
from reach.showing.why import bars
from reach.showing.words import duration, plain, style_of

PATIENCE: Final = 15.0
"""Seconds after which an open phase brings what it usually waits for."""


def heading(container_id: str, image: str) -> Text:
    """The first line: whatever happens next, the container is known."""
    return Text(f"{container_id}  {plain(image)}", style="bold")


def view(record: Record | None, begun: datetime, now: datetime, *, bar: str, to_the_end: bool = False) -> list[Text]:
    """The phases of the start; None before the function has answered, `begun` is when it was invoked.

    `to_the_end`: the time up as well.
    """
    shown = _phases(record, begun, now, to_the_end=to_the_end)
    said = bars([one.document() for one in shown], bar)
    if record is None:
        return said
    if record.launches:
        said = [Text(_given_up(record, len(record.launches)), style="yellow"), *said]
    last = shown[-1] if shown else None
    if last is not None and last.course is Course.OPEN and last.seconds > PATIENCE and not record.state.ended:
        said.append(Text(plain(hint(record)), style="dim", no_wrap=False, overflow="fold"))
    said.append(Text(str(record.state), style=style_of(record.state)))
    return said


class News:
    """What a record has that the ones before it had not, as lines."""

    def __init__(self) -> None:
        self._launches = 0
        self._said: list[tuple[str, datetime]] = []

    def of(self, record: Record, now: datetime) -> Iterator[str]:
        """Launches that were given up, and phases that have ended.

        An instant that comes late may split a phase that is said already: what ended before the last one is left out.
        """
        for number in range(self._launches + 1, record.attempt):
            self._launches, self._said = number, []
            yield _given_up(record, number)
        for one in _phases(record, record.created_at, now):
            late = bool(self._said) and one.end < self._said[-1][1]
            if one.course is not Course.OPEN and not late and (one.name, one.end) not in self._said:
                self._said.append((one.name, one.end))
                failed = ", failed" if one.course is Course.FAILED else ""
                yield f"{one.name}: {duration(one.seconds)}{failed}"


def _phases(record: Record | None, begun: datetime, now: datetime, *, to_the_end: bool = False) -> list[Phase]:
    """Those of the start, and of a container that has ended all."""
    if record is None:
        return [Phase(START[Instant.CREATED], begun, now, Course.OPEN)]
    found = phases(record, now)
    whole = to_the_end or record.state is State.STOPPED
    return found if whole else [one for one in found if one.name not in (UP, STOP)]


def _given_up(record: Record, number: int) -> str:
    error = record.launches[number - 1].failure
    cause = f" ({error.cause})" if error.cause else ""
    return plain(f"Launch {number} was given up: {error.code}{cause}: {error.message}")
