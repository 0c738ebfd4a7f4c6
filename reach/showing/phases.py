"""The life of a container's current launch as phases, from the instants of its item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from core.model.instants import format_instant
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State

START: Final = {
    Instant.CREATED: "RunTask",
    Instant.CONNECTIVITY: "network",
    Instant.PULL_STARTED: "host",
    Instant.PULL_STOPPED: "pull",
    Instant.STARTED: "start",
    Instant.RESOLVED: "address",
    Instant.HEALTHY: "agent",
}
"""The phase that ends with each instant, in the order of a start."""
UP: Final = "up"
STOP: Final = "stop"
_ORDER: Final = tuple(START)


class Course(StrEnum):
    """How far a phase has come."""

    DONE = "done"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that is open ends now. Where ECS does not show what lies between two, one has the names of both."""

    name: str
    begin: datetime
    end: datetime
    course: Course = Course.DONE

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.end - self.begin).total_seconds()

    def document(self) -> dict[str, Any]:
        """JSON. The end of an open phase is not known."""
        end = None if self.course is Course.OPEN else format_instant(self.end)
        begin = format_instant(self.begin)
        return {"name": self.name, "course": self.course.value, "begin": begin, "end": end, "seconds": self.seconds}


def phases(record: Record, now: datetime) -> list[Phase]:
    """The phases of the current launch without gaps: its start, its time up, its stop. None is longer than it was.

    ECS's clock and ours differ: an instant counts as not later than what came after it, nor than the end.
    """
    end = _end(record)
    begin, over = record.launched_at, end or now
    known = {one: at for one, at in record.timings.items() if one in START}
    done = list(_started(begin, known, over))
    last = done[-1].end if done else begin
    missing = _missing(known)
    if end is None:
        return [*done, Phase(_open(missing), last, max(now, last), Course.OPEN)]
    over = max(end, last)
    ran = record.state is State.STOPPED
    course = Course.FAILED if record.state is State.FAILED else Course.DONE
    middle = Phase(UP if ran or missing is None else missing, last, over, course)
    return [*done, middle, *_stopped(record, over, now)]


def _started(begin: datetime, known: dict[Instant, datetime], over: datetime) -> Iterator[Phase]:
    """The phases that have ended, each with the names of those before it whose end is not known."""
    named = 0
    for number, instant in enumerate(_ORDER):
        if instant in known:
            end = max(min(over, *(known.get(one, over) for one in _ORDER[number:])), begin)
            yield Phase(" + ".join(START[one] for one in _ORDER[named : number + 1]), begin, end)
            begin, named = end, number + 1


def _missing(known: dict[Instant, datetime]) -> str | None:
    """The phase that comes after those that have ended, None after the last one."""
    reached = max((_ORDER.index(one) + 1 for one in known), default=0)
    return START[_ORDER[reached]] if reached < len(_ORDER) else None


def _open(missing: str | None) -> str:
    """The phases that it may be in now: ECS shows what lies before RUNNING in one event."""
    before = list(START.values())[: _ORDER.index(Instant.STARTED) + 1][1:]
    return " + ".join(before[before.index(missing) :]) if missing in before else missing or UP


def _end(record: Record) -> datetime | None:
    """When the container ended, or began to stop; None while it is to go on."""
    stopping = record.timings.get(Instant.STOPPING)
    if not record.state.ended:
        return stopping
    verdict = record.history[-1].at if record.history else record.updated_at
    if record.state is State.STOPPED:
        return record.finished_at or verdict
    return min(one for one in (record.finished_at, stopping, verdict) if one is not None)


def _stopped(record: Record, over: datetime, now: datetime) -> Iterator[Phase]:
    """From there to the end of the task: open while the stack still waits for it, none where it does not."""
    stopped = record.timings.get(Instant.STOPPED)
    if stopped is not None:
        yield Phase(STOP, over, max(stopped, over))
    elif record.task_arn is not None and record.watch is not None:
        yield Phase(STOP, over, max(now, over), Course.OPEN)
