"""Two starts of one container at once, lost answers, and functions that die: one task, and one record that names it.

Each test is a schedule that was found by exploring the control plane from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.control.settle import settle
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.task_documents import observe_description
from core.model.actions import StopTask
from core.model.errors import CallFailed, Refused
from core.model.facts import AgentAnswered, Fact, TaskObserved
from core.model.failure import Cause, ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.ports import Described, Launched, Loaded
from tests.factories import (
    ADDRESS,
    CONTAINER_ID,
    POLICY,
    REF,
    TASK,
    answered,
    at,
    event,
    exited,
    observed,
    passed,
    pending,
    silent,
)
from tests.fakes import MemoryStore
from tests.unit.core.control.test_start_and_stop import REFUSED, UNKNOWN, Died
from tests.world import NONE, World

REQUEST = event("start-container")
STOP_THROTTLED = CallFailed("StopTask", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)


class Around:
    """ECS with one operation replaced."""

    def __init__(self, world: World, **replaced: Callable[..., Any]) -> None:
        self._ecs = world.ecs
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ecs, name)


class Before(MemoryStore):
    """A table in which something else happens just before one of the writes."""

    def __init__(self, inner: MemoryStore, when: Callable[[Record], bool], happens: Callable[[], object]) -> None:
        self._inner, self._when, self._happens = inner, when, happens

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        return self._inner.load(container_id)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        return self._inner.load_many(container_ids)

    def save(self, record: Record) -> None:
        if self._when(record):
            self._when = lambda _: False
            self._happens()
        self._inner.save(record)


@pytest.fixture
def world() -> World:
    return World()


def running(world: World) -> list[str]:
    return [arn for arn, task in world.ecs.tasks.items() if task["desiredStatus"] == "RUNNING"]


def seen(world: World, task_arn: str) -> TaskObserved:
    fact = observe_description(world.ecs.tasks[task_arn], prefix="sockerless", at=world.clock.now())
    assert isinstance(fact, TaskObserved)
    return fact


def with_ecs(world: World, ecs: Any, start: Callable[[], Record]) -> Record:
    """Starts while ECS is another one."""
    usual, world.ecs = world.ecs, ecs
    try:
        return start()
    finally:
        world.ecs = usual


def lost(world: World) -> Around:
    """RunTask takes effect, and the function dies before the answer."""

    def run(request: dict[str, Any]) -> Launched:
        usual.run(request)
        raise Died

    usual = world.ecs
    return Around(world, run=run)


def test_a_refusal_of_another_call_says_nothing_about_an_earlier_run_task(world: World) -> None:
    """RunTask took effect and was not answered; what the retry needs before it is refused: no second launch."""
    request = {**REQUEST, "token_delivery": "ssm"}
    world.settings = replace(world.settings, execution_role_arn="arn:aws:iam::123456789012:role/x")
    with pytest.raises(Died):
        with_ecs(world, lost(world), lambda: world.start(request))

    class Throttled:
        def put(self, name: str, token: str) -> None:
            raise CallFailed("PutParameter", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED)

    vault, world.vault = world.vault, Throttled()  # type: ignore[assignment]
    with pytest.raises(CallFailed) as caught:
        with_ecs(world, Around(world, find=lambda *_, stopped=False: ()), lambda: world.start(request))
    world.vault = vault

    assert caught.value.uncertain
    assert (world.record().state, world.record().attempt) == (State.PENDING, 1)
    assert [world.start(request).task_arn] == list(world.ecs.tasks)


def test_a_slow_start_does_not_overwrite_a_quicker_ones_generation(world: World) -> None:
    """Both find generation 1 ended and its StopTask pending. The slower one decides anew after it has settled that."""
    first = world.start().task_arn
    assert first is not None
    world.ecs.walk(first, "RUNNING")
    world.settle(seen(world, first))
    world.write(silent(61), passed(62))
    assert world.record().state is State.FAILED

    def quick() -> None:
        second = world.start().task_arn
        assert second is not None
        world.ecs.walk(second, "RUNNING", ip="10.0.1.99")
        world.settle(seen(world, second))
        world.settle(answered(70, "10.0.1.99:9111", generation=2))

    usual = world.store
    world.store = Before(usual, lambda record: record.generation == 1, quick)
    with pytest.raises(Refused, match="agent-healthy in generation 2") as refused:
        world.start()

    assert refused.value.failure.code is ErrorCode.ALREADY_RUNNING
    assert (world.record().state, world.record().agent_address) == (State.AGENT_HEALTHY, "10.0.1.99:9111")


def test_a_refusal_is_not_the_last_word_while_another_start_asks(world: World) -> None:
    """One is refused for capacity, the other's RunTask is taken a moment later: no second launch beside it."""
    outcome: dict[str, Any] = {}
    usual = world.ecs

    def run(request: dict[str, Any]) -> Launched:
        usual.refusals["run"] = [REFUSED]
        world.ecs = usual
        with pytest.raises(CallFailed) as caught:
            world.start()
        outcome["other"] = caught.value
        return usual.run(request)

    usual.definitions.update(_definitions())
    record = with_ecs(world, Around(world, run=run), world.start)

    assert outcome["other"].uncertain
    assert (record.attempt, running(world)) == (1, [record.task_arn])


def _definitions() -> dict[str, str]:
    other = World()
    other.start()
    return other.ecs.definitions


def test_a_stop_that_was_asked_for_stays_owed_whatever_is_kept(world: World) -> None:
    """StopTask was throttled, then the agent's silence is pronounced, and unreachable tasks are kept."""
    keeping = Policy(keep_unreachable=True)
    task = world.start().task_arn
    assert task is not None
    world.ecs.walk(task, "RUNNING")
    world.settle(seen(world, task))
    world.ecs.refusals["stop"] = [STOP_THROTTLED]
    with pytest.raises(CallFailed):
        world.stop()
    settle(world.having(policy=keeping, performs=NONE), world.record(), silent(61), passed(62))
    assert (world.record().error, running(world)) == (None, [task]), "a task that is to stop is not asked any more"

    world.clock.advance(120)
    world.reconcile(keeping)

    assert running(world) == []


def test_a_kept_task_can_be_stopped() -> None:
    """The container has failed; its task runs on for the operator, until the backend requests its end."""
    from core.model.facts import StopRequested
    from tests.unit.core.machine.test_apply import about, fold, stale

    keeping = Policy(keep_unreachable=True)
    kept = fold(pending(task_arn=TASK), observed(3), silent(70), passed(71), policy=keeping)
    assert (kept.state, next_actions(kept, keeping)) == (State.FAILED, ())
    asked = about(StopRequested, 80, reason="enough")

    record = fold(kept, asked, policy=keeping)

    (action,) = next_actions(record, keeping)
    assert isinstance(action, StopTask)
    assert record.check_at == at(80 + keeping.probe_check)
    assert stale(kept, asked) == "the record is failed already"


def test_a_retry_at_work_is_not_failed_for_the_first_try(world: World) -> None:
    """The start died before RunTask; its repetition, a minute later, meets the minute's run."""
    world.ecs.refusals["run"] = [Died()]
    with pytest.raises(Died):
        world.start()
    world.clock.advance(60.5)
    usual = world.ecs

    def run(request: dict[str, Any]) -> Launched:
        world.ecs = usual
        world.reconcile()
        return usual.run(request)

    usual.definitions.update(_definitions())
    record = with_ecs(world, Around(world, run=run), world.start)

    assert (record.state, [record.task_arn]) == (State.PENDING, list(world.ecs.tasks))


def test_a_start_whose_record_failed_meanwhile_answers_with_the_error(world: World) -> None:
    """And its task is stopped: no backend could reach it."""
    usual = world.ecs

    def run(request: dict[str, Any]) -> Launched:
        world.ecs = usual
        world.clock.advance(400)
        world.reconcile()
        return usual.run(request)

    usual.definitions.update(_definitions())
    with pytest.raises(Refused) as refused:
        with_ecs(world, Around(world, run=run), world.start)

    assert refused.value.failure == world.record().error
    assert (world.record().state, running(world)) == (State.FAILED, [])


def test_a_parameter_that_was_put_too_late_is_deleted_again(world: World) -> None:
    """A slow duplicate start puts the token after the container has ended and its parameter was erased."""
    request = {**REQUEST, "token_delivery": "ssm"}
    world.settings = replace(world.settings, execution_role_arn="arn:aws:iam::123456789012:role/x")
    vault = world.vault

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(vault, name)

        def put(self, name: str, token: str) -> None:
            world.vault = vault
            task = world.start(request).task_arn
            world.settle(exited(5, task_arn=task))
            assert vault.tokens == {}
            vault.put(name, token)

    world.vault = Slow()  # type: ignore[assignment]
    record = world.start(request)

    assert (record.state, vault.tokens) == (State.STOPPED, {})


def test_a_task_that_ecs_does_not_know_yet_is_stopped_by_the_next_generation(world: World) -> None:
    """StopTask answers "not found" for what is so young; a new start does not forget what is pending."""
    first = world.start().task_arn
    assert first is not None
    world.ecs.unknown.add(first)
    world.settle(*_unreachable(first))
    assert isinstance(next_actions(world.record(), POLICY)[0], StopTask)

    second = world.start()
    assert [task.task_arn for task in second.unwanted_tasks] == [first]
    assert second.check_at == world.clock.now() + (at(POLICY.probe_check) - at(0))
    world.ecs.unknown.clear()
    world.clock.advance(31)
    world.reconcile()

    assert running(world) == [second.task_arn]
    assert world.record().unwanted_tasks == ()


def _unreachable(task_arn: str) -> tuple[Fact, ...]:
    """The facts that end generation 1 with a stop that ECS does not take."""
    return (observed(3, task_arn=task_arn), silent(64), passed(65))


def test_an_unwanted_task_that_ecs_never_shows_is_gone(world: World) -> None:
    """After a while "not found" is an answer."""
    another = TASK + "9"
    record = world.start()
    world.settle(observed(2, "PENDING", task_arn=record.task_arn, at=world.clock.now()))
    world.settle(observed(3, "PENDING", task_arn=another, at=world.clock.now()))
    assert world.ecs.stopped == [(another, f"One task too many of container {CONTAINER_ID}.")]

    world.ecs.unknown.add(another)
    world.settle(observed(4, "PENDING", task_arn=another, at=world.clock.now()))
    assert [task.task_arn for task in world.record().unwanted_tasks] == [another]
    world.clock.advance(POLICY.launch_check)
    world.reconcile()

    assert (world.record().unwanted_tasks, world.record().task_arn) == ((), record.task_arn)


def test_a_task_that_is_listed_is_there(world: World) -> None:
    """ListTasks shows it, DescribeTasks does not yet: the record takes it, and does not fail."""
    world.ecs.refusals["run"] = [Died()]
    with pytest.raises(Died):
        world.start()
    world.clock.advance(60.2)
    with pytest.raises(Died):
        with_ecs(world, lost(world), world.start)
    (task,) = world.ecs.tasks
    usual = world.ecs
    world.ecs = Around(world, describe=lambda _, arns: Described((), tuple(arns)))  # type: ignore[assignment]
    world.clock.advance(60)
    world.reconcile()
    world.ecs = usual

    assert (world.record().state, world.record().task_arn) == (State.PENDING, task)
    world.reconcile()
    assert world.record().task_arn == task


def test_a_task_that_was_just_accepted_is_not_lost(world: World) -> None:
    """The start waited long for its turn; DescribeTasks does not show its task at once."""
    usual = world.ecs

    def run(request: dict[str, Any]) -> Launched:
        world.clock.advance(59)
        return usual.run(request)

    usual.definitions.update(_definitions())
    task = with_ecs(world, Around(world, run=run), world.start).task_arn
    world.clock.advance(2)
    world.store.put_item({**(world.store.item(CONTAINER_ID) or {}), "check_at": "2026-11-23T10:00:00.000Z"})
    world.ecs = Around(world, describe=lambda _, arns: Described((), tuple(arns)))  # type: ignore[assignment]
    world.reconcile()

    assert (world.record().state, world.record().task_arn) == (State.PENDING, task)


def test_a_task_of_a_generation_that_is_over_is_stopped_by_its_start(world: World) -> None:
    """No record will ever name it; and no older generation changes the record of a newer one."""
    usual, second = world.ecs, []

    def run(request: dict[str, Any]) -> Launched:
        world.ecs = usual
        world.clock.advance(400)
        world.reconcile()
        second.append(world.start().task_arn)
        return usual.run(request)

    usual.definitions.update(_definitions())
    with pytest.raises(Refused, match="pending in generation 2"):
        with_ecs(world, Around(world, run=run), world.start)

    assert (world.record().generation, running(world)) == (2, second)
    assert world.record().unwanted_tasks == ()


def test_an_item_that_was_deleted_under_a_start_is_told(world: World) -> None:
    """No task runs that no record names."""
    usual = world.ecs

    def run(request: dict[str, Any]) -> Launched:
        world.store._items.clear()
        return usual.run(request)

    usual.definitions.update(_definitions())
    with pytest.raises(Refused, match="was deleted while"):
        with_ecs(world, Around(world, run=run), world.start)

    assert running(world) == []


def restart_before(world: World, task_arn: str | None, write: Callable[[Record], bool]) -> None:
    """The container, whose task this is, ends and is started anew just before the write."""
    usual = world.store

    def restarted() -> None:
        world.store = usual
        world.settle(exited(5, task_arn=task_arn))
        world.start()

    world.store = Before(usual, write, restarted)


def test_a_stop_reaches_the_generation_that_runs(world: World) -> None:
    """The container ended and was started anew between the read and the write of the request."""
    restart_before(world, world.start().task_arn, lambda record: record.stop_requested)
    record = world.stop()

    assert (record.generation, record.stop_requested) == (2, True)
    assert [task for task, _ in world.ecs.stopped] == [record.task_arn]


def test_an_exit_ends_no_generation_that_began_meanwhile(world: World) -> None:
    """The container ended and was started anew between the read and the write of its agent's report."""
    first = world.start().task_arn
    world.settle(observed(4, task_arn=first))
    restart_before(world, first, lambda record: record.state.ended)
    record = world.stop({"container_id": CONTAINER_ID, "generation": 1, "exit_code": 3})

    assert (record.generation, record.state, record.stop) == (2, State.PENDING, None)
    assert world.ecs.stopped == []


def test_a_write_that_met_itself_is_told_with_its_steps(world: World) -> None:
    """The SDK repeats a write whose answer was lost: what is compared is what was written, to the millisecond."""
    task = world.start().task_arn
    assert task is not None
    world.ecs.walk(task, "RUNNING")
    world.settle(seen(world, task))
    usual = world.store
    answer = AgentAnswered(ref=REF, at=at(5), address=ADDRESS, attempts=1)

    def written() -> None:
        folded = apply(world.record(), answer, POLICY)
        assert not isinstance(folded, Stale)
        usual.save(folded)

    settled = World(store=Before(usual, lambda _: True, written)).write(answer)

    assert [step.to for step in settled.steps] == [State.AGENT_HEALTHY]


@pytest.mark.parametrize("order", [(3, 4, 5), (3, 5, 4), (4, 3, 5), (4, 5, 3), (5, 3, 4), (5, 4, 3), (3, 5), (4, 5)])
def test_an_exit_code_that_comes_a_version_later_is_waited_for(order: tuple[int, ...]) -> None:
    """The same facts end in the same record, in any order."""
    facts = {3: observed(3), 4: exited(4, "DEPROVISIONING", exit_code=None), 5: exited(5, "STOPPED", exit_code=0)}
    record = pending()
    for version in order:
        folded = apply(record, facts[version], POLICY)
        record = record if isinstance(folded, Stale) else folded

    assert (record.state, record.error) == (State.STOPPED, None)
    assert record.stop is not None
    assert record.stop.exit_code == 0


def test_what_the_record_tells_is_what_was_asked_for(world: World) -> None:
    """A dead start's request, which cannot have been carried out, gives way after the record has failed."""
    world.ecs.refusals["run"] = [Died()]
    with suppress(Died):
        world.start()
    world.clock.advance(61)
    world.reconcile()
    assert world.record().state is State.FAILED

    record = world.start({**REQUEST, "cmd": ["migrate", "--all"]})

    assert (record.generation, record.cmd, len(world.ecs.tasks)) == (2, ("migrate", "--all"), 1)


def test_a_lost_answer_and_a_refusal_within_its_lifetime_conclude_nothing(world: World) -> None:
    """The one that was not answered may still be on its way to ECS; after a minute it is not."""
    world.ecs.refusals["run"] = [UNKNOWN] * 1000
    with pytest.raises(CallFailed):
        world.start()
    world.ecs.refusals["run"] = [REFUSED]
    with pytest.raises(CallFailed) as caught:
        world.start()
    assert (caught.value.uncertain, world.record().attempt) == (True, 1)
    world.clock.advance(POLICY.start_lifetime)
    world.ecs.refusals["run"] = [REFUSED]

    assert (world.start().attempt, len(world.ecs.tasks)) == (2, 1)


def test_instants_of_a_record_are_whole_milliseconds() -> None:
    """What is saved equals what is read back, whatever delays are added to an instant."""
    policy = Policy(health_timeout=1.23456, healthy_check=777.77777)
    record = pending(task_arn=TASK)
    for fact in (observed(3), answered(5)):
        folded = apply(record, fact, policy)
        assert isinstance(folded, Record)
        record = folded

    instants: list[datetime | None] = [record.check_at, record.probe.deadline if record.probe else None]
    assert all(instant is not None and instant.microsecond % 1000 == 0 for instant in instants)


def test_what_is_listed_late_changes_nothing(world: World) -> None:
    """The record has its task, or has given this one up."""
    from core.model.facts import FailedTaskMissing, TaskListed
    from tests.unit.core.machine.test_apply import about, stale
    from tests.unit.core.machine.test_relaunch import GIVEN_UP

    assert stale(pending(task_arn=TASK), about(TaskListed, 9, task_arn=TASK)) == "the record has had a task already"
    assert stale(GIVEN_UP, about(TaskListed, 9, task_arn=TASK)) == "the record has had a task already"
    missing = about(FailedTaskMissing, 99, task_arn=TASK, attempt=2)
    assert stale(pending(task_arn=TASK), missing) == "no such launch is pending"
