"""The actions that are pending for a record, read from the saved record alone.

Theory of operation
-------------------
A function does three things with a fact: it applies it to the record, saves the record, and then performs
`next_actions(record)` (`core.control.settle`). The actions do not come from the fact. So a function that dies after
the save loses nothing: the fact is delivered again and is stale by then, but the record still has the action pending,
and the reconciler finds it too, without any event.

Each action ends when its outcome is in the record, as another fact:

    pending because                           action          ends with
    a launch to repeat                        ClaimLaunch     LaunchClaimed, by one function at a time
    a launch to repeat that was claimed       Relaunch        LaunchAccepted, LaunchRejected, FailedTaskMissing
    task-running, so without an address       DescribeTask    TaskObserved
    an address, and no healthy agent yet      SendProbe       AgentAnswered, AgentSilent
    a stop asked for, or a failure            StopTask        StopAccepted
    a task beside the container's own         StopTask        StopAccepted
    ended, and its token in Parameter Store   EraseToken      TokenErased
    ended, and only the output says why       ReadOutput      OutputRead

Until then the action is pending, and may be performed twice: by two functions, or after a lost answer. Every one of
them allows that. RunTask has a client token, StopTask and the deletion of a parameter can be repeated, a second probe
finds the first one's result.

No clock is read here: an action that becomes pending at a certain time (after a time-out) does so through a
fact, `TimePassed`, and `core.machine.schedule` decides when the reconciler applies it.
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
    """The operator keeps the task of an unreachable agent for debugging, and the backend has not asked for its end."""
    unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
    return policy.keep_unreachable and unreachable and not record.stop_requested


def _launch_actions(record: Record) -> tuple[Action, ...]:
    """The process that claimed the launch last makes it. Another may claim it when the claim has expired."""
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
