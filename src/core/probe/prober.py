"""Probes one agent until it answers, its deadline passes, or the record says that the probe is over.

Tries at the agent and reads of the record run concurrently. The first to finish decides.
The deadline is in the item, so it survives crashes and redelivery. The module uses an event loop, but no sockets,
clock or AWS: a thousand probes share one loop (specification.md 13 to 15).
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
    "CannotProbe",
    "CheckHealth",
    "CheckIdentity",
    "OutOfTime",
    "Outcome",
    "ProbeResult",
    "ReadRecord",
    "SettleVerdict",
    "Sleep",
    "Target",
    "probe",
]  # fmt: skip

READ_INTERVAL: Final = 5.0
"""Seconds between two reads of the record. A probe may continue for so long after the record ended it."""
TABLE_PATIENCE: Final = 8.0
"""Seconds for which a failing first read, or a failing write of the verdict, is repeated.

Longer than a moment's throttling. Short enough that a prober without a route to the table fails within half a minute,
and does not hold its worker in silence.
"""


class CheckHealth(Protocol):
    """One try at an agent, bounded by `timeout` seconds. A failed try is an answer, not an exception."""

    def __call__(self, address: str, *, timeout: float) -> Awaitable[Answer]:
        """The outcome, after at most `timeout` seconds."""


class CheckIdentity(Protocol):
    """Whether the agent at `address` knows `token`. On a recycled address another task's agent may answer."""

    def __call__(self, address: str, token: str, *, timeout: float) -> Awaitable[Answer]:
        """The outcome, after at most `timeout` seconds."""


ReadRecord = Callable[[], Awaitable[Record | None]]
"""Loads the target's record. Raises `CallFailed` for a failed call; its own time-outs bound it."""

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
    """For the log and the metrics. `attempts` are this worker's; `why` is set if the record ended the probe.

    `last_read_error` is the error of the newest of the `failed_reads`.
    """

    outcome: Outcome
    attempts: int
    last_error: ProbeError | None = None
    failed_reads: int = 0
    last_read_error: str | None = None
    why: str | None = None


async def probe(  # noqa: PLR0913 - the world, one argument each
    target: Target,
    *,
    check_health: CheckHealth,
    read_record: ReadRecord,
    settle_verdict: SettleVerdict,
    now: Now,
    sleep: Sleep,
    policy: Policy,
    give_up_at: datetime,
    check_identity: CheckIdentity | None = None,
    read_interval: float = READ_INTERVAL,
) -> ProbeResult:
    """Probes until there is a verdict and settles it, or until the record ends the probe.

    The first try begins at once, with the first read; the next ones after pauses that double from
    `policy.probe_first_interval` to `policy.probe_interval`. Two tries never overlap. A try that began before the
    deadline may end after it; the verdict `AgentSilent` comes only after the deadline. With `check_identity`, an
    answer counts only if the agent knows the record's token.

    No try begins at or after `give_up_at`: leave time for one try (two requests with `check_identity`) and a write.
    Raises `OutOfTime` if the deadline is after `give_up_at`. Raises `CannotProbe` if no read, or no write of the
    verdict, succeeds within `TABLE_PATIENCE`, and if no try reaches the network before the deadline. Other errors
    of `read_record` and `settle_verdict` propagate; `CallFailed` is retried. After a first successful read, failed
    reads end nothing. Cancelling leaves no task behind.
    """
    running = _Probe(target, check_health, check_identity, read_record, now, sleep, policy, give_up_at, read_interval)
    tries = asyncio.create_task(running.until_verdict())
    reads = asyncio.create_task(running.read_until_over())
    try:
        await asyncio.wait((tries, reads), return_when=asyncio.FIRST_COMPLETED)
    finally:
        tries.cancel()
        reads.cancel()
        await asyncio.gather(tries, reads, return_exceptions=True)
    if not reads.cancelled():
        # Also when both finished at once: the record outweighs an answer from an address.
        return running.result(Outcome.OVER, why=reads.result())
    verdict = tries.result()
    await running.until_written(verdict, settle_verdict)
    return running.result(Outcome.HEALTHY if isinstance(verdict, AgentAnswered) else Outcome.SILENT)


@dataclass(slots=True)
class _Probe:
    """The state that the tries and the reads of one probe share."""

    target: Target
    check_health: CheckHealth
    check_identity: CheckIdentity | None
    read_record: ReadRecord
    now: Now
    sleep: Sleep
    policy: Policy
    give_up_at: datetime
    read_interval: float
    attempts: int = 0
    last_error: ProbeError | None = None
    tried: bool = False
    """Whether a try reached the network. Without one there is no verdict of silence."""
    failed_reads: int = 0
    last_read_error: str | None = None
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
            # Counted from the beginning of a try. After a longer try the next one begins at once.
            due = max(due + self._interval(), self.now())
            deadline = self.view.deadline
            if deadline is not None and deadline <= min(due, self.give_up_at):
                await self._sleep_until(deadline)
                if not self.tried:
                    raise never_tried(self.target, answer.error)
                return self._silent(answer.error)
        raise OutOfTime(self.target, self.attempts, self.last_error, self.failed_reads, self.last_read_error)

    async def read_until_over(self) -> str:
        until = self.now() + timedelta(seconds=TABLE_PATIENCE)
        while True:
            pause = self.read_interval
            try:
                self.view = probe_view(await self.read_record(), self.target)
                self.read = True
            except CallFailed as failed:
                # A failed read ends nothing: it is counted, and the next one comes soon.
                self.failed_reads += 1
                self.last_read_error = str(failed)
                pause = self.policy.probe_interval
                if not self.read and self.now() >= until:
                    raise table_unread(self.target, failed) from failed
            if self.view.over is not None:
                return self.view.over
            self.has_read.set()
            await self.sleep(pause)

    async def until_written(self, verdict: AgentAnswered | AgentSilent, settle_verdict: SettleVerdict) -> None:
        """Makes at least one attempt, also at the end of the worker's time."""
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
        answer = await self.check_health(self.target.address, timeout=timeout)
        if self.check_identity is None or not answer.healthy:
            return answer
        await self.has_read.wait()
        if self.view.token is None:
            return Answer(probe_error(ProbeErrorKind.UNVERIFIED, self.target.address))
        return await self.check_identity(self.target.address, self.view.token, timeout=timeout)

    def _interval(self) -> timedelta:
        """The time from this try to the next one: it doubles up to a limit (`Policy.probe_first_interval`)."""
        policy = self.policy
        if self.view.early:
            return timedelta(seconds=policy.early_probe_interval)
        # The exponent is bounded, because a probe of some hours would overflow a float.
        ramp = policy.probe_first_interval * 2 ** min(self.attempts - 1, 16)
        return timedelta(seconds=min(ramp, policy.probe_interval))

    async def _sleep_until(self, instant: datetime) -> None:
        # In a loop: the timer runs by another clock and may end early, but a verdict must not come early.
        while (pause := (instant - self.now()).total_seconds()) > 0:
            await self.sleep(pause)

    def _answered(self) -> AgentAnswered:
        return AgentAnswered(ref=self.target.ref, at=self.now(), address=self.target.address, attempts=self.attempts)

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
        return ProbeResult(outcome, self.attempts, self.last_error, self.failed_reads, self.last_read_error, why)
