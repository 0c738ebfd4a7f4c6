"""RunTask by its family, with a definition that may be missing and calls that may be throttled or not answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.control.run_task import SECONDS
from core.model.errors import CallFailed, Refused
from core.model.failure import Cause, ErrorCode
from core.model.state import State
from tests.factories import CONTAINER_ID, POLICY, event
from tests.unit.core.control.test_start_and_stop import REFUSED, UNKNOWN
from tests.world import World

THROTTLED = CallFailed("RunTask", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)
SLOW = CallFailed("RegisterTaskDefinition", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED)
DENIED = CallFailed("RegisterTaskDefinition", "AccessDeniedException", "no", cause=Cause.PERMISSION)


@pytest.fixture
def world() -> World:
    return World()


def another(number: int) -> dict[str, Any]:
    return {**event("start-container"), "container_id": f"{number:064x}"}


def refused(world: World, document: dict[str, Any] | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        world.start(document)
    return caught.value


def test_a_throttled_start_waits_for_its_turn(world: World) -> None:
    """It is the same launch: no attempt is used up."""
    world.ecs.refusals["run"] = [THROTTLED] * 5

    record = world.start()

    assert (record.attempt, len(world.ecs.tasks)) == (1, 1)
    assert record.launches == ()


def test_a_start_that_is_throttled_for_too_long_is_refused(world: World) -> None:
    """With the cause, as something that may pass: nothing can have been started. It is no second launch either."""
    world.ecs.refusals["run"] = [THROTTLED] * 1000

    failure = refused(world).failure

    assert (failure.code, failure.cause, failure.transient) == (ErrorCode.LAUNCH_FAILED, Cause.THROTTLED, True)
    assert (world.record().state, world.record().error, world.record().launches) == (State.FAILED, failure, ())
    assert world.seconds() <= SECONDS
    world.ecs.refusals.clear()
    assert world.start().generation == 2


def test_a_throttle_behind_a_lost_answer_is_uncertain(world: World) -> None:
    """The first try may have started the task, whatever the last one says: nothing is concluded."""
    world.ecs.refusals["run"] = [UNKNOWN, *[THROTTLED] * 1000]

    with pytest.raises(CallFailed) as caught:
        world.start()

    assert (caught.value.uncertain, world.record().state) == (True, State.PENDING)
    world.ecs.refusals.clear()
    assert world.start().generation == 1


def test_a_run_that_was_not_answered_is_asked_again(world: World) -> None:
    """The client token makes it one task."""
    world.ecs.refusals["run"] = [UNKNOWN]

    assert world.start().task_arn == next(iter(world.ecs.tasks))
    assert len(world.ecs.tasks) == 1


def test_a_refused_registration_is_refused_to_the_caller(world: World) -> None:
    """Certain, because RunTask was never taken; and the next start gets its turn at once."""
    world.ecs.refusals["register"] = [DENIED]

    assert refused(world).failure.cause is Cause.PERMISSION
    assert world.start(another(2)).task_arn in world.ecs.tasks


@pytest.mark.parametrize(
    "failed", [SLOW, CallFailed("RegisterTaskDefinition", "ReadTimeoutError", "no answer", uncertain=True)]
)
def test_a_registration_is_repeated(world: World, failed: CallFailed) -> None:
    """Twice registered are two revisions, and both can be used; waiting for it is no launch."""
    world.ecs.refusals["register"] = [failed] * 3

    assert (world.start().attempt, world.ecs.calls.count("register")) == (1, 4)


def test_a_registration_that_is_throttled_for_too_long_is_a_refusal(world: World) -> None:
    """Certain, whatever became of its tries: they start no task."""
    world.ecs.refusals["register"] = [*[SLOW] * 3, UNKNOWN, *[SLOW] * 1000]

    assert refused(world).failure.cause is Cause.THROTTLED


def test_a_start_waits_while_another_one_registers(world: World) -> None:
    """It takes the definition then, and registers none."""
    family = next(iter(_family_of_a_start()))
    world.registrations.claim(family, world.clock.now())
    sleep, waited = world.clock.sleep, []

    def slept(seconds: float) -> None:
        sleep(seconds)
        waited.append(seconds)
        if len(waited) == 3:
            world.ecs.register({"family": family})
            world.registrations.done(family, world.clock.now())

    world.clock.sleep = slept  # type: ignore[method-assign]

    assert world.start().task_arn in world.ecs.tasks
    assert (world.ecs.calls.count("register"), len(waited)) == (1, 3)


def test_a_start_whose_patience_ends_first_is_refused(world: World) -> None:
    """As throttled: it may be sent again."""
    family = next(iter(_family_of_a_start()))
    sleep = world.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        world.registrations.extend(family, world.clock.now())

    world.clock.sleep = slept  # type: ignore[method-assign]
    world.registrations.claim(family, world.clock.now())

    failure = refused(world).failure

    assert (failure.cause, failure.transient) == (Cause.THROTTLED, True)
    assert "another start is registering" in failure.message


def test_a_start_that_died_while_it_registered_holds_up_nobody_for_long(world: World) -> None:
    """Its turn passes to the next one."""
    world.registrations.claim(next(iter(_family_of_a_start())), world.clock.now())

    assert world.start().task_arn in world.ecs.tasks
    assert world.ecs.calls.count("register") == 1


def test_a_definition_that_run_task_does_not_see_yet_is_waited_for(world: World) -> None:
    """ECS is eventually consistent: what was registered a moment ago is not registered again."""
    family = next(iter(_family_of_a_start()))
    world.ecs.register({"family": family})
    world.registrations.done(family, world.clock.now())
    world.ecs.retired.add(world.ecs.definitions[family])
    sleep = world.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        world.ecs.retired.clear()

    world.clock.sleep = slept  # type: ignore[method-assign]

    assert world.start().task_definition_arn == world.ecs.definitions[family]
    assert world.ecs.calls.count("register") == 1


def test_a_parameter_that_could_not_be_put_starts_nothing(world: World) -> None:
    """Answered or not: RunTask was never called, so it is a refusal."""
    world.settings = replace(world.settings, execution_role_arn="arn:aws:iam::123456789012:role/x")

    vault = world.vault

    class Broken:
        def put(self, name: str, token: str) -> None:
            raise CallFailed("PutParameter", "ReadTimeoutError", "no answer", uncertain=True)

        def erase(self, name: str) -> None:
            vault.erase(name)

    world.vault = Broken()  # type: ignore[assignment]
    with pytest.raises(Refused, match="PutParameter"):
        world.start({**event("start-container"), "token_delivery": "ssm"})

    assert (world.record().state, world.ecs.calls, vault.tokens) == (State.FAILED, [], {})


def test_one_refusal_of_run_task_and_one_more_are_two_launches(world: World) -> None:
    """Capacity is a launch's failure, throttling is not."""
    world.ecs.refusals["run"] = [THROTTLED, REFUSED, THROTTLED]

    assert (world.start().attempt, world.record().container_id) == (2, CONTAINER_ID)


def test_a_throttled_run_says_nothing_of_an_earlier_one(world: World) -> None:
    """A start died with RunTask unanswered; the next one is throttled throughout. The task may run: ECS is asked."""
    world.ecs.refusals["run"] = [UNKNOWN] * 99
    with pytest.raises(CallFailed):
        world.start(by="the dead one")
    world.clock.advance(POLICY.start_lifetime + 1)
    world.ecs.refusals["run"] = [THROTTLED] * 99
    with pytest.raises(CallFailed) as failed:
        world.start()
    assert (failed.value.uncertain, world.record().state) == (True, State.PENDING)
    assert [ask.by for ask in world.record().asked] == ["the dead one"]


def _family_of_a_start() -> dict[str, str]:
    other = World()
    other.start()
    return other.ecs.definitions
