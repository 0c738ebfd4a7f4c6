"""Leaked tasks: which one is, which one never is, and the pass over a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.background_run import RunReport
from core.control.find_leaked_tasks import FORGOTTEN, Listing, RunningTask, find_leaked_tasks, leaked
from core.machine.next_actions import STOP_REASON_LIMIT
from core.model.errors import CallFailed
from core.model.failure import Cause, ErrorCode, Failure
from core.model.identity import Ref
from core.model.parts import Launch
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.ports import Loaded
from core.storage.item import to_item
from tests.factories import CLUSTER, CONTAINER_ID, POLICY, TASK, at, pending
from tests.fakes import MemoryStore, MemoryVault, SettableClock
from tests.records import exited, healthy
from tests.world import World

OTHER = TASK[:-1] + "9"
GRACE = timedelta(seconds=POLICY.leak_grace)
NOW = at(10_000)
LONG_AGO = at(0)
KEEPING = Policy(keep_unreachable=True)
UNREACHABLE = Failure(ErrorCode.AGENT_UNREACHABLE, "No answer.", "Look.")
THROTTLED = CallFailed("X", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)
DENIED = CallFailed("X", "AccessDeniedException", "not authorized", cause=Cause.PERMISSION)


def ended(**changes: Any) -> Record:
    """Long ended; its task was `TASK`."""
    return exited(**{"task_arn": TASK, "updated_at": LONG_AGO, **changes})


def unreachable(**changes: Any) -> Record:
    return ended(**{"state": State.FAILED, "error": UNREACHABLE, **changes})


def relaunched(given_up_at: datetime = LONG_AGO, task_arn: str | None = OTHER) -> Record:
    """`TASK` was given up for another launch."""
    return pending(task_arn=task_arn, launches=(Launch(given_up_at, UNREACHABLE, TASK),))


def known_task(generation: int = 1, created_at: datetime | None = LONG_AGO) -> RunningTask:
    return RunningTask(TASK, Ref(CONTAINER_ID, generation), created_at)


# --- the decision -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (None, FORGOTTEN),
        (ended(), "the container is stopped"),
        (ended(state=State.FAILED), "the container is failed"),
        (ended(task_arn=OTHER), "the container is stopped"),
        (unreachable(), "the container is failed"),
        (healthy(task_arn=OTHER), f"the container runs as {OTHER[-32:]}"),
        (healthy(task_arn=TASK, generation=2), "the container is at generation 2"),
        (pending(generation=2), "the container is at generation 2"),
        (relaunched(), "its launch was given up"),
        (relaunched(task_arn=None), "its launch was given up"),
        (replace(relaunched(), state=State.FAILED, task_arn=None), "its launch was given up"),
        (replace(relaunched(), task_arn=None, launches=(Launch(LONG_AGO, UNREACHABLE, OTHER),)), None),
        (healthy(task_arn=TASK), None),
        (pending(task_arn=TASK), None),
        (pending(), None),
    ],
)
def test_whether_a_task_is_leaked(record: Record | None, why: str | None) -> None:
    """No record wants it: there is none, an ended one, one of another generation, one with another task."""
    assert leaked(known_task(), record, POLICY, NOW) == why


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (unreachable(), True),
        (unreachable(task_arn=OTHER), False),
        (ended(state=State.FAILED), False),
        (ended(state=State.FAILED, error=replace(UNREACHABLE, code=ErrorCode.TASK_LOST)), False),
        (replace(relaunched(), state=State.FAILED, error=UNREACHABLE), False),
        (None, False),
    ],
)
def test_what_is_kept_for_debugging(record: Record | None, kept: bool) -> None:
    """The task whose agent did not answer, if the operator wants it; no other one of the container."""
    assert (leaked(known_task(), record, KEEPING, NOW) is None) is kept


def test_a_newer_generation_than_the_record_knows() -> None:
    """The table was put back: nothing leads to that task any more."""
    assert leaked(known_task(generation=7), healthy(task_arn=OTHER), POLICY, NOW) == "the container is at generation 1"


@pytest.mark.parametrize("record", [None, ended(), healthy(task_arn=OTHER), relaunched()])
def test_no_task_younger_than_the_grace(record: Record | None) -> None:
    """To the millisecond; a task whose age is not known is never old enough."""
    just = NOW - GRACE
    assert leaked(known_task(created_at=just), record, POLICY, NOW) is not None
    assert leaked(known_task(created_at=just + timedelta(milliseconds=1)), record, POLICY, NOW) is None
    assert leaked(known_task(created_at=None), record, POLICY, NOW) is None


@pytest.mark.parametrize(
    "record",
    [ended(), pending(generation=2), relaunched()],
    ids=["ended", "started again", "given up"],
)
def test_no_task_that_was_wanted_within_the_grace(record: Record) -> None:
    """Its end takes a while, however old it is: 10 to 30 s after an exit, minutes with a long stop timeout."""

    def since(instant: datetime) -> Record:
        launches = tuple(replace(launch, at=instant) for launch in record.launches)
        return replace(record, updated_at=instant, created_at=instant, launches=launches)

    assert leaked(known_task(), since(NOW - GRACE), POLICY, NOW) is not None
    assert leaked(known_task(), since(NOW - GRACE + timedelta(milliseconds=1)), POLICY, NOW) is None


# --- the pass ---------------------------------------------------------------------------------------------------


class Cluster(World):
    """A table, a cluster, and runs of the job over them."""

    def __init__(self) -> None:
        super().__init__(clock=SettableClock(NOW), vault=MemoryVault(clock=lambda: LONG_AGO))
        self.listing = Listing()
        self.most = 1000

    def run(self, policy: Policy = POLICY) -> RunReport:
        ports = replace(self.limited(self.most, self.most), policy=policy)
        return find_leaked_tasks(ports, CLUSTER, self.listing)

    def task(
        self,
        number: int,
        started_by: str | None = f"sockerless/{CONTAINER_ID}/1",
        created_at: datetime = LONG_AGO,
    ) -> str:
        """A running task."""
        arn = f"arn:aws:ecs:us-east-1:123456789012:task/default/{number:032x}"
        self.ecs.tasks[arn] = {
            "taskArn": arn,
            "version": 3,
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "createdAt": created_at,
            **({"startedBy": started_by} if started_by else {}),
        }
        return arn

    def stopped(self) -> set[str]:
        return {arn for arn, _ in self.ecs.stopped}


@pytest.fixture
def world() -> Cluster:
    return Cluster()


def test_a_leaked_task_is_reported_and_stopped(world: Cluster) -> None:
    """With a reason that ECS keeps, and once: the next run does not see it any more."""
    wanted, leak = world.task(1), world.task(2)
    world.store.put_item(to_item(healthy(task_arn=wanted)))

    report = world.run()

    why = f"the container runs as {wanted[-32:]}"
    assert (report.counts["listed"], report.counts["ours"], report.counts["leaked"], report.errors, report.stopped) == (
        2,
        2,
        1,
        {},
        None,
    )
    assert world.observer.leaks == [(leak, why)]
    assert world.ecs.stopped == [(leak, f"Leaked task of container {CONTAINER_ID}: {why}.")]
    assert len(world.ecs.stopped[0][1]) <= STOP_REASON_LIMIT
    assert world.run().counts["leaked"] == 0


def test_a_task_whose_record_cannot_be_read_is_left_alone(world: Cluster) -> None:
    """It is reported. The others of the page are judged."""
    unreadable = "d" * 64
    world.task(1, f"sockerless/{unreadable}/1")
    leak = world.task(2)
    world.store.put_item({**to_item(pending(container_id=unreadable)), "state": "levitating"})

    report = world.run()

    assert (report.counts["leaked"], report.errors) == (1, {"UnreadableRecord": 1})
    assert world.stopped() == {leak}
    assert len(world.observer.failures) == 1


def test_leaked_tasks_can_be_kept(world: Cluster) -> None:
    """Then they are counted and reported, and run on."""
    leak = world.task(1)
    assert world.run(Policy(keep_leaked=True)).counts["leaked"] == 1
    assert world.observer.leaks == [(leak, FORGOTTEN)]
    assert world.ecs.stopped == []


def test_a_stop_that_fails_hides_no_other(world: Cluster) -> None:
    """It is reported, and the next run repeats it."""
    first, second = world.task(1), world.task(2)
    world.ecs.refusals["stop"] = [DENIED]
    report = world.run()
    assert (report.counts["leaked"], report.errors, report.stopped) == (2, {"CallFailed": 1}, None)
    assert world.stopped() == {second}
    world.run()
    assert world.stopped() == {first, second}


def test_a_throttled_stop_ends_the_run(world: Cluster) -> None:
    """Starts need the rate: this run makes no further call."""
    world.task(1), world.task(2)
    world.ecs.refusals["stop"] = [THROTTLED]
    assert world.run().stopped == "throttled"
    assert world.ecs.stopped == []
    assert world.ecs.calls.count("stop") == 1


@pytest.mark.parametrize("operation", ["running", "describe"])
@pytest.mark.parametrize(("error", "why"), [(THROTTLED, "throttled"), (DENIED, "failed")])
def test_a_failed_call_proves_nothing(world: Cluster, operation: str, error: CallFailed, why: str) -> None:
    """It is reported and counted; nothing is stopped, and nothing is forgotten."""
    leak = world.task(1)
    world.ecs.refusals[operation] = [error]
    report = world.run()
    assert (report.stopped, report.errors, world.ecs.stopped) == (why, {"CallFailed": 1}, [])
    assert world.observer.failures == [error]
    world.run()
    assert world.stopped() == {leak}


def test_an_outage_of_the_table_stops_nothing(world: Cluster) -> None:
    """A record that could not be read is not a record that does not exist."""

    class Out(MemoryStore):
        def load_many(self, container_ids: Iterable[str]) -> Loaded:
            raise CallFailed("BatchGetItem", "InternalServerError", "", transient=True)

    world.store = Out()
    world.task(1)
    assert world.run().stopped == "failed"
    assert world.ecs.stopped == []


def test_what_ecs_does_not_show_is_reported_and_left_alone(world: Cluster) -> None:
    """A task that it refuses to describe, and one that it describes unusably."""
    hidden, broken, leak = world.task(1), world.task(2), world.task(3)
    world.ecs.hidden[hidden] = CallFailed("DescribeTasks", "Failure", "ACCESS_DENIED")
    del world.ecs.tasks[broken]["version"]
    assert world.run().errors == {"CallFailed": 1, "MalformedEvent": 1}
    assert world.stopped() == {leak}


def test_a_task_is_described_once(world: Cluster) -> None:
    """Whose a task is never changes: later runs list, and read the records."""
    for number in range(250):
        world.task(number, "ecs-svc/1" if number % 2 else f"sockerless/{number:064x}/1", created_at=NOW)
    report = world.run()
    assert (report.counts["listed"], report.counts["ours"]) == (250, 125)
    assert world.ecs.calls == ["running", "describe"] * 3
    world.ecs.calls.clear()
    new = world.task(250, created_at=NOW)
    assert world.run().counts["ours"] == 126
    assert world.ecs.calls == ["running", "running", "running", "describe"]
    assert new in world.listing.known


def test_what_has_ended_is_forgotten(world: Cluster) -> None:
    """The memory is as large as the cluster, not as its past. A run that was cut short forgets nothing."""
    gone, left = world.task(1, created_at=NOW), world.task(2, created_at=NOW)
    world.run()
    del world.ecs.tasks[gone]
    world.most = 0
    assert world.run().stopped == "limit"
    assert set(world.listing.known) == {gone, left}
    world.most = 1000
    world.run()
    assert set(world.listing.known) == {left}


def test_a_run_ends_with_its_budget(world: Cluster) -> None:
    """The next one begins where the calls become new: what was described is known."""
    for number in range(300):
        world.task(number)
    world.most = 2
    assert (world.run().stopped, len(world.listing.known)) == ("limit", 100)
    assert len(world.stopped()) == 2, "as many stops as the budget of changes has"


def test_the_next_run_goes_on_where_one_was_cut_short(world: Cluster) -> None:
    """So every task of a large cluster has its turn; a whole pass forgets what has ended meanwhile."""
    gone, *_ = [world.task(number, created_at=NOW) for number in range(500)]
    world.most = 4
    passes = [(report.counts["listed"], report.stopped) for report in (world.run() for _ in range(3))]
    assert passes == [(200, "limit"), (200, "limit"), (100, None)]
    assert len(world.listing.known) == 500
    world.ecs.tasks[gone]["desiredStatus"] = "STOPPED"
    assert [(report.counts["listed"], report.stopped) for report in (world.run() for _ in range(2))] == [
        (400, "limit"),
        (99, None),
    ]
    assert len(world.listing.known) == 499


def test_a_page_that_was_not_looked_at_is_listed_again(world: Cluster) -> None:
    """The limit came between the list and the description."""
    for number in range(200):
        world.task(number, created_at=NOW)
    world.most = 3
    assert (world.run().stopped, world.listing.after) == ("limit", "100")
    assert (world.run().stopped, len(world.listing.known)) == (None, 200)


@pytest.mark.parametrize(
    ("failed", "begins"),
    [(CallFailed("ListTasks", "InvalidParameterException", "Invalid token."), True), (THROTTLED, False)],
)
def test_a_place_that_ecs_knows_no_more_is_the_beginning(world: Cluster, failed: CallFailed, begins: bool) -> None:
    """The token of a page may have expired since the last run; a throttled call says nothing of it."""
    for number in range(200):
        world.task(number, created_at=NOW)
    world.most = 2
    world.run()
    world.most = 1000
    world.ecs.refusals["running"] = [failed]
    report = world.run()
    assert (report.stopped, report.counts["listed"]) == ((None, 200) if begins else ("throttled", 0))
    assert world.listing.after == (None if begins else "100")


def test_parameters_do_not_wait_for_a_large_cluster(world: Cluster) -> None:
    """Their calls are not ECS's, and a run that is cut short by its tasks has seen to them."""
    world.vault.put(PARAMETER, "a token")
    world.most = 0
    report = world.run()
    assert (report.stopped, report.counts["parameters"]) == ("limit", 1)


IDS = [f"{number:064x}" for number in range(3)]
ARNS = [f"arn:aws:ecs:us-east-1:123456789012:task/default/{number:032x}" for number in range(6)]
INSTANTS = st.integers(0, 1200).map(lambda seconds: NOW - timedelta(seconds=seconds))
RECORDS = st.builds(
    lambda state, generation, task_arn, given_up, instants, code: replace(
        exited(),
        state=state,
        generation=generation,
        task_arn=task_arn,
        created_at=instants[0],
        updated_at=instants[1],
        launches=tuple(Launch(instants[2], UNREACHABLE, arn) for arn in given_up if arn != task_arn),
        error=replace(UNREACHABLE, code=code),
    ),
    st.sampled_from(State),
    st.integers(1, 3),
    st.sampled_from([None, *ARNS]),
    st.lists(st.sampled_from(ARNS), max_size=2),
    st.tuples(INSTANTS, INSTANTS, INSTANTS),
    st.sampled_from([ErrorCode.AGENT_UNREACHABLE, ErrorCode.TASK_STOPPED]),
)
STARTED_BY = st.one_of(
    st.none(),
    st.builds(
        lambda prefix, container_id, generation: f"{prefix}/{container_id}/{generation}",
        st.sampled_from(["sockerless", "sockerless2", "ecs-svc", ""]),
        st.sampled_from([*IDS, "short"]),
        st.integers(0, 3),
    ),
)


@given(
    records=st.lists(st.none() | RECORDS, min_size=3, max_size=3),
    tasks=st.lists(st.tuples(STARTED_BY, INSTANTS), min_size=6, max_size=6),
    keep=st.booleans(),
)
def test_nothing_that_is_wanted_is_ever_stopped(
    records: list[Record | None], tasks: list[tuple[str | None, datetime]], keep: bool
) -> None:
    """No task that a live record names, none of another prefix, none younger than the grace, none that is kept."""
    world = Cluster()
    known = {name: replace(record, container_id=name) for name, record in zip(IDS, records, strict=True) if record}
    for record in known.values():
        world.store.put_item(to_item(record))
    for number, (started_by, created_at) in enumerate(tasks):
        assert world.task(number, started_by, created_at) == ARNS[number]

    report = world.run(Policy(keep_unreachable=keep))

    assert report.errors == {}
    assert report.counts["leaked"] == len(world.stopped())
    for arn in world.stopped():
        started_by, created_at = tasks[ARNS.index(arn)]
        prefix, container_id, generation = (started_by or "").split("/")
        assert prefix == "sockerless"
        assert NOW - created_at >= GRACE
        owner = known.get(container_id)
        if owner is not None and owner.generation == int(generation):
            assert owner.state.ended or owner.task_arn not in {None, arn} or owner.gave_up(arn)
            if keep and owner.task_arn == arn:
                assert owner.error is not None
                assert owner.error.code is not ErrorCode.AGENT_UNREACHABLE


# --- parameters -------------------------------------------------------------------------------------------------

PARAMETER = f"/sockerless/{CONTAINER_ID}/1/token"


@pytest.mark.parametrize(
    ("record", "left"),
    [
        (pending(token_parameter=PARAMETER), True),
        (ended(token_parameter=PARAMETER), True),  # its deletion is pending by the record
        (ended(), False),
        (pending(generation=2, token_parameter=PARAMETER.replace("/1/", "/2/")), False),
        (None, False),
    ],
)
def test_a_parameter_that_no_record_names_is_deleted(world: Cluster, record: Record | None, left: bool) -> None:
    """A start that died after its container had ended put it there: it holds a token."""
    world.vault.put(PARAMETER, "a token")
    if record is not None:
        world.store.put_item(to_item(record))

    assert world.run().counts["parameters"] == (0 if left else 1)
    assert (PARAMETER in world.vault.tokens) is left


def test_a_young_parameter_may_still_be_named(world: Cluster) -> None:
    """And one that is not ours is not ours to delete."""
    foreign = ("/sockerless/database/password", f"/sockerless/{CONTAINER_ID}/1/other", f"/other/{CONTAINER_ID}/1/token")
    for name in foreign:
        world.vault.put(name, "a secret")
    world.vault.clock = lambda: NOW - GRACE + timedelta(milliseconds=1)
    world.vault.put(PARAMETER, "a token")

    assert world.run().counts["parameters"] == 0
    assert set(world.vault.tokens) == {*foreign, PARAMETER}


def test_a_parameter_of_an_unreadable_item_is_left_alone(world: Cluster) -> None:
    """Another version of this program may know it."""
    world.vault.put(PARAMETER, "a token")
    world.store.put_item({**to_item(ended()), "state": "levitating"})

    assert world.run().counts["parameters"] == 0
    assert PARAMETER in world.vault.tokens
