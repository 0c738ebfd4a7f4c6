"""The prober's engine: asks one agent until it answers, its deadline passes, or the record says that it is over.

Two things go on side by side: tries at the agent, and reads of the record. The first to come to an end decides.
The deadline is the item's, so it survives crashes and redelivery. Event loop, but no sockets, clock or AWS in here:
a thousand of these share one loop (specification.md 13 to 15).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from core.model.errors import CallFailed
from core.model.facts import AgentAnswered, AgentSilent, Fact
from core.model.record import Record
from core.probe.answer import Answer, ProbeError, ProbeErrorKind, probe_error
from core.probe.no_verdict import CannotProbe, OutOfTime, never_tried, table_unread, table_unwritten
from core.probe.view import ProbeView, Target, probe_view

if TYPE_CHECKING:
    from core.model.policy import Policy

__all__ = [
    "Ask", "CannotProbe", "Identify", "OutOfTime", "Outcome", "ProbeResult", "ReadRecord", "SettleVerdict", "Sleep",
    "Target", "probe",
]  # fmt: skip

READ_INTERVAL: Final = 5.0
"""Seconds between two reads of the record: how long a prober may go on after probing is over."""
TABLE_PATIENCE: Final = 8.0
"""Seconds for which a table is tried that was never read, or that does not take the verdict.

Longer than a moment's throttling, and short enough that whoever set up the prober learns within half a minute that it
does not reach the table: it would else hold its worker until the end and say nothing.
"""


class Ask(Protocol):
    """One try at an agent, bounded by `timeout` seconds. A failed try is an answer, not an exception."""

    def __call__(self, address: str, *, timeout: float) -> Awaitable[Answer]:
        """The outcome, after at most `timeout` seconds."""


class Identify(Protocol):
    """Whether the agent at `address` knows `token`: it may be a stranger on a recycled address."""

    def __call__(self, address: str, token: str, *, timeout: float) -> Awaitable[Answer]:
        """The outcome, after at most `timeout` seconds."""


ReadRecord = Callable[[], Awaitable[Record | None]]
"""Loads the target's record. Raises `CallFailed` when it could not ask; bounded by its own time-outs."""

SettleVerdict = Callable[[Fact], Awaitable[object]]
"""Settles the verdict."""

Sleep = Callable[[float], Awaitable[object]]

Now = Callable[[], datetime]
"""`core.ports.Clock.now`."""


class Outcome(StrEnum):
    """How a probe ended."""

    HEALTHY = "healthy"
    SILENT = "silent"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """For the log and the metrics. `attempts` are this worker's; `why` is given when the record ended it.

    `last_look` is the error of the last of the `failed_looks`.
    """

    outcome: Outcome
    attempts: int
    last_error: ProbeError | None = None
    failed_looks: int = 0
    last_look: str | None = None
    why: str | None = None


async def probe(  # noqa: PLR0913 - the world, one argument each
    target: Target,
    *,
    ask: Ask,
    read_record: ReadRecord,
    settle_verdict: SettleVerdict,
    now: Now,
    sleep: Sleep,
    policy: Policy,
    give_up_at: datetime,
    identify: Identify | None = None,
    read_interval: float = READ_INTERVAL,
) -> ProbeResult:
    """Asks until there is a verdict and settles it, or until the record makes one needless.

    The first try is made at once, at the same time as the first read; the next ones after pauses that double from
    `policy.probe_first_interval` to `policy.probe_interval`, from try to try, never two at a time. A try that began
    before the deadline may end after it; the verdict `AgentSilent` is given only when the deadline has passed. With
    `identify`, an answer counts only once the agent has shown that it knows the record's token.

    No try begins at or after `give_up_at`, and none is waited for beyond it: leave time for one try (two requests
    with `identify`) and a write. Raises `OutOfTime` if the deadline is after `give_up_at`. Errors of
    `settle_verdict` and `read_record` propagate; `CallFailed` is retried. Raises `CannotProbe` when no read has
    succeeded, or no verdict was written, within `TABLE_PATIENCE`, and when no try got as far as the network until the
    deadline. Once the record was read, failed reads end nothing. Cancelling leaves nothing behind.
    """
    running = _Probe(target, ask, identify, read_record, now, sleep, policy, give_up_at, read_interval)
    asking = asyncio.create_task(running.until_verdict())
    reading = asyncio.create_task(running.read_until_over())
    try:
        await asyncio.wait((asking, reading), return_when=asyncio.FIRST_COMPLETED)
    finally:
        asking.cancel()
        reading.cancel()
        await asyncio.gather(asking, reading, return_exceptions=True)
    if not reading.cancelled():
        # Also when both ended in the same moment: what the record says outweighs what an address says.
        return running.result(Outcome.OVER, why=reading.result())
    verdict = asking.result()
    await running.until_written(verdict, settle_verdict)
    return running.result(Outcome.HEALTHY if isinstance(verdict, AgentAnswered) else Outcome.SILENT)


@dataclass(slots=True)
class _Probe:
    """The two sides of one probe and what they share."""

    target: Target
    ask: Ask
    identify: Identify | None
    read_record: ReadRecord
    now: Now
    sleep: Sleep
    policy: Policy
    give_up_at: datetime
    read_interval: float
    attempts: int = 0
    last_error: ProbeError | None = None
    tried: bool = False
    """Whether a try got as far as the network: only then may there be a verdict of silence."""
    failed_looks: int = 0
    last_look: str | None = None
    read: bool = False
    view: ProbeView = field(default_factory=ProbeView)
    has_read: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_verdict(self) -> AgentAnswered | AgentSilent:
        due = self.now()
        while due < self.give_up_at:
            await self._sleep_until(due)
            self.attempts += 1
            answer = await self._try()
            if answer.error is None:
                return self._answered()
            self.last_error = answer.error
            self.tried = self.tried or answer.error.kind is not ProbeErrorKind.PROBER
            # From try to try, so that the time a try took adds nothing; one that took longer is followed at once.
            due = max(due + self._interval(), self.now())
            deadline = self.view.deadline
            if deadline is not None and deadline <= min(due, self.give_up_at):
                await self._sleep_until(deadline)
                if not self.tried:
                    raise never_tried(self.target, answer.error)
                return self._silent(answer.error)
        raise OutOfTime(self.target, self.attempts, self.last_error, self.failed_looks, self.last_look)

    async def read_until_over(self) -> str:
        until = self.now() + timedelta(seconds=TABLE_PATIENCE)
        while True:
            pause = self.read_interval
            try:
                self.view = probe_view(await self.read_record(), self.target)
                self.read = True
            except CallFailed as failed:
                # Not to have been able to ask now and then is no reason to stop; it is counted, and asked again soon.
                self.failed_looks += 1
                self.last_look = str(failed)
                pause = self.policy.probe_interval
                if not self.read and self.now() >= until:
                    raise table_unread(self.target, failed) from failed
            if self.view.over is not None:
                return self.view.over
            self.has_read.set()
            await self.sleep(pause)

    async def until_written(self, verdict: AgentAnswered | AgentSilent, settle_verdict: SettleVerdict) -> None:
        """At least one attempt, also at the end of the worker's time."""
        until = min(self.now() + timedelta(seconds=TABLE_PATIENCE), self.give_up_at)
        while True:
            try:
                await settle_verdict(verdict)
            except CallFailed as failed:
                if self.now() >= until:
                    raise table_unwritten(self.target, failed) from failed
            else:
                return
            await self.sleep(self.policy.probe_interval)

    async def _try(self) -> Answer:
        timeout = self.policy.probe_request_timeout
        answer = await self.ask(self.target.address, timeout=timeout)
        if self.identify is None or not answer.healthy:
            return answer
        await self.has_read.wait()
        if self.view.token is None:
            return Answer(probe_error(ProbeErrorKind.UNVERIFIED, self.target.address))
        return await self.identify(self.target.address, self.view.token, timeout=timeout)

    def _interval(self) -> timedelta:
        """From this try to the next one: soon at first, then steadily (`Policy.probe_first_interval`)."""
        policy = self.policy
        if self.view.early:
            return timedelta(seconds=policy.early_probe_interval)
        # The exponent is bounded, because a probe of some hours would else overflow a float.
        ramp = policy.probe_first_interval * 2 ** min(self.attempts - 1, 16)
        return timedelta(seconds=min(ramp, policy.probe_interval))

    async def _sleep_until(self, instant: datetime) -> None:
        # In a loop, because a timer of another clock may wake a moment early, and a verdict may not.
        while (pause := (instant - self.now()).total_seconds()) > 0:
            await self.sleep(pause)

    def _answered(self) -> AgentAnswered:
        return AgentAnswered(
            ref=self.target.ref,
            at=self.now(),
            address=self.target.address,
            attempts=self.attempts,
        )

    def _silent(self, error: ProbeError) -> AgentSilent:
        return AgentSilent(
            ref=self.target.ref,
            at=self.now(),
            address=self.target.address,
            attempts=self.attempts,
            last_error=error.text,
            remedy=error.remedy,
        )

    def result(self, outcome: Outcome, why: str | None = None) -> ProbeResult:
        return ProbeResult(outcome, self.attempts, self.last_error, self.failed_looks, self.last_look, why)
