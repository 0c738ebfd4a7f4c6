"""Functions that die, and events and messages that never arrive: nothing that was pending is lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.adapters.ecs import BotoEcs
from core.control.settle import settle_event
from core.machine.task_documents import observe_event
from core.model.facts import StopRequested, TaskObserved
from core.model.failure import ErrorCode
from core.model.identity import Ref
from core.model.instants import truncate
from core.model.policy import Policy
from core.model.record import Settled
from core.model.state import State
from tests.e2e import documents, logs
from tests.e2e.stack import HEALTH_TIMEOUT, Stack
from tests.world import NONE, World


def started_silently(stack: Stack, container_id: str, **lost: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a start has answered whose container's events are lost, and the RUNNING event of its task."""
    stack.fargate.fault(container_id, "events", drop=1.0, **lost)
    started = stack.start(container_id)
    return started, stack.shown(started["task_arn"], "RUNNING")


def now() -> datetime:
    return truncate(datetime.now(UTC))


# ------------------------------------------------------- between a save and its action
def test_a_death_after_the_save_is_healed_by_the_next_delivery(stack: Stack, container_id: str) -> None:
    """Saved, and no probe sent: the same event is stale then, and what the record owes is done all the same."""
    _, running = started_silently(stack, container_id)
    fact = observe_event(running, prefix="sockerless", at=now())
    assert isinstance(fact, TaskObserved)
    policy = Policy(health_timeout=HEALTH_TIMEOUT)
    dead_after_its_save = settle_event(World(store=stack.store, policy=policy, performs=NONE), fact)
    assert isinstance(dead_after_its_save, Settled)
    assert dead_after_its_save.steps
    assert stack.deliver(running)
    stack.reaches(container_id, State.AGENT_HEALTHY)


def test_a_refused_action_is_done_by_lambdas_retry(stack: Stack, container_id: str) -> None:
    """The record is saved, SQS refuses the probe, and the function fails: Lambda invokes it again."""
    with denied(stack, "TaskState", "sqs:SendMessage"):
        stack.start(container_id)
        stack.reaches(container_id, State.ENI_RESOLVED)
        stack.eventually(
            lambda: any(
                "SendMessage failed with AccessDenied" in line for line in logs.messages(stack.cloud, "task-state")
            ),
            lambda: "the function has failed",
        )
    stack.reaches(container_id, State.AGENT_HEALTHY)


def test_a_killed_function_loses_nothing(stack: Stack, container_id: str) -> None:
    """SIGKILL between the save and the answer of ECS: Lambda invokes the function again, and that one asks ECS."""
    started, running = started_silently(stack, container_id)
    running["detail"]["attachments"] = []
    for container in running["detail"]["containers"]:
        container["networkInterfaces"] = []
    with ecs_frozen(stack):
        assert stack.deliver(running)
        saved = stack.reaches(container_id, State.TASK_RUNNING)
        assert saved.agent_address is None
        assert kill_workers(stack, "TaskState")
    healthy = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert healthy.task_arn == started["task_arn"]


def test_a_recorded_stop_is_carried_out_by_the_reconciler(stack: Stack, container_id: str) -> None:
    """A function that died before StopTask leaves a task that is to end: the next look ends it."""
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    asked = StopRequested(ref=Ref(container_id, 1), at=now(), reason="nobody heard this")
    settle_event(World(store=stack.store, performs=NONE), asked)
    stack.change(container_id, check_at=now())
    stack.reconcile()
    assert stack.task_becomes(record.task_arn, "STOPPED")["stopped_reason"] == asked.reason
    stack.reaches(container_id, State.STOPPED)


# ------------------------------------------------------------------- what never arrived
def test_a_lost_running_event_is_made_up_for(stack: Stack, container_id: str) -> None:
    """The reconciler finds the task running, and the record passes every state."""
    started_silently(stack, container_id, last_status="RUNNING")
    stack.change(container_id, check_at=now())
    stack.reconcile()
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert [step.to for step in record.history] == [State.TASK_RUNNING, State.ENI_RESOLVED, State.AGENT_HEALTHY]


def test_a_lost_end_is_made_up_for(stack: Stack, container_id: str) -> None:
    """The reconciler finds the task of a healthy container stopped, with its exit code."""
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    stack.fargate.fault(container_id, "events", drop=1.0)
    stack.fargate.kill(str(record.task_arn))
    stack.task_becomes(record.task_arn, "STOPPED")
    record = stack.change(container_id, check_at=now())
    assert record.state is State.AGENT_HEALTHY
    stack.reconcile()
    record = stack.reaches(container_id, State.STOPPED)
    assert record.stop is not None
    assert record.stop.exit_code == 128 + 9
    assert record.agent_address is None


def test_a_lost_probe_is_sent_again(stack: Stack, container_id: str) -> None:
    """A message that vanished from the queue delays a container until the next look, and no longer."""
    with stack.queues.prober_off():
        stack.start(container_id)
        stack.reaches(container_id, State.ENI_RESOLVED)
        lost = stack.eventually(lambda: list(stack.queues.taken(stack.queues.probes)), lambda: "a probe was sent")
        assert [json.loads(body)["container_id"] for body in lost] == [container_id]
    stack.change(container_id, check_at=now())
    stack.reconcile()
    stack.reaches(container_id, State.AGENT_HEALTHY)


def test_a_task_without_an_event_is_found(stack: Stack, container_id: str) -> None:
    """RunTask was called, and no event has recorded its task: the reconciler finds it by its startedBy."""
    started, _ = started_silently(stack, container_id)
    stack.change(container_id, check_at=now())
    stack.reconcile()
    assert stack.reaches(container_id, State.AGENT_HEALTHY).task_arn == started["task_arn"]


def test_a_start_that_died_goes_on_when_it_is_repeated(stack: Stack, container_id: str) -> None:
    """The same start again is the same generation, the same token and the same task."""
    started, _ = started_silently(stack, container_id)
    before = stack.reaches(container_id, State.PENDING)
    again = stack.start(container_id)
    assert again == {**started, "state": State.ENI_RESOLVED}, "the start has asked ECS, as the reconciler does"
    assert stack.reaches(container_id, State.AGENT_HEALTHY).agent_token == before.agent_token
    assert len(stack.tasks(container_id)) == 1


def test_a_task_that_ecs_forgot_is_lost(stack: Stack, container_id: str) -> None:
    """How it ended was never seen, and nobody can tell any more: `TaskLost`."""
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    long_ago = record.created_at - timedelta(hours=2)
    stack.change(container_id, task_arn=documents.task_arn(), created_at=long_ago, check_at=now())
    stack.reconcile()
    lost = stack.reaches(container_id, State.FAILED)
    assert lost.error is not None
    assert lost.error.code is ErrorCode.TASK_LOST
    assert lost.error.remedy
    assert lost.agent_address is None
    BotoEcs(stack.ecs).stop(str(record.cluster_arn), str(record.task_arn), "the test is over")


# ------------------------------------------------------------------------- what breaks
@contextlib.contextmanager
def denied(stack: Stack, function: str, action: str) -> Iterator[None]:
    """Meanwhile AWS refuses an action to a function."""
    iam = stack.cloud.client("iam")
    configuration = stack.functions.get_function_configuration(FunctionName=stack.arn(function))
    role = configuration["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


@contextlib.contextmanager
def ecs_frozen(stack: Stack) -> Iterator[None]:
    """Meanwhile the ECS API takes connections and answers nobody."""
    server = json.loads((stack.cloud.layout.run / "fargate.json").read_text())["pid"]
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def kill_workers(stack: Stack, function: str) -> int:
    """SIGKILL to every process of the local AWS that runs a function; how many there were."""
    aws = json.loads((stack.cloud.layout.run / "ministack.json").read_text())["pid"]
    variable = f"AWS_LAMBDA_FUNCTION_NAME={stack.arn(function).rpartition(':')[2]}".encode()
    killed = 0
    for children in Path(f"/proc/{aws}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            # One that has ended meanwhile has neither an environment nor a thread to kill.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if variable in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                    os.kill(child, signal.SIGKILL)
                    killed += 1
    return killed
