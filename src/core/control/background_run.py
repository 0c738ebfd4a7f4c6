"""What background runs share: a report, and a limit to their calls.

ECS counts calls per account and Region (ecs.md 6): what background runs take is missing to starts and stops.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, Final

from core.model.errors import CallFailed, ReachError, RunStopped
from core.model.failure import Cause
from core.model.identity import Ref
from core.ports import Clock, Described, Ecs, Launched, Observer, Output, Ports, ProbeQueue, TaskPage, TokenVault

READ_SECONDS: Final = 10.0
"""What the reading of one output may take, when every answer is slow."""


@dataclass(slots=True)
class RunReport:
    """`counts` by name, `errors` by kind. `stopped` says why work was left for the next run, None if none was.

    It is `throttled`, `time`, `limit` (`RateLimit`) or `failed`: a call that the whole run needs, or a service that
    does not answer it.
    """

    observer: Observer = field(repr=False)
    counts: dict[str, float]
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None

    def failed(self, *errors: ReachError, kind: str | None = None) -> None:
        """The run goes on without what failed. By default the kind is the class of the error."""
        for error in errors:
            self.errors[kind or type(error).__name__] += 1
            self.observer.failed(error)

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Ends the run when the rate limit does, and with the first call that fails inside."""
        try:
            yield
        except RunStopped as stopped:
            self.stopped = stopped.why
        except CallFailed as error:
            self.failed(error)
            self.stopped = "throttled" if error.cause is Cause.THROTTLED else "failed"


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """`rate` calls a second, a second's worth at once (at least one), and at most `most` in all."""

    clock: Clock
    rate: float = inf
    most: float = inf
    time_left: Callable[[], float] = lambda: inf
    """Seconds until the run has to end."""
    last: Callable[[CallFailed], bool] = lambda failed: failed.cause is Cause.THROTTLED
    """After such a failure no call is made any more. Throttled: other callers of the account need the rate more."""
    spent: int = field(default=0, init=False)
    _stopped: str | None = field(default=None, init=False)
    _used_up: float = field(default=-inf, init=False)
    """Until when the calls made so far use up the rate. It may lie ahead by as long as a burst takes."""

    @contextmanager
    def call(self, calls: int = 1) -> Iterator[None]:
        """Inside, so many calls may be made. Waits for their turn; raises `RunStopped` when it does not come."""
        self._take(calls)
        try:
            yield
        except CallFailed as failed:
            if self.last(failed):
                self._stopped = "throttled" if failed.cause is Cause.THROTTLED else "failed"
            raise

    def _take(self, calls: int) -> None:
        if self._stopped is not None:
            raise RunStopped(self._stopped)
        if self.spent + calls > self.most:
            raise RunStopped("limit")
        now, burst = self.clock.monotonic(), max(1.0, 1 / self.rate)
        used_up = max(self._used_up, now) + calls / self.rate
        wait = max(0.0, used_up - now - burst)
        if self.time_left() < wait:
            raise RunStopped("time")
        self._used_up = used_up
        self.spent += calls
        if wait:
            self.clock.sleep(wait)


@dataclass(frozen=True, slots=True)
class RateLimitedEcs:
    """`core.ports.Ecs` that also raises `RunStopped`. ECS counts reads and changes apart (ecs.md 6).

    Give it an adapter that does not repeat throttled calls: the repetitions would be in no limit.
    """

    ecs: Ecs
    reads: RateLimit
    changes: RateLimit

    def register(self, definition: dict[str, Any]) -> None:
        """One change."""
        with self.changes.call():
            self.ecs.register(definition)

    def run(self, request: dict[str, Any]) -> Launched:
        """One change."""
        with self.changes.call():
            return self.ecs.run(request)

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """One change."""
        with self.changes.call():
            return self.ecs.stop(cluster, task_arn, reason)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """One read."""
        with self.reads.call():
            return self.ecs.describe(cluster, task_arns)

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        """One read."""
        with self.reads.call():
            return self.ecs.find(cluster, started_by, stopped=stopped)

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """One read."""
        with self.reads.call():
            return self.ecs.running(cluster, after=after)


@dataclass(frozen=True, slots=True)
class RateLimitedOutput:
    """`core.ports.Output` that also raises `RunStopped`."""

    output: Output
    reads: RateLimit

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """One read."""
        with self.reads.call():
            return self.output.last_lines(task_arn, container, most)


@dataclass(frozen=True, slots=True)
class LimitedVault:
    """`core.ports.TokenVault` that also raises `RunStopped`. The vault is made when it is first needed."""

    ports: Ports
    calls: RateLimit

    def put(self, name: str, token: str) -> None:
        """One call."""
        with self.calls.call():
            self.ports.vault.put(name, token)

    def erase(self, name: str) -> None:
        """One call."""
        with self.calls.call():
            self.ports.vault.erase(name)

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """A call for each: it may be the first of a page."""
        with self.calls.call():
            names = iter(self.ports.vault.names(prefix))
        while True:
            with self.calls.call():
                if (one := next(names, None)) is None:
                    return
            yield one


@dataclass(frozen=True, slots=True)
class LimitedQueue:
    """`core.ports.ProbeQueue` that also raises `RunStopped`. The queue is made when it is first needed."""

    ports: Ports
    calls: RateLimit

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        """One call."""
        with self.calls.call():
            self.ports.queue.send(ref, address, after)


def limited(ports: Ports, time_left: Callable[[], float]) -> tuple[Ecs, Output | None, TokenVault, ProbeQueue]:
    """These ports for one run, which ends after `time_left` seconds and leaves rate to others.

    Give it adapters that do not repeat a call. When a service other than ECS does not answer, the run calls it no more:
    the work of all other containers is worth more than what hangs on it.
    """
    limit = partial(RateLimit, clock=ports.clock, time_left=time_left)
    rate, most = ports.policy.reconcile_rate, ports.policy.reconcile_calls
    reads, changes = (limit(rate=rate, most=most) for _ in range(2))
    once = partial(limit, last=lambda failed: failed.transient)
    if (output := ports.output) is not None:
        output = RateLimitedOutput(output, once(rate=rate, time_left=lambda: time_left() - READ_SECONDS))
    vault, queue = LimitedVault(ports, once()), LimitedQueue(ports, once())
    return RateLimitedEcs(ports.ecs, reads, changes), output, vault, queue
