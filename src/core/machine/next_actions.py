"""What the world still owes a record, and when to look at it again. Derived from the SAVED record alone.

Because actions come from the record and not from the event, a function that died between its save and its
action loses nothing: the redelivered event is stale, but what the record owes is still owed (architecture.md 1).
"""

from __future__ import annotations

from typing import Any, Final

from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, Relaunch, SendProbe, StopTask
from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State

STOP_REASON_LIMIT: Final = 255


def next_actions(record: Record, policy: Policy) -> tuple[Action, ...]:
    """What has to be done now for this record, in order; empty when nothing is owed."""
    actions = (*_launch_actions(record), _task_action(record, policy), *_unwanted_stops(record), _token_action(record))
    return tuple(action for action in actions if action is not None)


def silence_known(record: Record) -> bool:
    """The prober has given up on the agent; what is left is to ask ECS, and to pronounce it."""
    return record.state is State.ENI_RESOLVED and record.probe is not None and record.probe.silent_at is not None


def relaunch_owed(record: Record) -> bool:
    """A task was given up, and the one that is to follow it is not known to run.

    A launch without a task to copy (ECS refused to start any) is repeated by the starter, which has the request.
    """
    return record.unlaunched and record.given_up_task is not None


def kept_running(record: Record, policy: Policy) -> bool:
    """The operator keeps the task of an unreachable agent for debugging, and nobody has asked for its end."""
    unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
    return policy.keep_unreachable and unreachable and not record.stop_requested


def _launch_actions(record: Record) -> tuple[Action, ...]:
    """The launch is for whoever claimed it last; a claim is for whoever comes first, or when the claimant is silent."""
    if not relaunch_owed(record):
        return ()
    who: dict[str, Any] = {
        "container_id": record.container_id,
        "generation": record.generation,
        "attempt": record.attempt,
    }
    given_up = tuple(launch.task_arn for launch in record.launches if launch.task_arn)
    launches = (
        Relaunch(**who, by=ask.by, cluster_arn=record.cluster_arn or "", task_arn=given_up[-1], given_up=given_up)
        for ask in record.asked[-1:]
    )
    return (*launches, ClaimLaunch(**who))


def _task_action(record: Record, policy: Policy) -> Action | None:
    who: dict[str, Any] = {"container_id": record.container_id, "generation": record.generation}
    cluster = record.cluster_arn or ""
    if record.task_arn is None or record.stopping:
        return None
    task: dict[str, Any] = {"cluster_arn": cluster, "task_arn": record.task_arn}
    if (reason := _stop_owed(record, policy)) is not None:
        return StopTask(**who, **task, reason=reason[:STOP_REASON_LIMIT])
    if record.state is State.TASK_RUNNING:
        return DescribeTask(**who, **task)
    if silence_known(record):
        return None
    address = record.agent_address if record.state is State.ENI_RESOLVED else record.early_address
    return SendProbe(**who, address=address) if address is not None else None


def _unwanted_stops(record: Record) -> tuple[StopTask, ...]:
    return tuple(
        StopTask(
            container_id=record.container_id,
            generation=record.generation,
            cluster_arn=record.cluster_arn or "",
            task_arn=task.task_arn,
            reason=f"One task too many of container {record.container_id}.",
            unwanted_since=task.at,
        )
        for task in record.unwanted_tasks
    )


def _token_action(record: Record) -> Action | None:
    if not record.state.ended or record.token_parameter is None:
        return None
    return EraseToken(container_id=record.container_id, generation=record.generation, name=record.token_parameter)


def _stop_owed(record: Record, policy: Policy) -> str | None:
    """The reason to give to StopTask, or None when the task may run on or ends by itself."""
    if not record.state.ended:
        return (record.stop.reason or "asked for") if record.stop and record.stop.requested else None
    if record.state is State.STOPPED or record.error is None or record.error.code is ErrorCode.TASK_LOST:
        return None
    if kept_running(record, policy):
        return None
    return f"{record.error.code}: {record.error.message}"
