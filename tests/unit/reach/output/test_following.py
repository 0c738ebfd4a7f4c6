from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.parts import Instant
from core.model.record import Record
from reach.output.following import MOST_PAUSE, MOST_THROTTLED_PAUSE, PAUSE, follow, may_print
from reach.output.stream import Line
from tests.factories import TASK, at, pending
from tests.fakes import SettableClock
from tests.records import exited, failed, healthy

THROTTLED = CallFailed("GetLogEvents", "ThrottlingException", "rate exceeded", cause=Cause.THROTTLED)
DENIED = CallFailed("GetLogEvents", "AccessDeniedException", "not allowed", cause=Cause.PERMISSION)


class Reads:
    """A stream; each read has these lines, and then none. An exception comes after them."""

    def __init__(self, *reads: Sequence[str | CallFailed]) -> None:
        self._reads = list(reads)

    def rest(self) -> Iterator[Line]:
        for one in self._reads.pop(0) if self._reads else []:
            if isinstance(one, CallFailed):
                raise one
            yield Line(at(0), one)


def followed(reads: Reads, clock: SettableClock, *, prints: bool = False) -> Iterator[str]:
    return (line.text for line in follow(reads, lambda: prints, clock))  # type: ignore[arg-type]  # as much of a Stream


def test_a_container_that_has_ended() -> None:
    """What it printed last may arrive after its end: one read more, after a pause."""
    clock = SettableClock(at(0))
    assert list(followed(Reads(["a"], [], ["b"], []), clock)) == ["a", "b"]
    assert clock.now() == at(3 * PAUSE)


def test_a_container_that_goes_on() -> None:
    """Pauses grow while nothing comes, and are short again after a line."""
    clock = SettableClock(at(0))
    lines = followed(Reads(*[[]] * 4, ["a"], ["b"]), clock, prints=True)
    assert next(lines) == "a"
    idle = 2 * PAUSE + 4 * PAUSE + 2 * MOST_PAUSE
    assert clock.now() == at(idle)
    assert next(lines) == "b"
    assert clock.now() == at(idle + PAUSE)


def test_a_read_that_is_throttled() -> None:
    """It is not the end: the pause grows, and reading goes on from the same place."""
    clock = SettableClock(at(0))
    lines = followed(Reads(["a", THROTTLED], *[[THROTTLED]] * 7, ["b"]), clock)
    assert list(lines) == ["a", "b"]
    assert clock.now() > at(2 * MOST_THROTTLED_PAUSE)


def test_a_read_that_fails() -> None:
    """Any other failure ends it."""
    with pytest.raises(CallFailed, match="not allowed"):
        list(followed(Reads([DENIED]), SettableClock(at(0))))


@pytest.mark.parametrize(
    ("record", "more"),
    [
        (pending(task_arn=TASK), True),
        (healthy(), True),
        (exited(), False),
        (failed(), False),
        (failed(watch="shard-1"), True),
        (failed(watch="shard-1", timings={Instant.STOPPED: at(50)}), False),
        (healthy(task_arn=f"{TASK}0"), False),
        (pending(), False),
    ],
    ids=["pending", "healthy", "exited", "failed", "being stopped", "stopped", "started again", "launched again"],
)
def test_what_may_print(record: Record, more: bool) -> None:
    """A task that runs: also one of a failed container that is still being stopped, and no other task's container."""
    assert may_print(record, TASK) is more
