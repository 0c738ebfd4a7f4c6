"""Starting, stopping and reconciling, with everything around them in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.control.reconciler import reconcile
from core.model.errors import CallFailed, Refused
from core.model.facts import StopRequested
from core.model.failure import Cause, ErrorCode
from core.model.parts import Logs
from core.model.record import Record
from core.model.state import State
from core.ports import RevisionConflict
from core.storage.item import to_item
from tests.factories import (
    ADDRESS,
    CLUSTER,
    CONTAINER_ID,
    POLICY,
    REF,
    SETTINGS,
    TASK,
    at,
    event,
    exited,
    observed,
    passed,
    pending,
    silent,
)
from tests.fakes import MemoryStore
from tests.records import exited as exited_record
from tests.world import World

REFUSED = CallFailed(
    "RunTask", "Failure", "Capacity is unavailable at this time.", cause=Cause.CAPACITY, transient=True
)
UNKNOWN = CallFailed("RunTask", "ReadTimeoutError", "Read timed out.", transient=True, uncertain=True)


class Died(Exception):
    """The function's process is gone."""


@pytest.fixture
def world() -> World:
    return World()


def started(world: World) -> Record:
    """A start whose task has sent its first event."""
    return world.settle(observed(2, "PENDING", task_arn=world.start().task_arn)).record


# --- starting ---------------------------------------------------------------------------------------------------


def test_a_start_without_an_agent_image_leaves_nothing_behind(world: World) -> None:
    """It is refused before anything is written: no item, no task definition, no task."""
    world.settings = replace(SETTINGS, agent_image=None)
    with pytest.raises(Refused, match="no agent image"):
        world.start()
    assert world.store.load(CONTAINER_ID) is None
    assert (world.ecs.definitions, world.ecs.tasks) == ({}, {})


def test_labels_that_are_no_tags_are_told(world: World) -> None:
    """By name; the container starts all the same."""
    record = world.start({**event("start-container"), "labels": {"team": "red", "note": "two\nlines"}})
    assert record.task_arn in world.ecs.tasks
    assert world.observer.left_out == [(CONTAINER_ID, ("note",))]


def test_labels_are_recorded_as_requested(world: World) -> None:
    """Whatever AWS takes of them as tags; the next start's take their place."""
    labels = {"team": "red", "note": "two\nlines", "debug": ""}
    assert world.start({**event("start-container"), "labels": labels}).labels == labels
    world.store.put_item(to_item(exited_record(revision=9, labels=labels)))
    assert world.start().labels == {}


def test_where_the_output_goes_is_recorded(world: World) -> None:
    """The group of the request or the stack at the start, the stream with the task; without a group, nothing."""
    assert world.start().logs is None
    world.settings = replace(
        SETTINGS, execution_role_arn="arn:aws:iam::123456789012:role/execution", task_log_group="/tasks"
    )
    for log, group, prefix in ((None, "/tasks", "sockerless"), ({"group": "/a", "stream_prefix": "b"}, "/a", "b")):
        world.store.put_item(to_item(exited_record(revision=9)))
        record = world.start({**event("start-container"), "log": log})
        task = str(record.task_arn).rpartition("/")[2]
        assert record.logs == Logs(group, prefix, f"{prefix}/main/{task}")
    world.ecs.refusals["run"] = [replace(REFUSED, transient=False)]
    world.store.put_item(to_item(exited_record(revision=9)))
    with pytest.raises(Refused):
        world.start()
    assert world.record().logs == Logs("/tasks", "sockerless")


def test_labels_that_are_tags_are_nobodys_news(world: World) -> None:
    """Nothing is reported of a start that kept them all."""
    world.start({**event("start-container"), "labels": {"team": "red"}})
    assert world.observer.left_out == []


def test_a_start_records_registers_and_runs(world: World) -> None:
    """One definition, one RunTask, one pending item with a token; the answer has the task's ARN."""
    record = world.start()

    assert world.ecs.calls == ["run", "register", "run"]
    assert (record.state, record.generation, record.task_arn) == (State.PENDING, 1, next(iter(world.ecs.tasks)))
    assert record.agent_token == f"{1:064x}"
    saved = world.record()
    assert (saved.revision, saved.agent_token, saved.task_arn) == (1, record.agent_token, None)


def test_the_first_event_writes_the_task(world: World) -> None:
    """Of a start that was not disturbed; its own write would say no more."""
    record = world.start()
    settled = world.settle(observed(3, task_arn=record.task_arn))
    assert (settled.record.revision, settled.record.task_arn) == (2, record.task_arn)
    assert settled.record.launching is None


def test_a_stop_during_run_task_is_carried_out_by_the_start(world: World) -> None:
    """It found no task; the start finds it in the record, and writes."""
    run = world.ecs.run

    def stopped_meanwhile(request: dict[str, Any]) -> Any:
        world.ecs.run = run  # type: ignore[method-assign]
        world.stop()
        return run(request)

    world.ecs.run = stopped_meanwhile  # type: ignore[method-assign]
    record = world.start()
    assert [arn for arn, _ in world.ecs.stopped] == [record.task_arn]
    assert (world.record().task_arn, world.record().stop_requested) == (record.task_arn, True)


def test_a_start_that_is_asked_for_again_is_the_same_task(world: World) -> None:
    """The second one finds the first one's, and saves it, without RunTask: from then on the container runs."""
    first = world.start()
    world.ecs.calls.clear()
    second = world.start()
    assert (second.task_arn, world.ecs.calls) == (first.task_arn, ["find", "describe"])
    with pytest.raises(Refused, match="pending in generation 1"):
        world.start()


def test_a_second_start_that_is_refused_does_not_fail_the_first(world: World) -> None:
    """IAM's refusal comes before ECS reads the client token: the task is looked for before RunTask is called."""
    first = world.start()
    world.clock.advance(2 * POLICY.start_lifetime)
    world.ecs.refusals["run"] = [CallFailed("RunTask", "AccessDeniedException", "no", cause=Cause.PERMISSION)]
    assert world.start().task_arn == first.task_arn
    assert world.record().error is None


def test_a_refused_request_writes_and_starts_nothing(world: World) -> None:
    """The reason names the fields; the table and ECS are untouched."""
    with pytest.raises(Refused) as refused:
        world.start(event("start-container-refused"))

    assert refused.value.failure.code is ErrorCode.INVALID_REQUEST
    assert world.ecs.calls == []
    assert world.store.item(CONTAINER_ID[:12]) is None


def test_a_task_that_cannot_be_looked_for_is_asked_for_again(world: World) -> None:
    """Its client token makes it the same task."""
    first = world.start()
    world.ecs.refusals["find"] = [CallFailed("ListTasks", "ThrottlingException", "Rate exceeded", transient=True)]
    assert world.start().task_arn == first.task_arn
    assert len(world.ecs.tasks) == 1


def test_a_running_container_is_not_started_again(world: World) -> None:
    """The refusal names its state."""
    started(world)

    with pytest.raises(Refused, match="pending in generation 1") as refused:
        world.start()

    assert refused.value.failure.code is ErrorCode.ALREADY_RUNNING
    assert len(world.ecs.tasks) == 1


def test_an_ended_container_starts_anew(world: World) -> None:
    """A new generation, a new token, a new task."""
    first = world.start()
    world.settle(observed(5, "STOPPED", "STOPPED", task_arn=first.task_arn))
    assert world.record().state.ended

    second = world.start()

    assert (second.generation, second.state, second.task_version, second.error) == (2, State.PENDING, 0, None)
    assert second.task_arn != first.task_arn
    assert second.agent_token != first.agent_token


def numbered(generation: int, **members: object) -> dict[str, Any]:
    return {**event("start-container"), "generation": generation, **members}


def test_a_start_of_a_generation_is_repeated_after_its_end(world: World) -> None:
    """The job has run and exited before the repeated start: the answer is its end, and it does not run twice."""
    first = world.start(numbered(1))
    world.settle(exited(5, "STOPPED", task_arn=first.task_arn))
    ended = world.record()
    assert ended.state is State.STOPPED

    assert world.start(numbered(1)) == ended
    assert (world.record(), list(world.ecs.tasks)) == (ended, [first.task_arn])


def test_a_start_of_a_generation_is_repeated_while_it_runs(world: World) -> None:
    """The answer is its record, not AlreadyRunning: with the task that ECS shows, or as an event has written it."""
    first = world.start(numbered(1))
    assert world.start(numbered(1)).task_arn == first.task_arn
    world.settle(observed(2, "PENDING", task_arn=first.task_arn))
    assert world.start(numbered(1)) == world.record()
    assert list(world.ecs.tasks) == [first.task_arn]


def test_a_start_of_a_generation_that_failed_is_answered_with_its_error(world: World) -> None:
    """Another try is another generation."""
    first = world.start(numbered(1))
    world.settle(observed(2, task_arn=first.task_arn))
    world.write(silent(63), passed(64))
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            world.start(numbered(1))
        assert refused.value.failure.code is ErrorCode.AGENT_UNREACHABLE
    assert world.start(numbered(2)).generation == 2
    assert len(world.ecs.tasks) == 2


def test_the_first_start_of_a_generation_makes_it(world: World) -> None:
    """One more than the item's, or any above it: an item that its time to live took is no reason to count anew."""
    assert world.start(numbered(7)).generation == 7
    assert world.record().generation == 7


@pytest.mark.parametrize("of_the_item", [1, 3])
def test_an_item_past_its_time_to_live_has_begun_nothing(world: World, of_the_item: int) -> None:
    """For its readers it is gone, so generation 1 is a new container's, as when DynamoDB has removed the item."""
    first = world.start(numbered(of_the_item))
    world.settle(exited(5, "STOPPED", generation=of_the_item, task_arn=first.task_arn))
    assert world.start(numbered(of_the_item)).state is State.STOPPED
    world.clock.advance(2 * world.policy.retention)

    second = world.start(numbered(1))

    assert (second.state, second.generation, second.expires_at) == (State.PENDING, 1, None)
    assert len(world.ecs.tasks) == 2


@pytest.mark.parametrize("begin", [started, World.start])
def test_a_live_container_is_not_started_by_a_greater_generation(
    world: World, begin: Callable[[World], Record]
) -> None:
    """Its task runs, or may run: nothing of another generation is the answer."""
    begin(world)
    with pytest.raises(Refused, match="pending in generation 1"):
        world.start(numbered(2))
    assert len(world.ecs.tasks) == 1


@pytest.mark.parametrize(
    ("again", "code", "says"),
    [
        (numbered(1), ErrorCode.INVALID_REQUEST, "generation: 1 is over, the container is in 2"),
        (numbered(2, cmd=["migrate"]), ErrorCode.ALREADY_RUNNING, "in generation 2 with another request"),
    ],
)
def test_a_start_that_cannot_be_a_repeated_one(world: World, again: dict[str, Any], code: ErrorCode, says: str) -> None:
    """Of a generation that is over, or of one that another request has started: it gets no other start's answer."""
    first = world.start(numbered(1))
    world.settle(exited(5, "STOPPED", task_arn=first.task_arn))
    world.settle(observed(2, "PENDING", generation=2, task_arn=world.start(numbered(2)).task_arn))
    with pytest.raises(Refused, match=says) as refused:
        world.start(again)
    assert refused.value.failure.code is code
    assert len(world.ecs.tasks) == 2


@pytest.mark.parametrize("died_at", ["register", "run"])
def test_a_start_that_died_goes_on_where_it_broke_off(world: World, died_at: str) -> None:
    """Same generation, same token, same client token: one task, whatever the first try achieved."""
    world.ecs.refusals[died_at] = [Died()]
    with pytest.raises(Died):
        world.start()
    before = world.record()

    after = world.start()

    assert (after.generation, after.agent_token) == (before.generation, before.agent_token)
    assert len(world.ecs.tasks) == 1


def test_a_start_that_died_after_run_task_starts_nothing_twice(world: World) -> None:
    """RunTask succeeded, the ARN was never saved: the client token finds the task again."""
    world.start()
    item = to_item(replace(world.record(), task_arn=None, task_definition_arn=None))
    world.store.put_item(item)

    record = world.start()

    assert record.task_arn == next(iter(world.ecs.tasks))
    assert len(world.ecs.tasks) == 1


def test_two_starters_at_once_share_one_record(world: World) -> None:
    """The second one meets the first one's item and goes on with it."""

    class Overtaken(MemoryStore):
        def save(self, record: Record) -> None:
            if self.load(record.container_id) is None:
                super().save(replace(record, agent_token="ff" * 32, launching=None))
            super().save(record)

    world.store = Overtaken()

    assert world.start().agent_token == "ff" * 32


def test_a_launch_that_aws_refused_fails_with_its_cause(world: World) -> None:
    """`failures` with an empty `tasks` is an answer, not a crash."""
    world.ecs.refusals["run"] = [REFUSED] * POLICY.launch_attempts

    with pytest.raises(Refused) as refused:
        world.start()

    record = world.record()
    assert refused.value.failure == record.error
    assert record.error is not None
    assert (record.state, record.error.code, record.error.cause) == (
        State.FAILED,
        ErrorCode.LAUNCH_FAILED,
        Cause.CAPACITY,
    )
    assert (record.agent_token, record.watch) == (None, None)


def test_a_refusal_after_another_starters_success_is_no_failure(world: World) -> None:
    """The other one's task is there: the record is not failed, and the caller learns that it runs."""
    original = world.ecs.run

    def run(request: dict[str, Any]) -> Any:
        world.ecs.run = original  # type: ignore[method-assign]
        world.start()
        raise REFUSED

    world.ecs.run = run  # type: ignore[method-assign]

    with pytest.raises(Refused) as refused:
        world.start()

    assert refused.value.failure.code is ErrorCode.ALREADY_RUNNING
    assert world.record().state is State.PENDING


def test_a_start_whose_definition_was_retired_registers_it_again(world: World) -> None:
    """RunTask says that it is gone, having started nothing, and is called once more."""
    first = world.start().task_definition_arn
    assert first is not None
    world.ecs.retired.add(first)
    world.ecs.calls.clear()
    world.clock.advance(60)

    record = world.start(event("start-container") | {"container_id": "e" * 64})

    assert world.ecs.calls == ["run", "register", "run"]
    assert (record.attempt, record.task_definition_arn) == (1, first.removesuffix(":1") + ":2")
    assert len(world.ecs.tasks) == 2


# --- stopping ---------------------------------------------------------------------------------------------------


def test_a_stop_asks_ecs_with_the_reason(world: World) -> None:
    """The item ends by the events, not by the request."""
    task = world.start().task_arn

    record = world.stop()

    assert world.ecs.stopped == [(task, "the backend asked for it")]
    assert record.state is State.PENDING
    assert record.stopping


def test_a_stop_is_idempotent(world: World) -> None:
    """A second request repeats StopTask, which ECS takes, and writes nothing; an ended container stays as it is."""
    first = started(world)
    world.stop()
    saved = world.record()
    world.stop()
    assert (len(world.ecs.stopped), world.record()) == (2, saved)

    world.settle(observed(5, "STOPPED", "STOPPED", task_arn=first.task_arn))
    assert world.stop().state is State.FAILED
    assert len(world.ecs.stopped) == 2


def test_a_stop_is_one_write(world: World) -> None:
    """It says that the stop is requested and the task is stopping; that ECS takes StopTask comes with the end."""
    before = started(world)
    stopped = world.stop()
    saved = world.record()
    assert saved.revision == before.revision + 1
    assert (saved.stopping, saved.stop_requested, saved.stop_confirmed) == (True, True, False)
    assert stopped.stop_confirmed

    shown: dict[str, Any] = {"task_arn": before.task_arn, "stop_code": "UserInitiated", "started_at": None}
    task = world.settle(observed(4, "DEACTIVATING", "STOPPED", **shown))
    assert (task.record.stop_confirmed, world.record(), len(world.ecs.stopped)) == (True, saved, 1)


def test_a_stop_looks_for_a_task_that_ecs_does_not_show_yet(world: World) -> None:
    """RunTask has just answered: within seconds the task is found, and stopped."""
    task = world.start().task_arn
    views = iter([(), (), (task,)])
    world.ecs.find = lambda *_, stopped=False: () if stopped else next(views)  # type: ignore[method-assign, assignment]
    assert world.stop().task_arn == task
    assert ([arn for arn, _ in world.ecs.stopped], world.clock.slept) == ([task], [0.5, 1.0])


def test_a_stop_of_a_start_that_never_asked_waits_for_nothing(world: World) -> None:
    """No task can be on its way."""
    world.store.put_item(to_item(pending(cluster_arn=CLUSTER)))
    world.stop()
    assert world.clock.slept == []


def test_an_unknown_container_is_not_found(world: World) -> None:
    """A normal answer with an error, and nothing is written."""
    with pytest.raises(Refused) as refused:
        world.stop(event("stop-container-unknown"))

    assert refused.value.failure.code is ErrorCode.NOT_FOUND


def test_a_stop_finds_the_task_whose_arn_was_never_saved(world: World) -> None:
    """Adopted through startedBy, then stopped."""
    task = world.start().task_arn
    world.store.put_item(to_item(replace(world.record(), task_arn=None)))

    record = world.stop()

    assert (record.task_arn, world.ecs.stopped[0][0]) == (task, task)


def test_a_stop_before_run_task_is_kept_for_the_start(world: World) -> None:
    """A start that comes after it is refused."""
    world.store.put_item(to_item(pending(cluster_arn=CLUSTER)))
    assert world.stop().stop is not None
    assert world.ecs.stopped == []

    with pytest.raises(Refused, match="pending"):
        world.start()


def test_a_reported_exit_ends_the_container_at_once(world: World) -> None:
    """With the agent's code, and StopTask for the agent that may stay."""
    started(world)
    record = world.stop(event("stop-container-exited"))
    assert record.stop is not None
    assert (record.state, record.stop.exit_code, record.stop.requested) == (State.STOPPED, 7, False)
    assert [arn for arn, _ in world.ecs.stopped] == [record.task_arn]


def test_a_reported_exit_without_a_task_is_a_stop(world: World) -> None:
    """Nothing can have exited, so the end is only requested."""
    world.store.put_item(to_item(pending(cluster_arn=CLUSTER)))
    record = world.stop({"container_id": CONTAINER_ID, "exit_code": 0, "generation": 1})
    assert (record.state, record.stop_requested) == (State.PENDING, True)


@pytest.mark.parametrize("more", [{}, {"exit_code": 7}])
def test_a_stop_of_an_older_generation_changes_nothing(world: World, more: dict[str, int]) -> None:
    """A report that arrives after a restart is not about the container that runs now."""
    before = started(world)
    assert world.stop({"container_id": CONTAINER_ID, "generation": 2, **more}) == before


def test_an_exit_whose_generation_nobody_names_is_refused(world: World) -> None:
    """It may be late, and then it would end the generation that runs, with the code of another."""
    before = started(world)
    with pytest.raises(Refused, match="generation: is required with exit_code"):
        world.stop({"container_id": CONTAINER_ID, "exit_code": 7})
    assert (world.record(), world.ecs.stopped) == (before, [])


def test_a_stop_that_cannot_ask_for_the_task_is_recorded_all_the_same(world: World) -> None:
    """The error goes to the caller; the reconciler finds the task, and stops it."""
    world.store.put_item(to_item(pending(cluster_arn=CLUSTER)))
    world.ecs.refusals["find"] = [CallFailed("ListTasks", "ThrottlingException", "Rate exceeded")]
    with pytest.raises(CallFailed, match="ListTasks"):
        world.stop()
    assert world.record().stop_requested


def test_a_strangers_task_is_not_taken(world: World) -> None:
    """ListTasks may lag, but DescribeTasks shows whose a task is."""
    arn = world.start().task_arn
    assert arn is not None
    world.store.put_item(to_item(replace(world.record(), task_arn=None)))
    describe = world.ecs.describe

    def foreign(cluster: str, task_arns: Any) -> Any:
        world.ecs.tasks[arn]["startedBy"] = "ecs-svc/1"
        return describe(cluster, task_arns)

    world.ecs.describe = foreign  # type: ignore[method-assign]
    assert world.stop().task_arn is None


# --- reconciling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["RUNNING", "STOPPED"])
def test_a_task_that_the_item_names_is_its_own(world: World, status: str) -> None:
    """Also after StartedByPrefix was changed: its end is not silence."""
    arn = started(world).task_arn
    assert arn is not None
    world.settings = replace(SETTINGS, started_by_prefix="another")
    world.ecs.walk(arn, status)
    world.ecs.walk(arn, status)
    world.clock.advance(61)

    report = world.reconcile()

    assert (report.counts["healed"], dict(report.errors)) == (1, {})
    assert world.record().state.ended is (status == "STOPPED")


def test_what_is_tried_in_vain_is_tried_more_and_more_rarely(world: World) -> None:
    """And no write of such a try makes the next one due: the table's stream would begin it at once."""
    record = started(world)
    world.settle(observed(3, task_arn=record.task_arn))
    denied = CallFailed("StopTask", "AccessDeniedException", "not authorized")
    world.ecs.refusals["stop"] = [denied] * 100
    with pytest.raises(CallFailed, match="StopTask"):
        world.stop({"container_id": CONTAINER_ID, "generation": 1, "exit_code": 0})
    ended, waits = world.clock.now(), []
    for _ in range(12):
        world.clock.advance(0.001)
        reconcile(world, lambda: 60.0, [CONTAINER_ID])
        due = world.record().check_at
        assert due is not None
        assert due > world.clock.now()
        waits.append((due - world.clock.now()).total_seconds())
        world.clock.advance(waits[-1])
    assert waits == sorted(waits)
    assert (world.clock.now() - ended).total_seconds() > 600


def test_a_lost_running_event_is_healed(world: World) -> None:
    """What DescribeTasks shows goes through the same fold, and the probe is sent."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.walk(arn, "RUNNING")
    world.clock.advance(61)

    report = world.reconcile()

    assert (report.counts["due"], report.counts["healed"], report.errors) == (1, 1, {})
    assert (world.record().state, world.record().agent_address) == (State.ENI_RESOLVED, ADDRESS)
    assert len(world.queue.sent) == 1


def test_a_lost_probe_is_sent_again(world: World) -> None:
    """The message is gone: the reconciler finds it still pending."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.walk(arn, "RUNNING")
    world.clock.advance(61)
    world.reconcile()
    world.queue.sent.clear()
    world.clock.advance(31)

    world.reconcile()

    assert world.queue.sent == [(CONTAINER_ID, 1, ADDRESS)]


def test_a_lost_stopped_event_is_healed(world: World) -> None:
    """Also of a container that has long been healthy."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.walk(
        arn,
        "STOPPED",
        desiredStatus="STOPPED",
        containers=[{"name": "main", "lastStatus": "STOPPED", "exitCode": 0}],
    )
    world.clock.advance(61)

    world.reconcile()

    assert world.record().state is State.STOPPED


def test_a_record_without_a_task_is_adopted_or_failed(world: World) -> None:
    """Through ListTasks by startedBy; when there is none, the start died before RunTask."""
    world.start()
    world.store.put_item(to_item(replace(world.record(), task_arn=None)))
    orphan = "c" * 64
    world.store.put_item(to_item(pending(container_id=orphan, check_at=at(0))))
    world.clock.advance(61)

    world.reconcile()

    assert world.record().task_arn == next(iter(world.ecs.tasks))
    error = world.record(orphan).error
    assert error is not None
    assert error.code is ErrorCode.LAUNCH_FAILED


def test_a_start_timeout_ends_the_record_and_the_task(world: World) -> None:
    """300 s from pending to RUNNING."""
    arn = world.start().task_arn
    for _ in range(5):
        world.clock.advance(60)
        world.reconcile()

    error = world.record().error
    assert error is not None
    assert error.code is ErrorCode.START_TIMEOUT
    assert [one for one, _ in world.ecs.stopped] == [arn]


def test_an_unreachable_task_is_stopped_once(world: World) -> None:
    """The prober's verdict leaves the stop to the reconciler; the next run has nothing pending."""
    world.store.put_item(to_item(pending(task_arn=TASK)))
    world.write(observed(3))
    world.write(silent())
    world.ecs.tasks[TASK] = {
        "taskArn": TASK,
        "startedBy": f"sockerless/{CONTAINER_ID}/1",
        "version": 3,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
    }
    world.clock.advance(71)

    world.reconcile()
    world.reconcile()

    assert len(world.ecs.stopped) == 1


@pytest.mark.parametrize("operation", ["describe", "find"])
def test_a_call_that_failed_changes_nothing_and_is_retried(world: World, operation: str) -> None:
    """A failed call proves nothing; in particular it is no reason for a time-out."""
    world.start()
    if operation == "find":
        world.store.put_item(to_item(replace(world.record(), task_arn=None)))
    before = world.record()
    world.clock.advance(400)
    world.ecs.refusals[operation] = [CallFailed(operation, "ThrottlingException", "Rate exceeded", transient=True)]

    report = world.reconcile()

    assert (world.record(), report.errors) == (before, {"CallFailed": 1})
    assert world.reconcile().errors == {}
    assert world.record() != before


def test_one_broken_item_hides_no_other(world: World) -> None:
    """It is reported, left as it is, and the rest of the page is worked through."""
    world.start()
    broken = {**to_item(pending(container_id="d" * 64)), "state": "levitating"}
    world.store.put_item(broken)
    world.clock.advance(61)

    report = world.reconcile()

    assert report.errors == {"UnreadableRecord": 1}
    assert world.record().check_at == at(121)
    assert world.store.item("d" * 64) == broken


def test_an_unusable_description_is_told_and_skipped(world: World) -> None:
    """A task document without a version cannot be ordered."""
    arn = world.start().task_arn
    assert arn is not None
    del world.ecs.tasks[arn]["version"]
    world.clock.advance(61)

    assert world.reconcile().errors == {"MalformedEvent": 1}


def test_a_hundred_tasks_a_call(world: World) -> None:
    """DescribeTasks takes 100 ARNs."""
    for number in range(250):
        record = pending(container_id=f"{number:064x}", task_arn=f"{TASK}{number}", check_at=at(0), watch="shard-0")
        world.store.put_item(to_item(record))
    world.clock.advance(61)

    report = world.reconcile()

    assert (report.counts["due"], world.ecs.calls.count("describe")) == (250, 3)


def test_what_the_index_still_shows_but_is_not_due_is_left_alone(world: World) -> None:
    """The index is eventually consistent."""
    world.start()

    class Lagging(MemoryStore):
        def due(self, shard: str, until: Any) -> Any:
            return iter([CONTAINER_ID] if shard == "shard-1" else [])

    lagging = Lagging(world.record())
    world.store = lagging

    assert world.reconcile().counts["due"] == 0
    assert world.ecs.calls.count("describe") == 0


def test_a_run_ends_when_its_time_is_up(world: World) -> None:
    """What is left stays due."""
    world.start()
    world.clock.advance(61)

    assert world.reconcile(time_left=lambda: -1.0).counts["due"] == 0


def test_a_stop_that_was_refused_is_repeated_by_the_reconciler(world: World) -> None:
    """Recorded first: the request is not lost with the call."""
    world.start()
    world.ecs.refusals["stop"] = [CallFailed("StopTask", "ThrottlingException", "Rate exceeded", transient=True)]
    with pytest.raises(CallFailed):
        world.stop()
    world.clock.advance(61)

    world.reconcile()

    assert len(world.ecs.stopped) == 1


def test_an_action_that_fails_in_the_reconciler_is_told(world: World) -> None:
    """One refused call stops nothing but itself."""
    world.start()
    world.ecs.refusals["stop"] = [REFUSED, REFUSED]
    asked = StopRequested(ref=REF, at=at(1), reason="enough")
    world.write(asked)
    world.clock.advance(61)

    assert world.reconcile().errors == {"CallFailed": 1}
    assert [type(error) for error in world.observer.failures] == [CallFailed]


def test_a_start_whose_write_met_itself_goes_on(world: World) -> None:
    """The SDK repeats a write whose answer was lost: the conflict is with our own record."""

    class Repeating(MemoryStore):
        def save(self, record: Record) -> None:
            super().save(record)
            if record.revision == 1:
                raise RevisionConflict(record.container_id, record)

    world.store = Repeating()

    assert world.start().agent_token == f"{1:064x}"


def test_a_table_that_cannot_be_read_stops_only_what_it_hides(world: World) -> None:
    """One shard's query and one page's read are reported; the run ends with a report."""
    throttled = CallFailed("Query", "ThrottlingException", "Rate exceeded", transient=True)

    class Moody(MemoryStore):
        def due(self, shard: str, until: Any) -> Any:
            if shard == "shard-0":
                raise throttled
            yield from super().due(shard, until)

        def load_many(self, container_ids: Any) -> Any:
            raise throttled

    world.start()
    world.store = Moody(world.record())
    world.clock.advance(61)

    assert world.reconcile().errors == {"CallFailed": 2}


def test_the_time_outs_of_a_request_are_recorded(world: World) -> None:
    """The first check comes in time for the shorter one."""
    record = world.start({**event("start-container"), "health_timeout": 5, "start_timeout": 30})

    assert (record.health_timeout, record.start_timeout, record.check_at) == (5, 30, at(30))
