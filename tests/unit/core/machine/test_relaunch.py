"""About one Fargate task in a hundred never starts: what failed before the container ran is launched again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from core.launch.settings import TokenDelivery
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.model.actions import ClaimLaunch, EraseToken, Relaunch
from core.model.errors import CallFailed, Refused
from core.model.facts import LaunchClaimed, LaunchRejected, StopRequested, TaskGone, TimePassed
from core.model.failure import Cause, ErrorCode
from core.model.parts import Logs
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State, Trigger
from core.storage.item import from_item, to_item
from tests.factories import (
    CONTAINER_ID,
    POLICY,
    REF,
    SETTINGS,
    TASK,
    at,
    event,
    exited,
    main_container,
    observed,
    passed,
    pending,
    silent,
)
from tests.unit.core.control.test_start_and_stop import REFUSED, UNKNOWN, Died
from tests.unit.core.machine.test_apply import about, fold, stale
from tests.world import World

ENI = "Unexpected EC2 error while attempting to attach network interface to instance"


def never_ran(version: int = 3, task_arn: str = TASK, reason: str = ENI) -> Any:
    return exited(
        version,
        "STOPPED",
        task_arn=task_arn,
        started_at=None,
        stop_code="TaskFailedToStart",
        stopped_reason=reason,
        containers=(main_container(last_status="STOPPED", exit_code=None),),
    )


GIVEN_UP = fold(pending(task_arn=TASK), never_ran())


def test_a_transient_failure_before_the_container_ran_is_launched_again() -> None:
    """Same generation, same token; the history shows it and the failure is kept."""
    assert (GIVEN_UP.state, GIVEN_UP.generation, GIVEN_UP.agent_token) == (State.PENDING, 1, pending().agent_token)
    assert [(step.trigger, step.origin, step.to) for step in GIVEN_UP.history] == [
        (Trigger.LAUNCH_RETRIED, State.PENDING, State.PENDING)
    ]
    assert [launch.task_arn for launch in GIVEN_UP.launches] == [TASK]
    assert GIVEN_UP.launches[0].failure.cause is Cause.ENI_PROVISIONING
    assert from_item(to_item(GIVEN_UP)) == GIVEN_UP


def test_each_launch_has_its_own_log_stream() -> None:
    """It is the task's: with an event that comes before RunTask's answer, gone with a launch that was given up."""
    logs = Logs("/tasks", "sockerless")
    seen = fold(pending(logs=logs), observed(2, "PENDING"))
    assert seen.logs == Logs("/tasks", "sockerless", f"sockerless/main/{TASK.rpartition('/')[2]}")
    given_up = fold(seen, never_ran())
    assert (given_up.task_arn, given_up.logs) == (None, logs)


def test_the_next_launch_is_owed_until_its_task_is_known() -> None:
    """A function that dies between save and RunTask loses nothing."""
    assert [type(action) for action in next_actions(GIVEN_UP, POLICY)] == [ClaimLaunch]
    claimed = fold(GIVEN_UP, claim())
    action, again = next_actions(claimed, POLICY)

    assert isinstance(action, Relaunch)
    assert (action.by, action.task_arn, action.attempt, again) == ("one", TASK, 2, next_actions(GIVEN_UP, POLICY)[0])


def claim(by: str = "one", seconds: float = 4) -> Any:
    return about(LaunchClaimed, seconds, by=by, attempt=2)


def test_one_function_at_a_time_makes_a_launch_that_is_owed() -> None:
    """Its refusal is final; after the time for which it can be at work, another function may claim the launch."""
    claimed = fold(GIVEN_UP, claim())

    assert stale(claimed, claim("two", 4 + POLICY.start_lifetime - 1)) == "another function makes this launch"
    later = fold(claimed, claim("two", 4 + POLICY.start_lifetime))
    assert [ask.by for ask in later.asked] == ["one", "two"]
    assert [ask.by for ask in fold(claimed, claim(seconds=9)).asked] == ["one"]
    assert stale(pending(task_arn=TASK), claim()) == "no such launch is pending"


@pytest.mark.parametrize("fact", [never_ran(9), observed(8), exited(9)])
def test_the_task_that_was_given_up_says_nothing_any_more(fact: Any) -> None:
    """Its late events must not be taken for the next task's."""
    assert stale(GIVEN_UP, fact) == "it concerns a launch that was given up"


def test_launches_are_bounded() -> None:
    """The last failure is the container's."""
    record = fold(GIVEN_UP, never_ran(task_arn=TASK + "2"))

    assert (record.state, record.error and record.error.code) == (State.FAILED, ErrorCode.TASK_FAILED_TO_START)
    assert len(record.launches) == 1


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (exited(4, exit_code=1), "its own process ran"),
        (exited(4, "STOPPED", exit_code=None, stopped_reason=ENI), "it had started"),
        (never_ran(reason="CannotPullContainerError: manifest unknown"), "it would fail again"),
    ],
)
def test_what_is_not_launched_again(fact: Any, why: str) -> None:
    """Never after the container's own process ran, never what is not transient."""
    assert fold(pending(task_arn=TASK), fact).launches == (), why


def test_a_requested_stop_is_the_end_of_launching() -> None:
    """A requested stop ends the retries, also when ECS reports the failure in between."""
    requested = about(StopRequested, 1, reason="enough")
    leaving = observed(2, "DEPROVISIONING", "STOPPED", started_at=None, stop_code=None, containers=())

    assert fold(pending(task_arn=TASK), requested, never_ran()).state is State.FAILED
    record = fold(pending(task_arn=TASK), requested)
    assert fold(record, leaving).state is State.FAILED
    assert next_actions(fold(GIVEN_UP, requested), POLICY) == ()


def test_the_start_timeout_runs_for_each_launch() -> None:
    """A slow failure leaves the next task its full time."""
    record = replace(GIVEN_UP, launches=(replace(GIVEN_UP.launches[0], at=at(280)),), check_at=at(300))

    assert fold(record, about(TimePassed, 301)).state is State.PENDING
    late = replace(record, check_at=at(580))
    assert fold(late, about(TimePassed, 580)).error is not None


def test_nothing_found_is_no_news_while_a_launch_is_owed() -> None:
    """The reconciler performs what is pending instead of failing the record."""
    assert stale(GIVEN_UP, about(TaskGone, 500, task_arn=None)) == "another launch is pending"


def test_a_rejection_counts_once() -> None:
    """Two starters may report the same refused launch."""
    rejected = about(LaunchRejected, 1, by="one", attempt=1, failure=REFUSED.as_launch_failure())
    record = fold(pending(), rejected)

    assert record.attempt == 2
    assert "launch 1" in stale(record, rejected)


# --- with ECS around it -----------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return World()


def test_what_another_function_has_claimed_is_left_to_it(world: World) -> None:
    """No call of ECS is made."""
    arn = world.start().task_arn
    assert arn is not None
    world.write(never_ran(task_arn=arn))
    world.write(about(LaunchClaimed, 4, by="another", attempt=2))
    world.ecs.calls.clear()

    assert world.settle(never_ran(task_arn=arn)).record == world.record()
    assert world.ecs.calls == []


def fail_first_task(world: World) -> str:
    """The started task never runs, and its event is delivered."""
    arn = world.start().task_arn
    assert arn is not None
    world.settle(never_ran(task_arn=arn))
    return arn


def test_the_second_task_is_a_copy_of_the_first() -> None:
    """Definition, command, environment and tags as ECS shows them, security groups as saved; another client token."""
    stack = replace(SETTINGS, task_security_groups=("sg-0a1b2c3d",))
    world = World(settings=stack)
    document = {**event("start-container"), "labels": {"team": "ci"}, "security_groups": ["sg-0f1e2d3c"]}
    first = world.start(document).task_arn
    assert first is not None
    world.settle(never_ran(task_arn=first))

    second = world.record().task_arn
    assert second not in {None, first}
    given_up, copy = world.ecs.tasks[first], world.ecs.tasks[second or ""]
    for member in ("taskDefinitionArn", "startedBy", "tags", "clusterArn"):
        assert copy[member] == given_up[member]
    assert copy["tags"]
    assert copy["overrides"]["containerOverrides"][0] == given_up["overrides"]["containerOverrides"][0]
    assert len(copy["overrides"]["containerOverrides"]) == 2  # the second one is the fake's own echo
    assert world.ecs.networks[second or ""] == world.ecs.networks[first]
    assert world.ecs.networks[first]["securityGroups"] == ["sg-0a1b2c3d", "sg-0f1e2d3c"]


def test_events_of_the_second_task_lead_on(world: World) -> None:
    """The new task's life goes the way of every other."""
    fail_first_task(world)
    second = world.record().task_arn

    world.settle(observed(3, task_arn=second))

    assert world.record().state is State.ENI_RESOLVED


def test_a_death_before_run_task_is_healed_by_redelivery(world: World) -> None:
    """The event is stale then, and the launch is still pending."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.refusals["run"] = [UNKNOWN]
    with pytest.raises(CallFailed):
        world.settle(never_ran(task_arn=arn))

    world.settle(never_ran(task_arn=arn))

    assert len(world.ecs.tasks) == 2
    assert world.record().task_arn not in {None, arn}


def test_a_death_after_run_task_starts_no_third_one(world: World) -> None:
    """The client token of the attempt makes it the same task; the reconciler adopts it through startedBy."""
    fail_first_task(world)
    second = world.record().task_arn
    world.store.put_item(to_item(replace(world.record(), task_arn=None)))
    world.clock.advance(400)

    world.reconcile()

    assert (world.record().task_arn, len(world.ecs.tasks)) == (second, 2)


def test_a_task_that_ecs_forgot_cannot_be_copied(world: World) -> None:
    """The record fails with the first failure's cause and text; but what is young may only not show yet."""
    arn = world.start().task_arn
    assert arn is not None
    hidden = world.ecs.tasks.pop(arn)

    world.settle(never_ran(task_arn=arn))
    assert world.record().state is State.PENDING
    first = world.record().launches[0].failure
    world.clock.advance(70)
    world.reconcile()

    error = world.record().error
    assert error is not None
    assert (error.code, error.cause, error.transient) == (ErrorCode.LAUNCH_FAILED, first.cause, True)
    assert first.message in error.message
    assert f"no longer shows task {arn}" in error.message
    assert hidden not in world.ecs.tasks.values()


def test_a_task_that_ecs_shows_late_is_copied_then(world: World) -> None:
    """ECS is eventually consistent: the launch stays pending meanwhile."""
    arn = world.start().task_arn
    assert arn is not None
    hidden = world.ecs.tasks.pop(arn)
    world.settle(never_ran(task_arn=arn))
    world.ecs.tasks[arn] = hidden

    world.settle(never_ran(task_arn=arn))

    assert world.record().task_arn not in {None, arn}


def test_a_launch_that_was_made_already_is_found_when_its_model_is_gone(world: World) -> None:
    """RunTask took effect and its answer was lost: the task carries startedBy."""
    arn = fail_first_task(world)
    second = world.record().task_arn
    world.store.put_item(to_item(replace(world.record(), task_arn=None)))
    forgotten = world.ecs.tasks.pop(arn)
    world.ecs.find = lambda *_, stopped=False: () if stopped else (arn, second)  # type: ignore[method-assign,assignment]

    world.settle(never_ran(task_arn=arn))
    assert forgotten not in world.ecs.tasks.values()

    assert world.record().task_arn == second


def test_a_relaunch_that_ecs_refuses_counts_as_a_launch(world: World) -> None:
    """The attempts are bounded, also where ECS refuses to start a task."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.refusals["run"] = [REFUSED]

    world.settle(never_ran(task_arn=arn))

    assert world.record().error == REFUSED.as_launch_failure()


def test_a_refused_launch_is_tried_again_by_the_starter(world: World) -> None:
    """After a pause, with the client token of the next attempt; the caller sees a start that worked."""
    world.ecs.refusals["run"] = [REFUSED]

    record = world.start()

    assert (record.state, record.attempt, len(world.clock.slept)) == (State.PENDING, 2, 1)
    assert record.launches[0].task_arn is None
    assert next_actions(record, POLICY) == ()


def test_a_permanent_refusal_is_not_tried_again(world: World) -> None:
    """A refusal that cannot pass is not retried."""
    world.ecs.refusals["run"] = [CallFailed("RunTask", "AccessDeniedException", "no", cause=Cause.PERMISSION)]

    with pytest.raises(Refused):
        world.start()

    assert world.ecs.calls.count("run") == 1


def test_a_conflict_of_client_tokens_adopts_the_task(world: World) -> None:
    """The same start with other parameters: the first one's task is there already."""
    started = world.start().task_arn
    world.ecs.refusals["run"] = [CallFailed("RunTask", "ConflictException", "client token")]

    with_late_views = iter([(), (started,)])
    world.ecs.find = lambda *_, stopped=False: () if stopped else next(with_late_views)  # type: ignore[method-assign, assignment]
    assert world.start().task_arn == started


def test_a_conflict_without_a_task_is_an_outage(world: World) -> None:
    """Nothing is concluded from it."""
    world.ecs.refusals["run"] = [CallFailed("RunTask", "ConflictException", "client token")]

    with pytest.raises(CallFailed, match="client token"):
        world.start()

    assert world.record().state is State.PENDING


# --- tokens in the Parameter Store ------------------------------------------------------------------------------


@pytest.fixture
def with_ssm(world: World) -> World:
    world.settings = replace(
        world.settings, token_delivery=TokenDelivery.SSM, execution_role_arn="arn:aws:iam::123456789012:role/execution"
    )
    return world


PARAMETER = f"/sockerless/{CONTAINER_ID}/1/token"


def test_the_token_is_in_the_parameter_before_the_task_starts(with_ssm: World) -> None:
    """The token is in no override."""
    with_ssm.ecs.refusals["run"] = [Died()]
    with pytest.raises(Died):
        with_ssm.start()
    token = with_ssm.record().agent_token

    assert with_ssm.vault.tokens == {PARAMETER: token}
    with_ssm.start()
    (task,) = with_ssm.ecs.tasks.values()
    assert token is not None
    assert token not in str(task)
    assert with_ssm.record().token_parameter == PARAMETER


def test_the_parameter_is_deleted_when_the_generation_ends(with_ssm: World) -> None:
    """By the function that settles the end, or by the reconciler."""
    arn = with_ssm.start().task_arn
    with_ssm.settle(exited(5, task_arn=arn))

    assert with_ssm.vault.tokens == {}
    assert (with_ssm.record().token_parameter, with_ssm.record().watch) == (None, None)


def test_a_parameter_that_could_not_be_deleted_stays_owed(with_ssm: World) -> None:
    """The prober has no way to the Parameter Store: the record stays due."""
    arn = with_ssm.start().task_arn
    record = fold(with_ssm.record(), exited(5, task_arn=arn))

    assert next_actions(record, POLICY) == (EraseToken(ref=REF, name=PARAMETER),)
    assert record.check_at == record.updated_at


def test_a_restart_deletes_the_parameter_that_was_left(with_ssm: World) -> None:
    """The new generation does not use the old one's token."""
    arn = with_ssm.start().task_arn
    with_ssm.store.put_item(to_item(fold(with_ssm.record(), exited(5, task_arn=arn))))

    with_ssm.start()

    assert list(with_ssm.vault.tokens) == [PARAMETER.replace("/1/token", "/2/token")]


# --- dying after every call -------------------------------------------------------------------------------------


def dying(world: World, after: int, body: Callable[[], object]) -> None:
    """Runs `body`; the world's `after`-th call in it takes effect, and the function dies right behind it."""
    made: list[str] = []
    armed = True

    def wrap(target: object, name: str) -> None:
        original = getattr(target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            made.append(name)
            if armed and len(made) == after:
                raise Died(name)
            return result

        setattr(target, name, call)

    for target, names in (
        (world.store, ("load", "save")),
        (world.ecs, ("run", "register", "describe", "find")),
        (world.vault, ("put", "erase")),
    ):
        for name in names:
            wrap(target, name)
    with suppress(Died):
        body()
    armed = False


@pytest.mark.parametrize("delivery", TokenDelivery)
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("after", range(1, 12))
def test_a_start_that_dies_after_any_call_ends_with_one_task(
    after: int, delivery: TokenDelivery, refused: bool
) -> None:
    """Followed by a retry: exactly one running task, and one record that takes it."""
    world = World()
    world.settings = replace(
        world.settings, token_delivery=delivery, execution_role_arn="arn:aws:iam::123456789012:role/execution"
    )
    if refused:
        world.ecs.refusals["run"] = [REFUSED]

    dying(world, after, world.start)
    world.clock.advance(POLICY.start_lifetime)
    # The caller tries again; a start that had got its task before it died is running already.
    with suppress(Refused):
        world.start()

    [task] = world.ecs.tasks
    world.settle(observed(2, "PENDING", task_arn=task))
    record = world.record()
    assert (record.state, record.generation, record.task_arn, record.error) == (State.PENDING, 1, task, None)


@pytest.mark.parametrize("after", range(1, 10))
def test_a_relaunch_that_dies_after_any_call_ends_with_one_task(after: int) -> None:
    """The event is delivered again, as Lambda does: one task more, and no third one."""
    world = World()
    arn = world.start().task_arn
    assert arn is not None

    dying(world, after, lambda: world.settle(never_ran(task_arn=arn)))
    world.settle(never_ran(task_arn=arn))

    assert [one for one in world.ecs.tasks if one != arn] == [world.record().task_arn]


def test_attempts_are_a_setting() -> None:
    """With one attempt no launch is repeated."""
    assert fold(pending(task_arn=TASK), never_ran(), policy=Policy(launch_attempts=1)).state is State.FAILED


def test_a_record_of_a_given_up_launch_accepts_no_late_answer() -> None:
    """RunTask's answer for the first launch may come last."""
    from tests.unit.core.machine.test_apply import accepted

    folded: Record | Stale = apply(GIVEN_UP, accepted(), POLICY)
    assert isinstance(folded, Stale)


# --- what must not be concluded ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failed",
    [
        CallFailed("RunTask", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True),
        CallFailed("RunTask", "ConflictException", "client token"),
    ],
)
def test_a_relaunch_that_nobody_refused_stays_owed(world: World, failed: CallFailed) -> None:
    """Throttled, or made by another function with parameters that differ: the record does not fail for it."""
    arn = world.start().task_arn
    assert arn is not None
    world.ecs.refusals["run"] = [failed]
    with pytest.raises(CallFailed):
        world.settle(never_ran(task_arn=arn))

    assert world.record().state is State.PENDING
    world.settle(never_ran(task_arn=arn))
    assert world.record().task_arn not in {None, arn}


def test_a_refused_relaunch_leaves_the_next_one_owed() -> None:
    """Launch 2 never got a task, so launch 3 copies the task of launch 1."""
    thrice = Policy(launch_attempts=3)
    rejected = about(LaunchRejected, 4, by="one", attempt=2, failure=REFUSED.as_launch_failure())
    record = fold(GIVEN_UP, rejected, policy=thrice)

    (action,) = next_actions(record, thrice)
    assert isinstance(action, ClaimLaunch)
    assert (record.given_up_task, action.attempt) == (TASK, 3)


def test_a_container_that_ran_before_the_task_did_is_not_run_twice() -> None:
    """A container's status is ahead of the task's: an exit code proves a run, whatever ECS blames (ACTIVATING)."""
    task = exited(
        4,
        "STOPPED",
        started_at=None,
        stop_code="TaskFailedToStart",
        stopped_reason="InternalError: an internal error occurred",
        containers=(main_container(last_status="STOPPED", exit_code=137),),
    )

    assert fold(pending(task_arn=TASK), task).state.ended


def test_a_restart_settles_what_the_old_generation_is_owed(world: World) -> None:
    """The task of an unreachable agent is stopped by the restart, if the reconciler has not come to it yet."""
    arn = world.start().task_arn
    world.settle(observed(3, task_arn=arn))
    world.write(silent(), passed())
    assert world.ecs.stopped == []

    second = world.start()

    assert [stopped for stopped, _ in world.ecs.stopped] == [arn]
    assert (second.generation, second.state) == (2, State.PENDING)


def test_an_interrupted_start_that_comes_back_changed_is_refused(world: World) -> None:
    """The first request's task may run already: the item goes on saying what that one was started with."""
    world.ecs.refusals["run"] = [Died()]
    with pytest.raises(Died):
        world.start()
    first = world.record()

    for changed in ({"image": "debian:bookworm"}, {"cmd": ["sleep", "5"]}, {"environment": {"A": "b"}}):
        with pytest.raises(Refused, match="with another request") as refused:
            world.start({**event("start-container"), **changed})
        assert (refused.value.failure.code, refused.value.failure.transient) == (ErrorCode.ALREADY_RUNNING, True)

    assert world.record() == first
    assert (world.start().generation, len(world.ecs.tasks)) == (1, 1)


def test_a_changed_request_takes_the_place_of_one_that_was_refused(world: World) -> None:
    """Nothing can run of the first one: ECS refused it, and its start died before the next launch."""
    world.ecs.refusals["run"] = [REFUSED, Died()]
    with pytest.raises(Died):
        world.start()
    world.store.put_item(to_item(replace(world.record(), launching=None)))

    record = world.start({**event("start-container"), "image": "debian:bookworm", "cmd": ["sleep", "5"]})

    assert (record.image, record.cmd, record.generation) == ("debian:bookworm", ("sleep", "5"), 1)
    assert len(world.ecs.tasks) == 1
