"""Spot and On-Demand, and the time that a container may run."""

from __future__ import annotations

import pytest

from core.model.capacity import Capacity
from core.model.failure import Cause, ErrorCode
from core.model.parts import Instant
from core.model.state import State
from tests.e2e.stack import PATIENCE, Stack


@pytest.mark.parametrize("fault", ["spot-capacity", "spot-capacity-late"])
def test_without_spot_capacity_a_container_runs_on_demand(stack: Stack, container_id: str, fault: str) -> None:
    """Whether RunTask refuses or the task of Spot fails to start: the item ends healthy, and says what was used."""
    stack.fargate.fault(container_id, fault)
    assert "error" not in stack.start(container_id, capacity="spot-first")
    record = stack.client.wait_until_healthy(container_id, PATIENCE).record
    assert (record.capacity, record.capacity_provider) == (Capacity.SPOT_FIRST, "FARGATE")
    assert [launch.failure.cause for launch in record.launches] == [Cause.CAPACITY]
    assert (record.launches[0].task_arn is None) is (fault == "spot-capacity")
    shown = stack.client.inspect(container_id)
    assert (shown["capacity"], shown["capacity_provider"]) == ("spot-first", "FARGATE")
    [task] = stack.ecs.describe_tasks(tasks=[record.task_arn])["tasks"]
    assert task["capacityProviderName"] == "FARGATE"


def test_an_interruption_is_the_cause_of_the_end(stack: Stack, container_id: str) -> None:
    """From Spot's notice on the item says that the task is stopping; it ends with the exit code and the cause."""
    stack.start(
        container_id, capacity="spot", cmd=["sh", "-c", "trap 'sleep 1; exit 3' TERM; while :; do sleep 0.1; done"]
    )
    agent = stack.client.wait_until_healthy(container_id, PATIENCE)
    assert (agent.record.capacity_provider, agent.stopping) == ("FARGATE_SPOT", False)
    stack.fargate.interrupt(str(agent.record.task_arn))
    leaving = stack.until(container_id, lambda seen: Instant.STOPPING in seen.timings, "the notice is noted")
    assert leaving.state.ended or leaving.agent_address == agent.address
    ended = stack.reaches(container_id, State.STOPPED)
    assert ended.stop is not None
    assert (ended.stop.code, ended.stop.cause) == ("SpotInterruption", Cause.SPOT_INTERRUPTION)
    assert ended.stop.exit_code is not None
    assert ended.agent_address is None


def test_a_cluster_without_spot_is_refused_with_the_remedy(stack: Stack, container_id: str) -> None:
    """In ECS's own words, and with the command that associates the capacity providers."""
    stack.fargate.fault(container_id, "capacity-provider")
    error = stack.start(container_id, capacity="spot-first")["error"]
    assert (error["code"], error["transient"]) == (ErrorCode.LAUNCH_FAILED, False)
    assert "not associated with the cluster" in error["message"]
    assert "put-cluster-capacity-providers" in error["remedy"]
    assert stack.tasks(container_id) == []


def test_a_container_whose_time_is_over_is_stopped(stack: Stack, container_id: str) -> None:
    """The reconciler stops the task, and the item says why."""
    stack.start(container_id, max_lifetime=60)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    # A start allows a minute at least: as if it had allowed a second, and were due.
    stack.change(container_id, max_lifetime=1, check_at=record.timings[Instant.STARTED])
    stack.eventually(
        lambda: stack.reconcile() and (stack.record(container_id) or record).stopping, lambda: "the task is stopped"
    )
    ended = stack.reaches(container_id, State.STOPPED)
    assert ended.stop is not None
    assert (ended.stop.expired, ended.stop.requested) == (True, False)
    assert (ended.stop.reason or "").startswith("max_lifetime: ")
    assert ended.stop.exit_code is not None
