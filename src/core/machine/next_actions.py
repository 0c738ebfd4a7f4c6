"""The actions that are pending for a record, read from the saved record alone.

Theory of operation
-------------------
A function does three things with a fact: it applies it to the record, saves the record, and then performs
`next_actions(record)` (`core.control.settle`). The actions do not come from the fact. So a function that dies after
the save loses nothing: the fact is delivered again and is stale by then, but the record still has the action pending,
and the reconciler finds it too, without any event.

An action is pending until its outcome is in the record, as another fact:

    pending because                           action          ends with
    a launch to repeat                        ClaimLaunch     LaunchClaimed, by one function at a time
    a launch to repeat that was claimed       Relaunch        LaunchAccepted, LaunchRejected, FailedTaskMissing
    task-running, so without an address       DescribeTask    TaskObserved
    an address, and no healthy agent yet      SendProbe       AgentAnswered, AgentSilent
    an address before the task runs           SendProbe       the same, or the event of RUNNING
    a healthy agent that outlives its process SendProbe       ProcessExited
    a stop requested, or a failure            StopTask        StopAccepted
    an exit that the agent reported           StopTask        StopAccepted
    its max_lifetime has passed               StopTask        StopAccepted
    a task beside the container's own         StopTask        StopAccepted
    ended, and its token in Parameter Store   EraseToken      TokenErased
    ended, and only the output says why       ReadOutput      OutputRead

Until then it may be performed twice: by two functions, or after a lost answer. Every action allows that. RunTask has a
client token, StopTask and the deletion of a parameter can be repeated, a second probe finds the first one's verdict.

No clock is read here: an action that becomes pending at a certain time (after a time-out) does so through a
fact, `TimePassed`, and `core.machine.schedule` decides when the reconciler applies it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.machine.early_probe import early
from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State

STOP_REASON_LIMIT: Final = 255


def next_actions(record: Record, policy: Policy) -> tuple[Action, ...]:
    """What is pending for this record, in the order in which to perform it."""
    return (*_for_the_launch(record), *_for_the_task(record, policy), *_for_the_rest(record))


def silence_known(record: Record) -> bool:
    """A prober gave the verdict of silence, and it is not the container's failure yet: ECS is read first."""
    return record.state is State.ENI_RESOLVED and record.probe is not None and record.probe.silent_at is not None


def relaunch_pending(record: Record) -> bool:
    """A task was given up, and none that follows it is known.

    A launch without a task to copy (ECS refused to start any) is repeated by the starter, which has the request.
    """
    return record.unlaunched and record.given_up_task is not None


def kept_running(record: Record, policy: Policy) -> bool:
    """The operator keeps the task of an unreachable agent for debugging, and the backend has requested no stop."""
    unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
    return policy.keep_unreachable and unreachable and not record.stop_requested


def _for_the_launch(record: Record) -> Iterator[Action]:
    """The process that claimed the launch last makes it. Another may claim it when the claim has expired."""
    if not relaunch_pending(record):
        return
    given_up = tuple(launch.task_arn for launch in record.launches if launch.task_arn)
    for ask in record.asked[-1:]:
        yield Relaunch(
            ref=record.ref,
            by=ask.by,
            cluster_arn=record.cluster_arn or "",
            task_arn=given_up[-1],
            attempt=record.attempt,
            given_up=given_up,
            security_groups=record.security_groups,
            provider=record.provider,
        )
    yield ClaimLaunch(ref=record.ref, attempt=record.attempt)


def _for_the_task(record: Record, policy: Policy) -> Iterator[Action]:
    ref, cluster, task = record.ref, record.cluster_arn or "", record.task_arn
    if task is None or record.stop_confirmed:
        return
    probed = record.state is State.ENI_RESOLVED or record.exit_unseen
    address = record.agent_address if probed else record.early_address
    if (reason := _pending_stop(record, policy)) is not None:
        yield StopTask(ref=ref, cluster_arn=cluster, task_arn=task, reason=reason[:STOP_REASON_LIMIT])
    elif record.state is State.TASK_RUNNING:
        yield DescribeTask(ref=ref, cluster_arn=cluster, task_arn=task)
    elif address is not None and not silence_known(record):
        yield SendProbe(ref=ref, address=address, early=None if probed else early(record))


def _for_the_rest(record: Record) -> Iterator[Action]:
    ref, cluster, end = record.ref, record.cluster_arn or "", record.unexplained
    for task in record.unwanted_tasks:
        reason = f"One task too many of container {record.container_id}."
        yield StopTask(ref=ref, cluster_arn=cluster, task_arn=task.task_arn, reason=reason, unwanted_since=task.at)
    if record.token_parameter is not None and (record.state.ended or end is not None):
        yield EraseToken(ref=ref, name=record.token_parameter)
    if end is not None and record.task_arn is not None:
        yield ReadOutput(ref=ref, task_arn=record.task_arn, container=end.container)


def _pending_stop(record: Record, policy: Policy) -> str | None:
    """The reason to give to StopTask; None when the task may run on or ends by itself."""
    if not record.state.ended:
        return (record.stop.reason or "asked for") if record.stop and record.stop_wanted else None
    error = record.error
    if record.stop is not None and record.stop.reported:
        return f"The container's process exited with {record.stop.exit_code}, as its agent reports."
    if error is None or error.code is ErrorCode.TASK_LOST:
        return None
    return None if kept_running(record, policy) else f"{error.code}: {error.message}"
