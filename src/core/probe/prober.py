"""Probes one agent until it answers, its deadline passes, or the record says that the probe is over.

It connects to an address of the record alone: what a message names is only where to look it up. So the first try
follows the first read; then tries at the agent and reads of the record run concurrently, and the first to finish
decides.
The deadline is in the item, so it survives crashes and redelivery. The module uses an event loop, but no sockets,
clock or AWS: a thousand probes share one loop (specification.md 13 to 15).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from core.machine.address import may_connect
from core.machine.messages import OUTSIDE_REMEDY, ROUTE, outside
from core.model.agent import Child
from core.model.errors import CallFailed
from core.model.facts import AgentAnswered, AgentSilent, ProcessExited
from core.model.failure import Cause
from core.model.policy import Policy
from core.model.record import Record
from core.probe.answer import Answer, ProbeError, ProbeErrorKind, probe_error
from core.probe.outcome import OUTCOMES, CannotProbe, Outcome, OutOfTime, ProbeResult, Verdict
from core.probe.view import ProbeView, Target, probe_view

READ_INTERVAL: Final = 5.0
"""Seconds between two reads of the record. A probe may continue for so long after the record ended it."""
PACE: Final = 0.1
"""The pause before a try, as a share of the time already waited: an agent is found late by a tenth of it at most."""
TABLE_PATIENCE: Final = 8.0
"""Seconds for which a failing first read, or a failing write of the verdict, is repeated.

Longer than a moment's throttling. Short enough that a prober without a route to the table fails within half a minute.
"""


class CheckHealth(Protocol):
    """One try at an agent, of at most `timeout` seconds. A failed try is an answer, not an exception."""

    def __call__(self, address: str, *, timeout: float) -> Awaitable[Answer]: ...  # noqa: D102 - as the class


class CheckIdentity(Protocol):
    """As `CheckHealth`, for whether the agent knows `token`: on a recycled address another task's may answer."""

    def __call__(self, address: str, token: str, *, timeout: float) -> Awaitable[Answer]: ...  # noqa: D102 - as the class


@dataclass(slots=True)
class AgentProbe:
    """One probe by one worker: what it needs, then how far it has come.

    The first try begins when the record has been read and names the address, if a prober may connect to it
    (`core.machine.address`). The pauses between tries grow with the time waited so far, from
    `policy.probe_first_interval` to `policy.probe_interval`. Two tries never overlap. A try that began before the
    deadline may end after it; the verdict `AgentSilent` comes only after the deadline. With `check_identity`, an
    answer counts only if the agent knows the record's token.

    No try begins at or after `give_up_at`: leave time for one try (two requests with `check_identity`) and a write.
    `read_record` reads the target's record; its own time-outs bound it. `settle_verdict` gets the newest one with the
    verdict: what has changed since, the condition of its write shows.
    """

    target: Target
    _: KW_ONLY
    check_health: CheckHealth
    check_identity: CheckIdentity | None = None
    read_record: Callable[[], Awaitable[Record | None]]
    settle_verdict: Callable[[Verdict, Record | None], Awaitable[object]]
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[object]]
    policy: Policy
    give_up_at: datetime

    attempts: int = field(default=0, init=False)
    last_error: ProbeError | None = field(default=None, init=False)
    failed_reads: int = field(default=0, init=False)
    last_read_error: str | None = field(default=None, init=False)
    record: Record | None = field(default=None, init=False)
    view: ProbeView = field(default_factory=ProbeView, init=False)
    has_read: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> ProbeResult:
        """Probes until there is a verdict and settles it, or until the record ends the probe.

        Raises `OutOfTime` if the deadline is after `give_up_at`. Raises `CannotProbe` if no read, or no write of the
        verdict, succeeds within `TABLE_PATIENCE`, if no try reaches the network before the deadline, and if a prober
        may not connect to the address. Other errors of `read_record` and `settle_verdict` propagate; `CallFailed` is
        retried. After a first successful read, failed reads end nothing. Cancelling leaves no task behind.
        """
        tries = asyncio.create_task(self._until_verdict())
        reads = asyncio.create_task(self._until_over())
        try:
            await asyncio.wait((tries, reads), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tries.cancel()
            reads.cancel()
            await asyncio.gather(tries, reads, return_exceptions=True)
        if not reads.cancelled():
            # Also when both finished at once: the record outweighs an answer from an address.
            return self._result(Outcome.OVER, why=reads.result())
        verdict = tries.result()
        if verdict is None:
            return self._result(Outcome.OVER, why="the healthy agent gave no answer: its end is ECS's to report")
        await self._until_written(verdict)
        return self._result(OUTCOMES[type(verdict)])

    async def _until_verdict(self) -> Verdict | None:
        reached_network = False
        await self.has_read.wait()
        began = due = self.now()
        while due < self.give_up_at:
            await self._sleep_until(due)
            self.attempts += 1
            answer = await self._try()
            error = answer.error
            if error is None:
                return self._answered(answer.child)
            self.last_error = error
            if self.view.once:
                return None
            reached_network = reached_network or error.kind is not ProbeErrorKind.PROBER
            # Counted from the beginning of a try. After a longer try the next one begins at once.
            due = max(due + self._interval(due - began), self.now())
            deadline = self.view.deadline
            if deadline is not None and deadline <= min(due, self.give_up_at):
                await self._sleep_until(deadline)
                if not reached_network:
                    never = f"The agent at {self.target.address} was never asked: {error.text}"
                    raise CannotProbe(self.target, never, error.remedy)
                return self._silent(error)
        failed = f" {self.failed_reads} reads of the table failed, the last one: {self.last_read_error}"
        raise OutOfTime(self.target, self.attempts, self.last_error, failed if self.failed_reads else "")

    async def _until_over(self) -> str:
        began = self.now()
        until = began + timedelta(seconds=TABLE_PATIENCE)
        while True:
            pause = READ_INTERVAL
            try:
                self.record = await self.read_record()
            except CallFailed as failed:
                self.failed_reads += 1
                self.last_read_error = str(failed)
                pause = self.policy.probe_interval
                if not self.has_read.is_set() and self.now() >= until:
                    # Without a read there is no address to connect to.
                    raise self._table_failed("The containers table could not be read", failed) from failed
            else:
                self.view = probe_view(self.record, self.target)
                if self.view.over is not None:
                    return self.view.over
                if not may_connect(self.target.address, self.policy):
                    raise CannotProbe(self.target, outside(self.target.address, self.policy), OUTSIDE_REMEDY)
                self.has_read.set()
            if self.view.early and (self.now() - began).total_seconds() >= self.policy.early_probe_patience:
                return "the task does not run yet: the event of RUNNING brings another probe"
            await self.sleep(pause)

    async def _until_written(self, verdict: Verdict) -> None:
        """Makes at least one attempt, also at the end of the worker's time."""
        until = min(self.now() + timedelta(seconds=TABLE_PATIENCE), self.give_up_at)
        while True:
            try:
                await self.settle_verdict(verdict, self.record)
            except CallFailed as failed:
                if self.now() >= until:
                    raise self._table_failed("The verdict could not be written to the table", failed) from failed
                await self.sleep(self.policy.probe_interval)
            else:
                return

    async def _try(self) -> Answer:
        timeout = self.policy.probe_request_timeout
        answer = await self.check_health(self.target.address, timeout=timeout)
        if self.check_identity is None or not answer.healthy:
            return answer
        if self.view.token is None:
            return Answer(probe_error(ProbeErrorKind.UNVERIFIED, self.target.address))
        identity = await self.check_identity(self.target.address, self.view.token, timeout=timeout)
        return answer if identity.healthy else identity

    def _interval(self, waited: timedelta) -> timedelta:
        policy = self.policy
        if self.view.early:
            return timedelta(seconds=policy.early_probe_interval)
        pause = max(policy.probe_first_interval, waited.total_seconds() * PACE)
        return timedelta(seconds=min(pause, policy.probe_interval))

    async def _sleep_until(self, instant: datetime) -> None:
        # In a loop: the timer runs by another clock and may end early, but a verdict must not come early.
        while (pause := (instant - self.now()).total_seconds()) > 0:
            await self.sleep(pause)

    def _answered(self, child: Child | None) -> AgentAnswered | ProcessExited:
        ref, at, address = self.target.ref, self.now(), self.target.address
        if child is not None and child.exited:
            return ProcessExited(ref=ref, at=at, address=address, exit_code=child.exit_code)
        return AgentAnswered(ref=ref, at=at, address=address, attempts=self.attempts, has_child=child is not None)

    def _silent(self, error: ProbeError) -> AgentSilent:
        return AgentSilent(
            ref=self.target.ref,
            at=self.now(),
            address=self.target.address,
            attempts=self.attempts,
            last_error=error.text,
            remedy=error.remedy,
        )

    def _result(self, outcome: Outcome, why: str | None = None) -> ProbeResult:
        return ProbeResult(outcome, self.attempts, self.last_error, self.failed_reads, self.last_read_error, why)

    def _table_failed(self, what: str, failed: CallFailed) -> CannotProbe:
        """The route is the remedy only without a connection: a refusal comes from DynamoDB itself."""
        if failed.unreached:
            remedy = ROUTE
        elif failed.transient or failed.cause is not Cause.UNKNOWN:
            remedy = failed.remedy
        else:
            remedy = "Check that the stack's table exists and that AgentHealthFunction's TABLE_NAME names it."
        return CannotProbe(self.target, f"{what}: {str(failed).rstrip('.')}.", remedy)
