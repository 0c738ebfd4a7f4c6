"""The actions that are pending for a record. Derived from the SAVED record alone.

Because actions come from the record and not from the event, a function that died between its save and its action
loses nothing: the redelivered event is stale, but the action is still pending.
"""

from __future__ import annotations

from typing import Final

from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State

STOP_REASON_LIMIT: Final = 255


def next_actions(record: Record, policy: Policy) -> tuple[Action, ...]:
    """What has to be done now for this record, in order; empty when nothing is pending."""
    actions = (
        *_launch_actions(record),
        _task_action(record, policy),
        *_unwanted_stops(record),
        _token_action(record),
        _output_action(record),
    )
    return tuple(action for action in actions if action is not None)


def silence_known(record: Record) -> bool:
    """The prober has given up on the agent; what is left is to ask ECS, and to pronounce it."""
    return record.state is State.ENI_RESOLVED and record.probe is not None and record.probe.silent_at is not None


def relaunch_pending(record: Record) -> bool:
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
    if not relaunch_pending(record):
        return ()
    given_up = tuple(launch.task_arn for launch in record.launches if launch.task_arn)
    launches = (
        Relaunch(
            ref=record.ref,
            by=ask.by,
            cluster_arn=record.cluster_arn or "",
            task_arn=given_up[-1],
            attempt=record.attempt,
            given_up=given_up,
        )
        for ask in record.asked[-1:]
    )
    return (*launches, ClaimLaunch(ref=record.ref, attempt=record.attempt))


def _task_action(record: Record, policy: Policy) -> Action | None:
    ref, cluster, task = record.ref, record.cluster_arn or "", record.task_arn
    if task is None or record.stopping:
        return None
    if (reason := _pending_stop(record, policy)) is not None:
        return StopTask(ref=ref, cluster_arn=cluster, task_arn=task, reason=reason[:STOP_REASON_LIMIT])
    if record.state is State.TASK_RUNNING:
        return DescribeTask(ref=ref, cluster_arn=cluster, task_arn=task)
    if silence_known(record):
        return None
    address = record.agent_address if record.state is State.ENI_RESOLVED else record.early_address
    return SendProbe(ref=ref, address=address) if address is not None else None


def _unwanted_stops(record: Record) -> tuple[StopTask, ...]:
    return tuple(
        StopTask(
            ref=record.ref,
            cluster_arn=record.cluster_arn or "",
            task_arn=task.task_arn,
            reason=f"One task too many of container {record.container_id}.",
            unwanted_since=task.at,
        )
        for task in record.unwanted_tasks
    )


def _token_action(record: Record) -> Action | None:
    over = record.state.ended or record.unexplained is not None
    if not over or record.token_parameter is None:
        return None
    return EraseToken(ref=record.ref, name=record.token_parameter)


def _output_action(record: Record) -> Action | None:
    if record.unexplained is None or record.task_arn is None:
        return None
    return ReadOutput(ref=record.ref, task_arn=record.task_arn, container=record.unexplained.container)


def _pending_stop(record: Record, policy: Policy) -> str | None:
    """The reason to give to StopTask, or None when the task may run on or ends by itself."""
    if not record.state.ended:
        return (record.stop.reason or "asked for") if record.stop and record.stop.requested else None
    if record.state is State.STOPPED or record.error is None or record.error.code is ErrorCode.TASK_LOST:
        return None
    if kept_running(record, policy):
        return None
    return f"{record.error.code}: {record.error.message}"
