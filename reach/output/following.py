"""A stream that is followed until its container has ended and nothing more comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.record import Record
from core.model.state import State
from core.ports import Clock
from reach.output.stream import Line, Stream

PAUSE: Final = 1.0
MOST_PAUSE: Final = 5.0
MOST_THROTTLED_PAUSE: Final = 30.0
"""Seconds: after a read that found lines; the most after one that found none; and after one that was throttled.

GetLogEvents allows 25 calls a second for an account and a Region together (CloudWatch Logs quotas).
"""


def follow(stream: Stream, prints: Callable[[], bool], clock: Clock) -> Iterator[Line]:
    """The lines as they come. `prints`: whether the container may print more; one read follows its end.

    Raises as `Stream.rest` does, but not when it is throttled.
    """
    pause, over = PAUSE, False
    while True:
        found, throttled = False, False
        try:
            for line in stream.rest():
                found = True
                yield line
        except CallFailed as failed:
            if failed.cause is not Cause.THROTTLED:
                raise
            throttled = True
        if over and not found and not throttled:
            return
        over = over or not (found or throttled or prints())
        grown = min(pause * 2, MOST_THROTTLED_PAUSE if throttled else MOST_PAUSE)
        pause = PAUSE if found or (over and not throttled) else grown
        clock.sleep(pause)


def may_print(record: Record, task_arn: str | None) -> bool:
    """Whether that task of the container may print more. One that failed goes on until its task is stopped."""
    if record.task_arn != task_arn:
        return False
    stopping = record.state is State.FAILED and record.watch is not None and record.finished_at is None
    return stopping or not record.state.ended
