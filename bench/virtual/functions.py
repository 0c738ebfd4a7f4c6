"""Lambda: execution environments that stay warm for a while, cold starts, and the account's concurrency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.world import World

CONCURRENCY: Final = 1000
"""Of an account and Region (Lambda Developer Guide, "Lambda quotas"); new accounts may have less."""
SCALING: Final = 100
"""New environments a second of one function, and ten times as many at once ("Lambda scaling behavior")."""
WARM: Final = 600.0
"""Seconds for which an idle environment is kept ("AWS Lambda Cold Starts After 10 Minutes", Mikhail Shilkov, 2019)."""
FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 300.0
"""Seconds until a throttled asynchronous invocation is tried again: doubled each time ("Error handling for an
asynchronous invocation")."""


@dataclass
class Account:
    """Invocations under way, of all functions, and the most there were."""

    limit: int = CONCURRENCY
    active: int = 0
    most: int = 0


@dataclass
class Function:
    """One function. `billed` are seconds and GB-s come of them by `memory` in MB; `idle` holds since when one idles."""

    world: World
    account: Account
    name: str
    memory: int
    code: Hop
    idle: list[float] = field(default_factory=list)
    invocations: int = 0
    cold_starts: int = 0
    throttled: int = 0
    billed: float = 0.0
    _environments: float = SCALING * 10
    _since: float = 0.0

    def invoke(self, work: Callable[[], Any], done: Callable[[Any], object]) -> bool:
        """Begins an invocation and calls `done` with what `work` gave when it has ended. False when it is throttled."""
        world, now = self.world, self.world.monotonic()
        while self.idle and self.idle[0] < now - WARM:
            self.idle.pop(0)
        cold = not self.idle
        if self.account.active >= self.account.limit or (cold and not self._may_scale(now)):
            self.throttled += 1
            return False
        if cold:
            self.cold_starts += 1
        else:
            self.idle.pop()
        self.account.active += 1
        self.account.most = max(self.account.most, self.account.active)
        self.invocations += 1

        def run() -> None:
            begun = world.monotonic()
            world.pause(world.draw(self.code))
            result = work()
            self.billed += world.monotonic() - begun
            self.account.active -= 1
            self.idle.append(world.monotonic())
            done(result)

        world.begin(world.draw(hops.COLD) if cold else 0.0, run, self.name)
        return True

    def deliver(self, work: Callable[[], Any], wait: float = FIRST_RETRY) -> None:
        """An asynchronous invocation: Lambda keeps the event, and tries again when the function is throttled."""
        if not self.invoke(work, lambda _: None):
            self.world.after(wait, lambda: self.deliver(work, min(2 * wait, LAST_RETRY)))

    @property
    def seconds(self) -> float:
        """Of one invocation, on the average."""
        return self.billed / self.invocations if self.invocations else 0.0

    def _may_scale(self, now: float) -> bool:
        self._environments = min(SCALING * 10, self._environments + (now - self._since) * SCALING)
        self._since = now
        if self._environments < 1:
            return False
        self._environments -= 1
        return True
