"""Tasks that carry our startedBy and that no record wants, on the deployed stack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.adapters.ecs import BotoEcs
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.launch.plan import relaunch
from core.launch.settings import Settings
from core.model.actions import Relaunch
from core.model.identity import Ref
from core.model.record import Record
from core.model.state import State
from tests.e2e.stack import Stack
from tests.factories import event
from tests.fakes import SettableClock
from tests.world import PortsInMemory

ATTEMPT = 99
"""Gives RunTask another client token than any start has."""


def second_task(stack: Stack, container_id: str, healthy: Record, generation: int) -> str:
    """One more task, as a client token that ECS had forgotten would start it."""
    assert healthy.task_arn is not None
    assert healthy.cluster_arn is not None
    ecs = BotoEcs(stack.ecs)
    [task] = ecs.describe(healthy.cluster_arn, [healthy.task_arn]).tasks
    settings = Settings(table_name="any", task_subnets=("subnet-00000001",))
    launch = Relaunch(
        ref=Ref(container_id, generation),
        by="a test",
        cluster_arn=healthy.cluster_arn,
        task_arn=healthy.task_arn,
        attempt=ATTEMPT,
    )
    return ecs.run(relaunch(task, settings, launch)).task_arn


def test_a_second_task_of_a_generation_is_stopped_at_its_first_event(stack: Stack, container_id: str) -> None:
    """One task is enough; the container runs on in its own."""
    stack.start(container_id)
    healthy = stack.reaches(container_id, State.AGENT_HEALTHY)
    second = second_task(stack, container_id, healthy, generation=1)

    def stopping() -> list[str]:
        # Not until it has stopped: one that has hardly begun ignores SIGTERM, as process 1 may.
        [task] = stack.ecs.describe_tasks(tasks=[second])["tasks"]
        return [task["stoppedReason"]] if task["desiredStatus"] == "STOPPED" else []

    reason = stack.eventually(stopping, lambda: f"{second} is to stop")[0]
    assert reason == f"One task too many of container {container_id}."
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert (record.task_arn, record.agent_address) == (healthy.task_arn, healthy.agent_address)


def test_a_task_of_another_generation_is_stopped(stack: Stack, container_id: str) -> None:
    """The function leaves it alone while it is young. Ten minutes later it is stopped, and the container runs on."""
    stack.start(container_id)
    healthy = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert healthy.task_arn is not None
    assert healthy.cluster_arn is not None
    leak = second_task(stack, container_id, healthy, generation=7)
    stack.task_becomes(leak, "RUNNING")

    answer = stack.invoke("Reconcile", event("reconcile-leaks"))
    assert answer["listed"] >= answer["ours"] >= 2
    assert (answer["errors"], answer["stopped"]) == ({}, None)
    [line] = [task for task in stack.tasks(container_id) if task["arn"] == leak]
    assert line["last_status"] == "RUNNING"

    clock = SettableClock(datetime.now(UTC) + timedelta(minutes=10))
    ports = PortsInMemory(store=stack.store, ecs=BotoEcs(stack.ecs), clock=clock)
    report = find_leaked_tasks(ports, healthy.cluster_arn, Listing())
    told = dict(ports.observer.leaks)

    assert told[leak] == "the container is at generation 1"
    assert healthy.task_arn not in told
    assert report.errors == {}
    # On its way out: one that has hardly begun ignores SIGTERM, as process 1 may, until its stopTimeout is over.
    [stopping] = stack.ecs.describe_tasks(tasks=[leak])["tasks"]
    assert stopping["desiredStatus"] == "STOPPED"
    assert stopping["stoppedReason"] == f"Leaked task of container {container_id}: {told[leak]}."
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert (record.task_arn, record.agent_address) == (healthy.task_arn, healthy.agent_address)
