"""How many calls one run may make of an API whose rate it shares with others: a token bucket that ends with the run.

ECS counts calls per account and Region (ecs.md 6), so what the safety net takes is missing to the starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause


class BudgetSpent(ReachError):
    """This run makes no more calls of this kind; nothing was asked, so nothing changes. The next run goes on.

    `why` is `limit`, `time` or `throttled`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"No more calls in this run: {why}. What is left is for the next one.")
        self.why = why


@dataclass(slots=True, kw_only=True)
class Budget:
    """`rate` calls a second, as many of them at once, and at most `most` in all. For one run."""

    rate: float
    most: int
    monotonic: Callable[[], float]
    """Seconds of a clock that never goes back."""
    sleep: Callable[[float], object]
    time_left: Callable[[], float]
    """Seconds until the run has to end."""
    spent: int = field(default=0, init=False)
    _closed: str | None = field(default=None, init=False)
    _tokens: float = field(init=False)
    """Calls that may be made at `_counted`; below zero, calls that were made ahead of it."""
    _counted: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._counted = self.rate, self.monotonic()

    @contextmanager
    def call(self, calls: int = 1) -> Iterator[None]:
        """Inside, so many calls may be made. Waits for their turn; raises `BudgetSpent` when it does not come.

        A call that AWS throttled is the last one: whoever else needs the rate goes first.
        """
        self._take(calls)
        try:
            yield
        except CallFailed as failed:
            if failed.cause is Cause.THROTTLED:
                self._closed = "throttled"
            raise

    def _take(self, calls: int) -> None:
        if self._closed is not None:
            raise BudgetSpent(self._closed)
        if self.spent + calls > self.most:
            raise BudgetSpent("limit")
        now = self.monotonic()
        tokens = min(self.rate, self._tokens + (now - self._counted) * self.rate) - calls
        wait = max(0.0, -tokens / self.rate)
        if self.time_left() < wait:
            raise BudgetSpent("time")
        self._tokens, self._counted = tokens, now
        self.spent += calls
        if wait:
            self.sleep(wait)
