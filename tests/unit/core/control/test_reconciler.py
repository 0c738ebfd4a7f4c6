"""The reconciler at scale: its calls to ECS, their order, and what it leaves for the next minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.background_run import RunReport
from core.control.describe_tasks import FEW, describe_tasks
from core.control.reconciler import reconcile
from core.machine.schedule import schedule, shards
from core.model.errors import CallFailed, ReachError
from core.model.facts import StopRequested, TaskGone, TaskObserved
from core.model.failure import Cause, ErrorCode, Failure
from core.model.parts import Launch
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.ports import Described
from core.storage.item import to_item
from tests.factories import CLUSTER, DEFINITION, POLICY, TASK, at, pending
from tests.fakes import FakeEcs
from tests.records import healthy
from tests.world import World

THROTTLED = CallFailed("DescribeTasks", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)


@dataclass
class ListeningEcs(FakeEcs):
    """It also keeps which tasks were described, and when."""

    described: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        self.described.append(((self.clock.now() - at(0)).total_seconds(), tuple(task_arns)))
        return super().describe(cluster, task_arns)


class Fleet(World):
    """A table and a cluster with as many containers as a test wants, and runs of the reconciler."""

    ecs: ListeningEcs

    def __init__(self) -> None:
        super().__init__()
        self.ecs = ListeningEcs(self.clock)

    def run(self, most: int = 1000, changes: int = 1000, time_left: Callable[[], float] = lambda: 1e9) -> RunReport:
        return reconcile(self.limited(most, changes), time_left)

    def running(self, number: int, shard: int = 0, check_at: float = 0, **changes: object) -> Record:
        """A healthy container whose task runs."""
        arn = self.task_of(number)
        self.ecs.tasks[arn] = {**self.document(number), "lastStatus": "RUNNING", "startedAt": at(1)}
        values = {"container_id": self.id_of(number), "task_arn": arn, "watch": f"shard-{shard}"}
        record = healthy(**{**values, "check_at": at(check_at), **changes})
        self.store.put_item(to_item(record))
        return record

    def pulling(self, number: int, check_at: float = 0, **changes: object) -> Record:
        """A container whose task has sent no event yet, because its image is large: the record does not name it."""
        self.ecs.tasks[self.task_of(number)] = {**self.document(number), **changes}
        record = pending(container_id=self.id_of(number), watch=f"shard-{number % 4}", check_at=at(check_at))
        self.store.put_item(to_item(record))
        return record

    def id_of(self, number: int) -> str:
        return sha256(str(number).encode()).hexdigest()

    def task_of(self, number: int) -> str:
        return f"{TASK[:-32]}{number:032x}"

    def document(self, number: int) -> dict[str, object]:
        """A task that is to run."""
        return {
            "taskArn": self.task_of(number),
            "clusterArn": CLUSTER,
            "taskDefinitionArn": DEFINITION,
            "startedBy": f"sockerless/{self.id_of(number)}/1",
            "version": 4,
            "lastStatus": "PENDING",
            "desiredStatus": "RUNNING",
            "createdAt": at(0),
        }

    def unlaunched(self, number: int) -> Record:
        """A record whose RunTask was the last call of a start, if it was made."""
        record = pending(container_id=f"{number:064x}", watch="shard-0", check_at=at(0))
        self.store.put_item(to_item(record))
        return record

    def now(self, known: Record) -> Record:
        return self.record(known.container_id)


@pytest.fixture
def world() -> Fleet:
    return Fleet()


def test_shards_share_their_calls(world: Fleet) -> None:
    """Records of all shards go into the same batches of a hundred."""
    for number in range(120):
        world.running(number, shard=number % POLICY.watch_shards)
    assert world.run().counts["due"] == 120
    assert [len(arns) for _, arns in world.ecs.described] == [100, 20]


def test_no_shard_waits_for_another(world: Fleet) -> None:
    """With calls for a hundred records, each shard has its share, its oldest records first."""
    sizes = [300, 100, 10, 100]
    numbers = iter(range(1000))
    records = [
        [world.running(next(numbers), shard, check_at=-100 + age) for age in range(size)]
        for shard, size in enumerate(sizes)
    ]
    report = world.run(most=1)
    assert (report.counts["due"], report.stopped) == (200, "limit")
    looked_at = [[world.now(one) != one for one in shard] for shard in records]
    assert [sum(shard) for shard in looked_at] == [30, 30, 10, 30]
    assert all(shard == sorted(shard, reverse=True) for shard in looked_at)


def test_what_the_budget_leaves_is_due_in_the_next_run(world: Fleet) -> None:
    """Untouched: a call that was not made proves nothing, whatever the clock says."""
    records = [world.running(number, check_at=number / 1000) for number in range(250)]
    world.clock.advance(1)
    assert world.run(most=2).stopped == "limit"
    assert [world.now(one) == one for one in records] == [False] * 200 + [True] * 50
    report = world.run(most=2)
    assert (report.counts["due"], report.stopped, report.errors) == (50, None, {})


def test_a_task_that_runs_is_found_by_one_call(world: Fleet) -> None:
    """Stopped tasks are listed apart, only where no task runs."""
    known = world.running(1)
    lost = pending(container_id=known.container_id, watch="shard-0", check_at=at(0))
    world.store.put_item(to_item(lost))
    world.clock.advance(61)
    world.run(most=8)
    assert (world.ecs.calls.count("find"), world.now(lost).task_arn) == (1, known.task_arn)


def test_a_record_without_a_task_costs_two_calls(world: Fleet) -> None:
    """Those with one come first, a hundred of them for one call."""
    orphans = [world.unlaunched(number) for number in range(FEW - 1)]
    known = world.running(1)
    world.clock.advance(61)
    assert world.run(most=8).stopped == "limit"
    assert world.ecs.calls == ["describe", *["find"] * 7]
    assert world.now(known) != known
    assert [world.now(one).state for one in orphans] == [State.FAILED] * 3 + [State.PENDING] * 6


def test_a_burst_of_starts_holds_up_nothing(world: Fleet) -> None:
    """Tasks that have sent no event yet are found by the list of the cluster's, after all that have a task."""
    for number in range(1000, 1500):
        world.ecs.tasks[world.task_of(number)] = {**world.document(number), "startedBy": "ecs-svc/1"}
    starts = [world.pulling(number) for number in range(1000)]
    lost = world.running(2000, check_at=20)
    world.ecs.walk(str(lost.task_arn), "STOPPED", desiredStatus="STOPPED")
    world.clock.advance(81)

    report = world.run(most=POLICY.reconcile_calls)

    assert (report.stopped, report.errors, world.now(lost).state.ended) == (None, {}, True)
    assert world.ecs.calls == ["describe", *["running", "describe"] * 15]
    assert all(world.now(one).task_arn for one in starts)


def test_what_was_listed_before_the_limit_is_not_lost(world: Fleet) -> None:
    """Those that are to stop are in no list of the cluster's: each is looked for, and ten at a time are described."""
    starts = [world.pulling(number, desiredStatus="STOPPED") for number in range(5 * FEW)]
    world.clock.advance(81)
    assert world.run(most=30).stopped == "limit"
    assert [world.now(one).task_arn is not None for one in starts] == [True] * FEW + [False] * 4 * FEW


def test_a_cluster_that_cannot_be_listed_is_told(world: Fleet) -> None:
    """The records are looked for one by one then."""
    starts = [world.pulling(number) for number in range(FEW)]
    world.ecs.refusals["running"] = [CallFailed("ListTasks", "AccessDeniedException", "no")]
    world.clock.advance(81)
    assert world.run().errors == {"CallFailed": 1}
    assert all(world.now(one).task_arn for one in starts)


def test_a_burst_takes_no_task_that_is_not_its_own(world: Fleet) -> None:
    """One that was given up is no container's any more, and one that cannot be read says nothing of another."""
    first, *starts = [world.pulling(number) for number in range(FEW + 1)]
    launch = Launch(at(0), Failure(ErrorCode.LAUNCH_FAILED, "no", "no"), world.task_of(0))
    world.ecs.tasks["broken"] = {**world.document(500), "taskArn": "broken", "version": None}
    found = describe_tasks(world, [replace(first, launches=(launch,)), *starts])
    assert {one[0].ref: type(one[1]) for one in found if not isinstance(one, ReachError)} == {
        first.ref: TaskGone,
        **dict.fromkeys((one.ref for one in starts), TaskObserved),
    }


def test_a_throttled_question_is_the_last_of_its_run(world: Fleet) -> None:
    """Reported and counted once; everything stays due, and the next run repeats the call."""
    records = [world.running(number) for number in range(250)]
    world.ecs.refusals["describe"] = [THROTTLED]
    report = world.run()
    assert (report.errors, report.stopped, report.counts["healed"]) == ({"CallFailed": 1}, "throttled", 0)
    assert world.observer.failures == [THROTTLED]
    assert world.ecs.calls == ["describe"]
    assert all(world.now(one) == one for one in records)
    assert (world.run().counts["due"], world.ecs.calls) == (250, ["describe"] * 4)


def test_stops_beyond_the_budget_stay_owed(world: Fleet) -> None:
    """The others are still described; the next run, seconds later, makes the stops that this one did not."""
    records = [world.running(number, check_at=number / 10) for number in range(6)]
    for one in records[:5]:
        world.write(StopRequested(ref=one.ref, at=at(1), reason="enough"))
    world.clock.advance(POLICY.probe_check + 1)

    report = world.run(changes=2)
    assert (report.counts["due"], report.stopped, report.errors) == (6, "limit", {})
    assert len(world.ecs.stopped) == 2
    assert all((world.now(one).check_at or at(0)) > world.clock.now() for one in records[5:])

    world.clock.advance(POLICY.probe_check + 1)
    assert world.run(changes=10).stopped is None
    assert len(world.ecs.stopped) == 5


def test_a_run_that_has_to_end_says_so(world: Fleet) -> None:
    """No further record is read."""
    world.running(1)
    report = world.run(time_left=lambda: -1.0)
    assert (report.counts["due"], report.stopped) == (0, "time")


def test_a_task_that_ecs_does_not_show_is_told(world: Fleet) -> None:
    """A failure other than MISSING says nothing about the task: its record stays as it is, and due."""
    hidden, shown = world.running(1), world.running(2)
    assert hidden.task_arn is not None
    world.ecs.hidden[hidden.task_arn] = CallFailed("DescribeTasks", "Failure", "ACCESS_DENIED")
    report = world.run()
    assert report.errors == {"CallFailed": 1}
    assert [str(error) for error in world.observer.failures] == ["DescribeTasks failed with Failure: ACCESS_DENIED"]
    assert world.now(hidden) == hidden
    assert world.now(shown) != shown


def test_unreadable_items_starve_nobody(world: Fleet) -> None:
    """More of them than a page holds, all older than the one that can be read: it is reached, run after run."""
    for number in range(150):
        broken = pending(container_id=f"{number:064x}", watch="shard-0", check_at=at(-1000 + number))
        world.store.put_item({**to_item(broken), "state": "levitating"})
    behind = world.running(1, check_at=0)
    for _ in range(3):
        before = world.now(behind)
        report = world.run()
        assert (report.counts["due"], report.errors) == (1, {"UnreadableRecord": 150})
        assert world.now(behind).revision == before.revision + 1
        world.clock.advance(30 * 60)


def test_the_age_of_the_oldest_due_record(world: Fleet) -> None:
    """Since when it has been due, whatever page and shard it is on; 0 when nothing is due."""
    assert world.run().counts["oldest_due_seconds"] == 0
    for number in range(150):
        world.running(number, shard=0, check_at=-100)
    world.running(150, shard=3, check_at=-130)
    world.running(151, shard=1, check_at=60)
    assert world.run().counts["oldest_due_seconds"] == 130


def test_healed_are_the_records_that_moved(world: Fleet) -> None:
    """A check of a container that runs as recorded heals nothing."""
    world.running(1)
    lost = world.running(2)
    assert lost.task_arn is not None
    world.ecs.walk(
        lost.task_arn,
        "STOPPED",
        desiredStatus="STOPPED",
        containers=[{"name": "main", "lastStatus": "STOPPED", "exitCode": 0}],
    )
    report = world.run()
    assert (report.counts["due"], report.counts["healed"]) == (2, 1)
    assert world.now(lost).state is State.STOPPED


def test_a_day_of_healthy_containers(world: Fleet) -> None:
    """Each is checked every 15 minutes, but for the delay of a run, and never in a crowd; one call a minute at most.

    They begin as after an outage: all are overdue at once.
    """
    records = [world.running(number, shard=number % 4, check_at=-3600) for number in range(60)]
    for minute in range(24 * 60):
        # Lambda starts a run when it can.
        world.clock.instant = at(60 * minute + 17 * minute % 41)
        assert world.run().errors == {}

    checks: dict[str, list[float]] = {str(one.task_arn): [] for one in records}
    for seconds, arns in world.ecs.described:
        for arn in arns:
            checks[arn].append(seconds)
    for seen in checks.values():
        gaps = [later - earlier for earlier, later in pairwise(seen)]
        assert 450 - 60 <= gaps[0] <= 1350 + 60 + 41
        assert all(900 - 60 - 41 <= gap <= 900 + 60 + 41 for gap in gaps[1:])
        assert 24 * 4 - 1 <= len(seen) <= 24 * 4 + 1

    sizes = {int(seconds // 60): len(arns) for seconds, arns in world.ecs.described}
    assert sizes.pop(0) == 60
    assert max(sizes.values()) <= 60 / 4
    assert len(sizes) + 1 == len(world.ecs.described), "one call a minute, whatever the shards"
    assert set(world.ecs.calls) == {"describe"}


@given(digits=st.integers(0, 0xFFFF), seconds=st.floats(0, 1e6), interval=st.floats(60, 3600))
def test_the_next_check_of_a_healthy_container(digits: int, seconds: float, interval: float) -> None:
    """Half an interval to one and a half from now; after a check that was not late, or a little, about one."""
    policy = Policy(healthy_check=interval)
    record = healthy(container_id=f"{digits:04x}" + "0" * 60, check_at=None)

    def after(now: datetime) -> float:
        check_at = schedule(record, policy, now).check_at
        assert check_at is not None
        return (check_at - now).total_seconds()

    first = after(at(seconds))
    assert interval / 2 - 0.001 <= first <= interval * 1.5 + 0.001
    for late in (0.0, interval / 3):
        assert after(at(seconds + first + late)) == pytest.approx(interval - late, abs=0.01)


def test_the_shards_of_a_policy_are_all_read(world: Fleet) -> None:
    """A record is found in whichever shard it lies."""
    records = [world.running(number, shard=number) for number in range(len(shards(POLICY)))]
    assert world.run().counts["due"] == len(records) == Policy().watch_shards
    assert all((world.now(one).check_at or at(0)) > at(0) for one in records)
