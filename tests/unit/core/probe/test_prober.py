"""The prober's engine in virtual time: specification.md 13 to 17; issue of a stranger on a recycled address."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.machine.apply import apply
from core.machine.changes import Stale
from core.model.agent import AgentFlavor, Child
from core.model.errors import CallFailed, UnreadableRecord
from core.model.facts import AgentAnswered, AgentSilent, Fact, ProcessExited
from core.model.failure import Cause
from core.model.networks import networks
from core.model.parts import Instant, Probe
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.probe.answer import HEALTHY, Answer, ProbeErrorKind, probe_error
from core.probe.outcome import CannotProbe, Outcome, OutOfTime, ProbeResult
from core.probe.prober import TABLE_PATIENCE, AgentProbe
from core.probe.view import Target, probe_view
from tests.factories import ADDRESS, CONTAINER_ID, REF, TOKEN, at, passed, pending
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

TARGET = Target(REF, ADDRESS)
REFUSED = Answer(probe_error(ProbeErrorKind.REFUSED, ADDRESS))
STRANGER = Answer(probe_error(ProbeErrorKind.STRANGER, ADDRESS, "401"))
DEADLINE = 60.0
WORKER_ENDS = 280.0
RUNNING = Child(pid=7)
POLICY = Policy(probe_first_interval=1)
"""A steady pace from the first try on; another test proves the quick beginning."""


def probed(**changes: Any) -> Record:
    """A record whose agent is probed since second 0."""
    probing = Probe(deadline=at(DEADLINE))
    return replace(pending(state=State.ENI_RESOLVED, agent_address=ADDRESS, probe=probing), **changes)


@dataclass
class World:
    """An agent that answers from second `answers_at` on, a record that changes by itself, and what was reported."""

    answers_at: float | None = None
    try_takes: Callable[[float], float] = lambda _second: 0.0
    record_at: Callable[[float], Record | None] = lambda _second: probed()
    read_fails: Callable[[float], bool] = lambda _second: False
    read_takes: float = 0.0
    stranger_until: float | None = None
    child: Callable[[float], Child | None] = lambda _second: RUNNING
    tries: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def check_health(self, address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - the port's
        """Refused, or healthy."""
        assert (address, timeout) == (ADDRESS, POLICY.probe_request_timeout)
        second = asyncio.get_running_loop().time()
        self.tries.append(second)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.try_takes(second))
        finally:
            self.under_way -= 1
        healthy = self.answers_at is not None and second >= self.answers_at
        return Answer(child=self.child(second)) if healthy else REFUSED

    async def check_identity(self, address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - the port's
        """A stranger, or healthy."""
        assert (address, timeout) == (ADDRESS, POLICY.probe_request_timeout)
        self.tokens.append(token)
        second = asyncio.get_running_loop().time()
        return STRANGER if self.stranger_until is not None and second < self.stranger_until else HEALTHY

    async def read_record(self) -> Record | None:
        """The record of this second, or an outage."""
        second = asyncio.get_running_loop().time()
        self.reads.append(second)
        await asyncio.sleep(self.read_takes)
        if self.read_fails(second):
            raise CallFailed("GetItem", "InternalServerError", "try again", transient=True)
        return self.record_at(second)

    async def settle_verdict(self, fact: Fact, _record: Record | None) -> None:
        """Keeps the verdict."""
        self.facts.append(fact)

    def probe(
        self, *, identified: bool = False, policy: Policy = POLICY, give_up_at: datetime | None = None, **changes: Any
    ) -> Awaitable[ProbeResult]:
        """One probe in this world."""
        running = AgentProbe(
            TARGET,
            check_health=changes.get("check_health", self.check_health),
            read_record=changes.get("read_record", self.read_record),
            settle_verdict=changes.get("settle_verdict", self.settle_verdict),
            check_identity=self.check_identity if identified else None,
            now=now,
            sleep=asyncio.sleep,
            policy=policy,
            give_up_at=give_up_at or at(WORKER_ENDS),
        )
        return running.run()

    def run(self, **options: Any) -> ProbeResult:
        """The same, from second 0 of a new loop."""

        async def main() -> ProbeResult:
            return await self.probe(**options)

        return run(main())


def test_immediate_success() -> None:
    """The first try is made at once, and an answer is the verdict."""
    world = World(answers_at=0)

    result = world.run()

    assert result == ProbeResult(Outcome.HEALTHY, attempts=1)
    assert world.facts == [AgentAnswered(ref=REF, at=at(0), address=ADDRESS, attempts=1)]


def test_delayed_success() -> None:
    """An agent that begins to answer later is found by the next try; the last error before it is kept."""
    world = World(answers_at=12.5)

    result = world.run()

    assert result == ProbeResult(Outcome.HEALTHY, attempts=14, last_error=REFUSED.error)
    assert world.facts[0].at == at(13)


def test_timeout_failure() -> None:
    """At the deadline the last error and its remedy are the verdict; the record says so (specification.md 17)."""
    world = World()

    result = world.run()

    assert result == ProbeResult(Outcome.SILENT, attempts=60, last_error=REFUSED.error)
    assert REFUSED.error is not None
    verdict = AgentSilent(
        ref=REF,
        at=at(DEADLINE),
        address=ADDRESS,
        attempts=60,
        last_error=REFUSED.error.text,
        remedy=REFUSED.error.remedy,
    )
    assert world.facts == [verdict]
    judged = apply(probed(), verdict, POLICY)
    assert isinstance(judged, Record)
    record = apply(judged, passed(DEADLINE), POLICY)
    assert isinstance(record, Record)
    assert record.error is not None
    said = f"{record.error.message} {record.error.remedy}"
    for fact in (ADDRESS, "60 s", "connection refused", "security group", "inbound TCP 9111", "agent is running"):
        assert fact in said


@pytest.mark.parametrize("takes", [0.0, 0.2, 0.999])
def test_interval_is_from_try_to_try(takes: float) -> None:
    """The time that a try takes is not added to the interval, so tries do not drift."""
    world = World(answers_at=30, try_takes=lambda _: takes)

    world.run()

    assert world.tries == pytest.approx(range(31))


@pytest.mark.parametrize(("answers_at", "tries"), [(0.3, 7), (1, 19), (5.01, 36), (20.01, 53), (58, 91)])
def test_pauses_grow_with_the_time_waited(answers_at: float, tries: int) -> None:
    """An agent is found late by a tenth of what it took, by 50 ms at least and a second at most."""
    world = World(answers_at=answers_at)

    result = world.run(policy=Policy())

    assert result.attempts == tries
    assert world.tries[-1] - answers_at <= min(max(0.05, answers_at / 10), 1)


def test_tries_never_overlap() -> None:
    """A try that takes longer than the interval is followed at once, and only then."""
    world = World(answers_at=10, try_takes=lambda _: 2.0)

    world.run()

    assert world.tries == [0, 2, 4, 6, 8, 10]
    assert world.most_under_way == 1


def test_pace_recovers_after_a_long_try() -> None:
    """Lost tries are not made up for: the interval counts from the late one."""
    world = World(answers_at=6, try_takes=lambda second: 2.5 if second == 1 else 0.0)

    world.run()

    assert world.tries == [0, 1, 3.5, 4.5, 5.5, 6.5]


def test_early_probe_is_gentler_until_the_task_runs() -> None:
    """While the record is pending, the pace is the early one, and there is no deadline."""
    policy = Policy(early_probe_interval=4, probe_interval=1, probe_first_interval=1)
    world = World(answers_at=16, record_at=lambda second: pending(early_address=ADDRESS) if second < 10 else probed())

    result = world.run(policy=policy)

    assert result.outcome is Outcome.HEALTHY
    assert world.tries == [0, 4, 8, 12, 13, 14, 15, 16]


def test_an_early_probe_does_not_wait_for_long() -> None:
    """A task that does not run for so long gets another probe by its event: this one ends, without a verdict."""
    world = World(record_at=lambda _: pending(early_address=ADDRESS))

    result = world.run(policy=Policy(early_probe_patience=20))

    assert (result.outcome, world.facts, round(world.reads[-1], 6)) == (Outcome.OVER, [], 20)
    assert result.why is not None
    assert "RUNNING" in result.why


def test_deadline_of_an_early_probe_is_learnt_later() -> None:
    """The deadline that the record gets when its address is resolved holds for a probe that began before."""
    world = World(record_at=lambda second: pending(early_address=ADDRESS) if second < 10 else probed())

    world.run()

    assert [fact.at for fact in world.facts] == [at(DEADLINE)]


def test_a_try_that_began_before_the_deadline_may_end_after_it() -> None:
    """A healthy answer is worth more than a deadline that passed while it was under way."""
    world = World(answers_at=59, try_takes=lambda second: 2.0 if second == 59 else 0.0)

    result = world.run()

    assert result.outcome is Outcome.HEALTHY
    assert world.facts[0].at == at(61)


def test_verdict_waits_for_the_deadline() -> None:
    """The last try is before the deadline, the verdict not: the record would not accept it."""
    record = probed(probe=Probe(deadline=at(2.3)))
    world = World(record_at=lambda _: record)

    world.run()

    assert world.tries == [0, 1, 2]
    assert world.facts[0].at == at(2.3)
    assert not isinstance(apply(record, world.facts[0], POLICY), Stale)


def test_a_timer_that_wakes_early_brings_no_early_verdict() -> None:
    """The clock decides that the deadline has passed, not the timer."""
    world = World(record_at=lambda _: probed(probe=Probe(deadline=at(0.5))))

    async def main() -> ProbeResult:
        running = AgentProbe(
            TARGET,
            check_health=world.check_health,
            read_record=world.read_record,
            settle_verdict=world.settle_verdict,
            now=now,
            sleep=lambda seconds: asyncio.sleep(seconds / 2 if seconds > 1e-3 else seconds),
            policy=POLICY,
            give_up_at=at(WORKER_ENDS),
        )
        return await running.run()

    run(main())

    assert world.facts[0].at >= at(0.5)


def test_after_the_deadline_the_agent_is_still_probed() -> None:
    """A message that comes after the deadline, from a crash or a throttle, still means a try before the verdict."""
    overdue = probed(probe=Probe(deadline=at(-30)))

    late = World(record_at=lambda _: overdue)
    assert late.run().outcome is Outcome.SILENT
    assert late.tries == [0]

    alive = World(answers_at=0, record_at=lambda _: overdue)
    assert alive.run().outcome is Outcome.HEALTHY


OVER = {
    "gone": (None, "the record is gone"),
    "newer": (probed(generation=2), "the record is at generation 2"),
    "stopped": (probed(state=State.STOPPED), "the record is stopped"),
    "failed": (probed(state=State.FAILED), "the record is failed"),
    "healthy": (probed(state=State.AGENT_HEALTHY), "the record is agent-healthy"),
    "stopping": (probed(timings={Instant.STOPPING: at(1)}), "the task is on its way out"),
    "moved": (probed(agent_address="10.0.1.99:9111"), "the record has another address"),
}


@pytest.mark.parametrize("case", OVER)
def test_stops_when_the_record_says_that_it_is_over(case: str) -> None:
    """Within the interval of the reads, without a verdict, and with the reason."""
    record, why = OVER[case]
    world = World(record_at=lambda second: probed() if second < 7 else record)

    result = world.run()

    assert result == ProbeResult(Outcome.OVER, attempts=11, last_error=REFUSED.error, why=why)
    assert world.reads == [0, 5, 10]
    assert world.facts == []


@pytest.mark.parametrize("case", OVER)
def test_over_before_it_began(case: str) -> None:
    """A record that needs no verdict gets none, even if something answers at the address."""
    world = World(answers_at=0, record_at=lambda _: OVER[case][0], try_takes=lambda _: 0.001)

    assert world.run() == ProbeResult(Outcome.OVER, attempts=0, why=OVER[case][1])
    assert world.tries == []
    assert world.facts == []


def test_both_at_once_is_over() -> None:
    """When the address answers in the same moment in which the record is found over, the record decides."""
    world = World(answers_at=0, record_at=lambda _: None)

    assert world.run().outcome is Outcome.OVER
    assert world.facts == []


def test_over_interrupts_a_try() -> None:
    """A try that hangs does not keep the worker: it is cancelled."""
    world = World(record_at=lambda second: probed() if second < 5 else None, try_takes=lambda _: 1000.0)

    async def main() -> float:
        await world.probe()
        return asyncio.get_running_loop().time()

    assert run(main()) == 5
    assert world.under_way == 0


def test_nothing_is_tried_before_the_record_names_the_address() -> None:
    """A message is no source of addresses: who can write to the queue does not choose where the prober connects."""
    world = World(answers_at=2, read_takes=1.5)

    assert world.run().outcome is Outcome.HEALTHY
    assert world.tries == [1.5, 2.5]

    elsewhere = World(answers_at=0, record_at=lambda _: probed(agent_address="10.0.1.48:9111"))
    assert elsewhere.run().why == "the record has another address"
    assert elsewhere.tries == []


@pytest.mark.parametrize("allowed", ["10.0.1.0/24", "10.0.2.0/24"])
def test_the_prober_connects_to_no_address_outside_the_networks(allowed: str) -> None:
    """Whoever wrote it into the record: the error names the address and the parameter, and nothing is tried."""
    world = World(answers_at=0)
    policy = replace(POLICY, agent_networks=networks((allowed,)))

    if allowed == "10.0.1.0/24":
        assert world.run(policy=policy).outcome is Outcome.HEALTHY
        return
    with pytest.raises(
        CannotProbe, match=r"10\.0\.1\.47:9111 lies outside the networks of agents, 10\.0\.2\.0/24"
    ) as caught:
        world.run(policy=policy)
    assert "AgentNetworks" in caught.value.remedy
    assert (world.tries, world.facts) == ([], [])


def test_out_of_time() -> None:
    """A worker that ends before the deadline gives no verdict: the message has to come again."""
    world = World()

    with pytest.raises(OutOfTime, match=f"after 20 tries at {ADDRESS}") as caught:
        world.run(give_up_at=at(20))

    assert world.tries == pytest.approx(range(20))
    assert world.facts == []
    assert caught.value.last_error == REFUSED.error


def test_out_of_time_waits_for_nothing() -> None:
    """The probe ends before a try that could not begin in time, without waiting."""
    world = World()

    async def main() -> float:
        with pytest.raises(OutOfTime):
            await world.probe(give_up_at=at(19.5))
        return asyncio.get_running_loop().time()

    assert run(main()) == 19


def test_out_of_time_before_the_first_try() -> None:
    """A worker without time left makes no try."""
    world = World(answers_at=0)

    with pytest.raises(OutOfTime):
        world.run(give_up_at=at(0))

    assert world.tries == []


def test_deadline_survives_the_worker() -> None:
    """The next delivery goes on towards the same deadline: it is the item's."""
    record = probed()
    world = World(record_at=lambda _: record)

    async def main() -> None:
        await asyncio.sleep(30)
        await world.probe()

    run(main())

    assert isinstance(world.facts[0], AgentSilent)
    assert (world.facts[0].at, world.facts[0].attempts) == (at(DEADLINE), 30)


def test_failed_reads_end_nothing() -> None:
    """A failed read is repeated soon, and counted; once the record was read, the tries go on."""
    world = World(read_fails=lambda second: second < 3 or 8 <= second < 10)

    result = world.run()

    assert result.outcome is Outcome.SILENT
    assert result.failed_reads == 5
    assert world.reads[:7] == [0, 1, 2, 3, 8, 9, 10]
    assert world.tries == pytest.approx(range(3, 60))


def refused(code: str, **how: Any) -> CallFailed:
    """A read of the table that did not succeed."""
    return CallFailed("BatchGetItem", code, "no", **how)


NO_ROUTE = refused("ConnectTimeoutError", remedy="Try again.", transient=True, uncertain=True, unreached=True)
FAILED_READS = {
    "no route": (NO_ROUTE, "gateway endpoint"),
    "no permission": (refused("AccessDeniedException", cause=Cause.PERMISSION, remedy="Allow it."), "Allow it."),
    "throttled": (refused("ThrottlingException", cause=Cause.THROTTLED, remedy="Wait.", transient=True), "Wait."),
    "no table": (refused("ResourceNotFoundException", remedy="See the ECS API."), "table exists"),
}


@pytest.mark.parametrize("case", FAILED_READS)
def test_a_table_that_was_never_read_ends_the_probe(case: str) -> None:
    """Within ten seconds, with the call, its error and the remedy. Only a missing route is the endpoint's."""
    failed, remedy = FAILED_READS[case]
    world = World()

    async def read_record() -> Record | None:
        raise failed

    async def main() -> tuple[CannotProbe, float]:
        with pytest.raises(CannotProbe) as caught:
            await world.probe(read_record=read_record)
        return caught.value, asyncio.get_running_loop().time()

    stopped, second = run(main())
    assert TABLE_PATIENCE <= second <= 10
    assert stopped.last_error == f"The containers table could not be read: BatchGetItem failed with {failed.code}: no."
    assert remedy in stopped.remedy
    assert ("endpoint" in stopped.remedy) is failed.unreached
    assert str(stopped) == f"{stopped.last_error} {stopped.remedy}"
    assert world.facts == []


def test_an_agent_whose_answer_cannot_be_verified_does_not_hide_the_table() -> None:
    """The token to verify it with is in the table: the probe ends with the table's error, not the agent's."""
    world = World(answers_at=0, read_fails=lambda _: True)

    with pytest.raises(CannotProbe, match="could not be read"):
        world.run(identified=True)

    assert world.tokens == []


def test_reads_that_fail_later_end_nothing_and_are_reported() -> None:
    """The record was read once, so its deadline is known; the log has the number of failed reads."""
    world = World(read_fails=lambda second: second > 0)

    with pytest.raises(OutOfTime, match=r"16 reads of the table failed, the last one: GetItem failed with Internal"):
        world.run(give_up_at=at(20.5))

    assert World(read_fails=lambda second: second > 0).run().outcome is Outcome.SILENT


def test_a_prober_that_never_got_as_far_as_the_network_gives_no_verdict() -> None:
    """Without descriptors or ports until the deadline no try reached the agent, which may be well."""
    broken = Answer(probe_error(ProbeErrorKind.PROBER, ADDRESS, "Too many open files"))
    world = World()

    async def check_health(_address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - the port's
        return broken if asyncio.get_running_loop().time() != tried_at else REFUSED

    tried_at: float | None = None
    with pytest.raises(CannotProbe, match="was never asked: the prober could not open a connection: Too many open"):
        world.run(check_health=check_health)
    assert world.facts == []

    tried_at = 30.0
    assert world.run(check_health=check_health).outcome is Outcome.SILENT


def test_unreadable_record_is_raised() -> None:
    """An item of another version is not guessed at: the message goes to the dead-letter queue."""
    world = World()

    async def read_record() -> Record | None:
        raise UnreadableRecord(CONTAINER_ID, "its schema is 9")

    with pytest.raises(UnreadableRecord):
        world.run(read_record=read_record)
    assert world.facts == []


def test_identity_is_checked_before_the_verdict() -> None:
    """An answer counts once the agent has shown that it knows the record's token."""
    world = World(answers_at=3)

    assert world.run(identified=True).outcome is Outcome.HEALTHY
    assert world.tokens == [TOKEN]


def test_stranger_never_makes_a_container_healthy() -> None:
    """Another container's agent on a recycled address is probed again, and named at the deadline."""
    world = World(answers_at=0, stranger_until=1000)

    assert world.run(identified=True).outcome is Outcome.SILENT
    assert isinstance(world.facts[0], AgentSilent)
    assert "not this container's" in world.facts[0].last_error


def test_own_agent_after_a_stranger() -> None:
    """When the address comes back to its owner, the probe finds out."""
    world = World(answers_at=0, stranger_until=4)

    assert world.run(identified=True).outcome is Outcome.HEALTHY
    assert world.facts[0].at == at(4)


def test_identity_without_a_token_is_no_answer() -> None:
    """An answer that could not be verified does not count; the next read may bring the token."""
    world = World(answers_at=0, record_at=lambda second: probed(agent_token=TOKEN if second >= 5 else None))

    result = world.run(identified=True)

    assert (result.outcome, result.attempts) == (Outcome.HEALTHY, 6)
    assert result.last_error is not None
    assert result.last_error.kind is ProbeErrorKind.UNVERIFIED


@pytest.mark.parametrize(("answers_at", "reads"), [(0, 1), (7, 2)])
def test_the_verdict_comes_with_the_record_that_was_read_last(answers_at: float, reads: int) -> None:
    """So that whoever writes it need not read again."""
    world = World(answers_at=answers_at, record_at=lambda second: probed(revision=int(second) + 1))
    records: list[Record | None] = []

    async def report(_fact: Fact, record: Record | None) -> None:
        records.append(record)

    world.run(settle_verdict=report)
    assert (records, len(world.reads)) == ([probed(revision=5 * (reads - 1) + 1)], reads)


def test_failed_report_is_raised() -> None:
    """A verdict that could not be written fails the message, so that it comes again."""
    world = World(answers_at=0)

    async def report(_fact: Fact, _record: Record | None) -> None:
        attempts.append(asyncio.get_running_loop().time())
        raise CallFailed("PutItem", "InternalServerError", "no", remedy="Try again.", transient=True)

    attempts: list[float] = []
    with pytest.raises(CannotProbe, match=r"verdict could not be written to the table: PutItem failed .* Try again\."):
        world.run(settle_verdict=report)
    assert attempts == [0, 1, 2, 3, 4, 5, 6, 7, 8]

    attempts.clear()
    with pytest.raises(CannotProbe):
        world.run(settle_verdict=report, give_up_at=at(0.5))
    assert attempts == [0, 1], "not beyond the worker's time, but for one attempt"


def test_a_verdict_is_written_as_soon_as_the_table_takes_it() -> None:
    """A moment's throttling costs a second, not the six minutes until the message comes again."""
    world = World(answers_at=0)

    async def report(fact: Fact, _record: Record | None) -> None:
        if asyncio.get_running_loop().time() < 3:
            raise CallFailed("PutItem", "ThrottlingException", "no", transient=True)
        world.facts.append(fact)

    assert world.run(settle_verdict=report).outcome is Outcome.HEALTHY
    assert len(world.facts) == 1


def test_report_is_not_cut_off() -> None:
    """A record that ends the probe while the verdict is written does not interrupt the writing."""
    world = World(answers_at=4, record_at=lambda second: probed() if second < 5 else None)

    async def report(fact: Fact, _record: Record | None) -> None:
        await asyncio.sleep(3)
        world.facts.append(fact)

    assert world.run(settle_verdict=report).outcome is Outcome.HEALTHY
    assert len(world.facts) == 1


@pytest.mark.parametrize("second", [0.5, 1.0, 30.2])
def test_cancelling_leaves_nothing_behind(second: float) -> None:
    """A worker that is shut down cancels its probes: no try, no read and no task is left, and no verdict is settled."""
    world = World(try_takes=lambda _: 0.9, read_takes=0.9)

    async def main() -> set[asyncio.Task[Any]]:
        task = asyncio.ensure_future(world.probe())
        await asyncio.sleep(second)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert run(main()) == set()
    assert world.under_way == 0
    assert world.facts == []


def test_a_thousand_at_once() -> None:
    """One loop carries a thousand probes, and each gets its verdict the moment it falls: none waits for another."""
    worlds = [World(answers_at=index % 100 / 2, try_takes=lambda _: 0.05) for index in range(999)]
    worlds.append(World(try_takes=lambda _: 2.0))

    async def main() -> Iterable[ProbeResult]:
        return await asyncio.gather(*(world.probe() for world in worlds))

    results = list(run(main()))

    for index, (world, result) in enumerate(zip(worlds[:-1], results[:-1], strict=True)):
        expected = -(-(index % 100) // 2)
        assert result.outcome is Outcome.HEALTHY
        assert (world.facts[0].at - at(expected)).total_seconds() == pytest.approx(0.05)
    assert results[-1].outcome is Outcome.SILENT
    assert worlds[-1].tries == pytest.approx(range(0, 60, 2))


def test_token_is_in_no_repr() -> None:
    """What the engine keeps of a record may be printed."""
    assert TOKEN not in repr(probe_view(probed(), TARGET))
    assert probe_view(probed(), TARGET).token == TOKEN


def test_an_agent_that_shows_no_child_is_reported_so() -> None:
    """`pid` is absent from /health: the verdict says so, and the record decides whether a child was expected."""
    world = World(answers_at=0, child=lambda _second: None)
    assert world.run().outcome is Outcome.HEALTHY
    assert world.facts == [AgentAnswered(ref=REF, at=at(0), address=ADDRESS, attempts=1, has_child=False)]


@pytest.mark.parametrize("exit_code", [0, 7, -1, None])
def test_a_process_that_has_exited_is_the_verdict(exit_code: int | None) -> None:
    """`exited` in /health: the container ran and ended, though its agent answers."""
    world = World(answers_at=2, child=lambda _second: Child(7, exited=True, exit_code=exit_code))
    assert world.run(identified=True).outcome is Outcome.EXITED
    assert world.facts == [ProcessExited(ref=REF, at=at(2), address=ADDRESS, exit_code=exit_code)]
    assert world.tokens == [TOKEN]


def test_the_end_that_a_stranger_reports_is_not_the_containers() -> None:
    """Another task's agent on a recycled address says that its process has exited: that is no verdict."""
    world = World(answers_at=0, stranger_until=30, child=lambda second: Child(7, exited=second < 30, exit_code=7))
    assert world.run(identified=True).outcome is Outcome.HEALTHY
    assert [type(fact) for fact in world.facts] == [AgentAnswered]


def outliving(**changes: Any) -> Record:
    """A healthy container whose agent stays when its process exits."""
    flavored = probed(state=State.AGENT_HEALTHY, agent_flavor=AgentFlavor.SOCKERLESS)
    return replace(flavored, **changes)


def test_a_healthy_agent_that_outlives_its_process_is_probed_for_the_end() -> None:
    """One try finds the end, with the token checked."""
    world = World(answers_at=0, record_at=lambda _second: outliving(), child=lambda _second: Child(7, True, 3))
    assert world.run(identified=True).outcome is Outcome.EXITED
    assert world.facts == [ProcessExited(ref=REF, at=at(0), address=ADDRESS, exit_code=3)]


@pytest.mark.parametrize("takes", [0.0, 0.5])
def test_a_healthy_agent_without_an_answer_is_no_verdict(takes: float) -> None:
    """After the first failed try with a read the probe is over: no deadline runs, and ECS reports a task's end."""
    world = World(record_at=lambda _second: outliving(), read_takes=takes)
    result = world.run()
    assert (result.outcome, world.facts) == (Outcome.OVER, [])
    assert max(world.tries) <= 1


@pytest.mark.parametrize(
    "record",
    [
        outliving(agent_flavor=AgentFlavor.SPEC),
        outliving(timings={Instant.STOPPING: at(1)}),
        outliving(agent_address="10.0.9.9:9111"),
    ],
)
def test_no_other_healthy_agent_is_probed(record: Record) -> None:
    """An agent that exits with its process, a task on its way out, another address: the probe is over."""
    assert probe_view(record, TARGET).over is not None
