"""A token bucket for one background run on an API whose rate it shares with others.

ECS counts calls per account and Region (ecs.md 6): what background jobs take is missing to the starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

from core.model.errors import CallFailed, RunStopped
from core.model.failure import Cause
from core.ports import Clock


def _throttled(failed: CallFailed) -> bool:
    return failed.cause is Cause.THROTTLED


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """`rate` calls a second, a second's worth of them at once (at least one), and at most `most` in all."""

    clock: Clock
    rate: float
    most: float = inf
    time_left: Callable[[], float] = lambda: inf
    """Seconds until the run has to end."""
    last: Callable[[CallFailed], bool] = _throttled
    """After such a failure no call is made any more."""
    spent: int = field(default=0, init=False)
    _stopped: str | None = field(default=None, init=False)
    _tokens: float = field(init=False)
    """Calls that may be made at `_counted`; below zero, calls that were made ahead of it."""
    _counted: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._counted = self._burst, self.clock.monotonic()

    @property
    def _burst(self) -> float:
        return max(1.0, self.rate)

    @contextmanager
    def call(self, calls: int = 1) -> Iterator[None]:
        """Inside, so many calls may be made. Waits for their turn; raises `RunStopped` when it does not come.

        A call that AWS throttled is the last one: other callers of the account need the rate more.
        """
        self._take(calls)
        try:
            yield
        except CallFailed as failed:
            if self.last(failed):
                self._stopped = "throttled"
            raise

    def _take(self, calls: int) -> None:
        if self._stopped is not None:
            raise RunStopped(self._stopped)
        if self.spent + calls > self.most:
            raise RunStopped("limit")
        now = self.clock.monotonic()
        tokens = min(self._burst, self._tokens + (now - self._counted) * self.rate) - calls
        wait = max(0.0, -tokens / self.rate)
        if self.time_left() < wait:
            raise RunStopped("time")
        self._tokens, self._counted = tokens, now
        self.spent += calls
        if wait:
            self.clock.sleep(wait)
