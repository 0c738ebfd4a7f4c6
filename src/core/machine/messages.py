"""The text of every failure of an item: what happened, the facts, what to do next (contract.md 6).

`core.diagnosis` words what ECS reports; this module words what only we know.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.diagnosis import Diagnosis
from core.machine.address import address_outside
from core.model.errors import IllegalTransition
from core.model.facts import TaskObserved
from core.model.failure import Cause, ErrorCode, Failure
from core.model.instants import format_instant
from core.model.parts import AgentWarning
from core.model.policy import Policy
from core.model.record import Record

ROUTE: Final = (
    "A function in a VPC needs the DynamoDB gateway endpoint in the route tables of its subnets (stack parameter "
    "ProberRouteTableIds) and TCP 443 let out of its subnets and security group."
)

# For a probe that has reported no result. It is no failure, because no agent was probed.
NO_RESULT: Final = "No result of the prober arrived."
NO_RESULT_REMEDY: Final = (
    f"First the prober's route to DynamoDB. {ROUTE} Then AgentHealthFunction's errors, throttles and dead-letter "
    "queue, and the free addresses of its subnets. The task runs on and its agent is asked again."
)


def no_child(record: Record) -> AgentWarning:
    """The agent answers, and its `/health` shows no child: the container's command does not run."""
    return AgentWarning(
        f"The agent at {record.agent_address} answers, but it shows no child process (`pid` of GET /health): the "
        "container's command does not run. exec works.",
        f"Check that the injected agent is of the flavor {record.agent_flavor} (stack parameter AgentFlavor; the "
        "public Sockerless agent is sockerless). Then start the container again.",
    )


def task_ended(task: TaskObserved, diagnosis: Diagnosis) -> Failure:
    """The task ended without a run of the container's own process that could be blamed."""
    never_ran = task.started_at is None and diagnosis.cause not in {Cause.USER_STOPPED, Cause.SPOT_INTERRUPTION}
    code = ErrorCode.TASK_FAILED_TO_START if diagnosis.start_failed or never_ran else ErrorCode.TASK_STOPPED
    message = f"{diagnosis.summary} {diagnosis.detail}".strip()
    return Failure(code, message, diagnosis.remedy, diagnosis.cause, diagnosis.transient)


def outside(address: str, policy: Policy) -> str:
    """The address is none that a prober may connect to."""
    return f"{address} lies outside the networks of agents, {', '.join(map(str, policy.agent_networks))}."


OUTSIDE_REMEDY: Final = (
    "If it is an address of your VPC, add the VPC's CIDR block to the stack parameter AgentNetworks and start the "
    "container again. Loopback, link-local and multicast addresses and those of AWS's own services never are."
)


def eni_not_found(task: TaskObserved, policy: Policy) -> Failure:
    """Neither the event nor DescribeTasks shows a usable address. With ECS's `attachments` (specification.md 16)."""
    attachments = json.dumps([attachment.raw for attachment in task.attachments], default=str, separators=(",", ":"))
    if (address := address_outside(task, policy)) is not None:
        return Failure(
            ErrorCode.ENI_NOT_FOUND,
            f"Task {task.task_arn} is RUNNING, and {outside(address, policy)} attachments: {attachments}",
            OUTSIDE_REMEDY,
        )
    return Failure(
        ErrorCode.ENI_NOT_FOUND,
        f"Task {task.task_arn} is RUNNING but shows no network interface with a private address. "
        f"attachments: {attachments}",
        "Check that the task definition uses networkMode awsvpc and start the container again; "
        "if it repeats, open an AWS support case with these attachments.",
        Cause.ENI_PROVISIONING,
        transient=True,
    )


def never_launched(record: Record, at: datetime) -> Failure:
    """The container is recorded, and no task was ever started for it."""
    if record.stop and record.stop.requested:
        return Failure(
            ErrorCode.LAUNCH_FAILED,
            f"The container was stopped before any task of it ran. reason: {record.stop.reason or 'none given'}",
            "Nothing, if that was meant; else start it again.",
            Cause.USER_STOPPED,
        )
    age = (at - record.last_asked_at).total_seconds()
    earlier = record.launches[-1].failure if record.launches else None
    before = f" The launch before it failed: {earlier.message}" if earlier else ""
    return Failure(
        ErrorCode.LAUNCH_FAILED,
        f"No task of this container exists {age:.0f} s after its launch was due: the start was interrupted "
        f"before RunTask, or got no answer of it.{before}",
        "Start the container again. If ECS refuses every try, that start's own answer says why.",
        (earlier.cause if earlier else None) or Cause.UNKNOWN,
        transient=True,
    )


def not_repeated(record: Record) -> Failure:
    """ECS forgot the failed task before it was launched again, so its own failure is the last one."""
    first = record.launches[-1].failure
    return replace(
        first,
        code=ErrorCode.LAUNCH_FAILED,
        message=f"{first.message} It was not launched again: ECS no longer shows task {record.given_up_task}, which "
        "another launch copies.",
        remedy=f"{first.remedy} Then start the container again.".strip(),
    )


def task_lost(record: Record) -> Failure:
    """ECS showed the task once and does not any more."""
    return Failure(
        ErrorCode.TASK_LOST,
        f"ECS no longer knows task {record.task_arn}, and how it ended was never seen. It was {record.state} at "
        f"{format_instant(record.updated_at)}.",
        "Start the container again. ECS forgets a stopped task after about an hour: check that the EventBridge "
        "rule of this stack is enabled and that its dead-letter queue is empty.",
        Cause.UNKNOWN,
        transient=True,
    )


def lifetime_over(record: Record) -> str:
    """The reason that StopTask is given, and ECS then shows."""
    return f"max_lifetime: the container has run for the {record.max_lifetime} s that its start allowed."


def start_timed_out(record: Record, policy: Policy) -> Failure:
    """Too long from `pending` to RUNNING."""
    return Failure(
        ErrorCode.START_TIMEOUT,
        f"The task did not reach RUNNING within {policy.start_timeout:g} s. Task: {record.task_arn or 'none'}; "
        f"last version seen: {record.task_version}.",
        "Look at the task's containers in the ECS console: a large image, a slow registry or an address "
        "shortage in the subnet takes long. Raise StartTimeoutSeconds if this is normal for the image.",
        transient=True,
    )


def agent_unreachable(record: Record, policy: Policy) -> Failure:
    """A prober had no answer until the deadline (specification.md 17).

    Raises `IllegalTransition` for a record without a prober's verdict: no silence without a try.
    """
    probe = record.probe
    if probe is None or probe.silent_at is None:
        raise IllegalTransition(f"Container {record.container_id} has no verdict of a prober.")
    return Failure(
        ErrorCode.AGENT_UNREACHABLE,
        f"The agent at {record.agent_address} did not answer within {policy.health_timeout:g} s. "
        f"Last connection error, of {probe.attempts} tries: {probe.last_error}",
        probe.remedy or "",
    )
