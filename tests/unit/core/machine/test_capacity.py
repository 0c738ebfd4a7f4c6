"""Spot, and On-Demand when Spot has no capacity: which capacity each launch asks for, and what an interruption is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.machine.next_actions import next_actions
from core.model.capacity import Capacity, Provider, provider_of
from core.model.errors import CallFailed, Refused
from core.model.facts import LaunchAccepted, LaunchClaimed, LaunchRejected
from core.model.failure import Cause, ErrorCode, Failure
from core.model.parts import Instant
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.probe.view import Target, probe_view
from core.storage.item import to_item
from tests.factories import ADDRESS, CLUSTER, DEFINITION, POLICY, REF, SETTINGS, TASK, event, main_container, observed
from tests.factories import pending as usual
from tests.records import healthy
from tests.unit.core.control.test_start_and_stop import REFUSED
from tests.unit.core.machine.test_apply import about, fold
from tests.unit.core.machine.test_relaunch import never_ran
from tests.world import World

NO_SPOT = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
ABOVE = CallFailed("RunTask", "Failure", "The requested CPU configuration is above your limit", cause=Cause.CAPACITY)
ENI = Failure(ErrorCode.TASK_FAILED_TO_START, "no network", "", Cause.ENI_PROVISIONING, transient=True)
FULL = REFUSED.as_launch_failure()
NOTICE: dict[str, Any] = {
    "stop_code": "SpotInterruption",
    "stopped_reason": "Your Spot Task was interrupted.",
    "capacity_provider_name": "FARGATE_SPOT",
}


def pending(capacity: Capacity, **changes: Any) -> Record:
    """A record whose start asked for this capacity."""
    return usual(capacity=capacity, **changes)


def rejected(attempt: int = 1, failure: Failure = FULL) -> LaunchRejected:
    """RunTask refused."""
    return LaunchRejected(ref=REF, at=usual().created_at, by="one", attempt=attempt, failure=failure)


@pytest.mark.parametrize(
    ("capacity", "failures", "provider"),
    [
        (Capacity.ON_DEMAND, [], None),
        (Capacity.ON_DEMAND, [FULL], None),
        (Capacity.SPOT, [FULL, FULL], Provider.FARGATE_SPOT),
        (Capacity.SPOT_FIRST, [], Provider.FARGATE_SPOT),
        (Capacity.SPOT_FIRST, [ENI], Provider.FARGATE_SPOT),
        (Capacity.SPOT_FIRST, [ENI, FULL], Provider.FARGATE),
        (Capacity.SPOT_FIRST, [FULL, ENI], Provider.FARGATE),
    ],
)
def test_the_capacity_of_a_launch_follows_from_those_before(
    capacity: Capacity, failures: list[Failure], provider: Provider | None
) -> None:
    """The same launch always has the same capacity; only `spot-first` changes it, once, for lack of capacity."""
    assert provider_of(capacity, failures) is provider


def test_a_task_that_lacked_capacity_is_followed_by_on_demand() -> None:
    """The task failed to start: what copies it asks for On-Demand, and the item no longer names Spot."""
    record = fold(
        pending(Capacity.SPOT_FIRST),
        observed(2, "PENDING", capacity_provider_name="FARGATE_SPOT"),
        never_ran(reason=NO_SPOT),
        about(LaunchClaimed, 4, by="one", attempt=2),
    )
    action = next_actions(record, POLICY)[0]
    assert (record.capacity_provider, action.provider) == (None, Provider.FARGATE)  # type: ignore[union-attr]


def test_on_demand_has_its_own_quotas() -> None:
    """A final refusal of Spot does not end `spot-first`; the same refusal of On-Demand ends it, and ends `spot`."""
    final = ABOVE.as_launch_failure()
    policy = Policy(launch_attempts=3)
    record = fold(pending(Capacity.SPOT_FIRST), rejected(failure=final), policy=policy)
    assert (record.state, record.provider) == (State.PENDING, Provider.FARGATE)
    assert fold(record, rejected(2, final), policy=policy).state is State.FAILED
    assert fold(pending(Capacity.SPOT), rejected(failure=final), policy=policy).state is State.FAILED


def test_launches_stay_bounded() -> None:
    """On-Demand is another launch, within `LaunchAttempts`."""
    once = Policy(launch_attempts=1)
    assert fold(pending(Capacity.SPOT_FIRST), rejected(), policy=once).state is State.FAILED


def test_the_item_says_what_was_used() -> None:
    """As ECS gives it, from RunTask's answer or from any snapshot; nothing of it for a start that names no capacity."""
    accepted = about(
        LaunchAccepted,
        1,
        task_arn=TASK,
        task_definition_arn=DEFINITION,
        cluster_arn=CLUSTER,
        capacity_provider_name="FARGATE_SPOT",
    )
    item = to_item(fold(pending(Capacity.SPOT), accepted, observed(3)))
    assert (item["capacity"], item["capacity_provider"]) == ("spot", "FARGATE_SPOT")
    assert not {"capacity", "capacity_provider"} & to_item(fold(usual(), observed(3))).keys()


# --- with ECS around it -----------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return World()


def start(world: World, capacity: str) -> Record:
    """What a start with this capacity records."""
    return world.start({**event("start-container"), "capacity": capacity})


def test_a_refused_spot_launch_goes_on_with_on_demand(world: World) -> None:
    """Within the same start; item and answer name On-Demand, and the launch that was given up says why."""
    world.ecs.refusals["run"] = [REFUSED]
    record = start(world, "spot-first")
    assert (record.capacity, record.capacity_provider, record.attempt) == (Capacity.SPOT_FIRST, "FARGATE", 2)
    assert record.launches[0].failure.cause is Cause.CAPACITY


def test_spot_stays_spot(world: World) -> None:
    """Its other launches ask for Spot too; without capacity the start is refused."""
    world.ecs.refusals["run"] = [REFUSED]
    assert start(world, "spot").capacity_provider == "FARGATE_SPOT"
    other = World()
    other.ecs.refusals["run"] = [REFUSED] * POLICY.launch_attempts
    with pytest.raises(Refused) as refused:
        start(other, "spot")
    assert refused.value.failure.cause is Cause.CAPACITY


def test_a_copy_of_a_spot_task_is_on_demand(world: World) -> None:
    """The failed task was accepted first: its copy differs in its capacity alone."""
    first = start(world, "spot-first").task_arn
    assert first is not None
    world.settle(never_ran(task_arn=first, reason=NO_SPOT))
    record = world.record()
    given_up, copy = world.ecs.tasks[first], world.ecs.tasks[record.task_arn or ""]
    assert (given_up["capacityProviderName"], copy["capacityProviderName"]) == ("FARGATE_SPOT", "FARGATE")
    assert copy["taskDefinitionArn"] == given_up["taskDefinitionArn"]
    assert record.capacity_provider == "FARGATE"


def test_a_copy_for_another_reason_stays_on_spot(world: World) -> None:
    """A network interface that was not ready says nothing of Spot."""
    first = start(world, "spot-first").task_arn
    world.settle(never_ran(task_arn=first or ""))
    assert world.record().capacity_provider == "FARGATE_SPOT"


def test_the_stack_names_the_capacity_of_others(world: World) -> None:
    """A request overrides it."""
    world.settings = replace(SETTINGS, capacity=Capacity.SPOT)
    assert world.start().capacity is Capacity.SPOT
    assert World(settings=world.settings).start({**event("start-container"), "capacity": "on-demand"}).provider is None


def test_spot_first_needs_a_second_launch(world: World) -> None:
    """A stack with one launch a start refuses it: nothing written, nothing started, and it says what to do."""
    world.settings = replace(SETTINGS, launch_attempts=1)
    with pytest.raises(Refused, match="LAUNCH_ATTEMPTS") as refused:
        start(world, "spot-first")
    assert refused.value.failure.code is ErrorCode.INVALID_REQUEST
    assert world.store.load(usual().container_id) is None
    assert world.ecs.calls == []


# --- an interruption --------------------------------------------------------------------------------------------


def test_the_notice_ends_probing_and_keeps_the_address() -> None:
    """The task runs on for two minutes at most: `timings.stopping` says so, and the address stays until the end."""
    record = fold(pending(Capacity.SPOT), observed(3), observed(4, "RUNNING", "STOPPED", **NOTICE))
    assert (record.state, record.agent_address, Instant.STOPPING in record.timings) == (
        State.ENI_RESOLVED, ADDRESS, True,
    )  # fmt: skip
    assert probe_view(record, Target(REF, ADDRESS)).over == "the task is on its way out"
    assert next_actions(record, POLICY) == ()


@pytest.mark.parametrize(("exit_code", "state"), [(143, State.STOPPED), (None, State.FAILED)])
def test_an_interruption_is_the_cause_of_the_end(exit_code: int | None, state: State) -> None:
    """Of a container that ended by itself, in `stop`; of one without an exit code in `error`, which is transient."""
    main = main_container(last_status="STOPPED", exit_code=exit_code)
    end = observed(5, "STOPPED", "STOPPED", containers=(main,), **NOTICE)
    record = fold(healthy(capacity=Capacity.SPOT), end)
    assert (record.state, record.agent_address) == (state, None)
    error, stop = record.error, record.stop
    assert (stop and stop.cause) is (Cause.SPOT_INTERRUPTION if state is State.STOPPED else None)
    assert (error and (error.cause, error.transient)) == (None if exit_code else (Cause.SPOT_INTERRUPTION, True))


def test_an_old_item_is_on_demand() -> None:
    """A launch that an older version has pending is made as that version would have made it."""
    given_up = fold(usual(task_arn=TASK), never_ran(reason=NO_SPOT), about(LaunchClaimed, 4, by="one", attempt=2))
    action = next_actions(given_up, POLICY)[0]
    assert action.provider is None  # type: ignore[union-attr]
