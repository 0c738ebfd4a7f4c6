"""Performing what is pending for a record: one case for each action. The outcome is a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from core.control.container_output import read_output
from core.launch.plan import relaunch
from core.machine.task_documents import NotOurs, observe_description
from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.errors import CallFailed
from core.model.facts import (
    Fact,
    FailedTaskMissing,
    LaunchAccepted,
    LaunchClaimed,
    LaunchRejected,
    StopAccepted,
    TaskListed,
    TaskObserved,
    TokenErased,
)
from core.model.failure import Cause
from core.model.identity import started_by
from core.ports import Ports

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef


def perform(ports: Ports, action: Action) -> Fact | None:  # noqa: PLR0911 - one case each
    """Performs the action; None when nothing became known by it. Raises `CallFailed`."""
    match action:
        case SendProbe():
            ports.queue.send(action.ref, action.address)
            return None
        case DescribeTask():
            return _describe_task(ports, action)
        case StopTask():
            return _stop_task(ports, action)
        case ClaimLaunch():
            return LaunchClaimed(ref=action.ref, at=ports.clock.now(), by=ports.process, attempt=action.attempt)
        case Relaunch():
            return _relaunch(ports, action) if action.by == ports.process else None
        case EraseToken():
            ports.vault.erase(action.name)
            return TokenErased(ref=action.ref, at=ports.clock.now(), name=action.name)
        case ReadOutput():
            return read_output(ports, action)
        case _:
            assert_never(action)


def _stop_task(ports: Ports, action: StopTask) -> StopAccepted | None:
    """None when ECS does not know the task: the stop stays pending until DescribeTasks has said so too."""
    known = ports.ecs.stop(action.cluster_arn, action.task_arn, action.reason)
    now, since = ports.clock.now(), action.unwanted_since
    gone = since is not None and (now - since).total_seconds() >= ports.policy.launch_look
    return StopAccepted(ref=action.ref, at=now, task_arn=action.task_arn) if known or gone else None


def _describe_task(ports: Ports, action: DescribeTask) -> TaskObserved | None:
    """None when ECS shows no such task yet, or it is not ours: the reconciler asks again."""
    task = _described(ports, action)
    if task is None:
        return None
    observed = observe_description(task, prefix=ports.settings.started_by_prefix, at=ports.clock.now())
    return None if isinstance(observed, NotOurs) else observed


def _relaunch(ports: Ports, action: Relaunch) -> Fact:
    """RunTask with the client token of this attempt: done twice, it is still one task."""
    task = _described(ports, action)
    if task is None:
        return _not_shown(ports, action)
    try:
        launched = ports.ecs.run(relaunch(task, ports.settings, action.ref, action.attempt))
    except CallFailed as failed:
        if failed.uncertain or failed.cause is Cause.THROTTLED or failed.already_launched:
            # No refusal. The launch stays pending; the start timeout bounds it, and the task of a conflict is found
            # through startedBy.
            raise
        return LaunchRejected(
            ref=action.ref,
            at=ports.clock.now(),
            attempt=action.attempt,
            by=ports.process,
            failure=failed.as_launch_failure(),
        )
    return LaunchAccepted(
        ref=action.ref,
        at=ports.clock.now(),
        task_arn=launched.task_arn,
        task_definition_arn=launched.task_definition_arn,
        cluster_arn=launched.cluster_arn,
    )


def _not_shown(ports: Ports, action: Relaunch) -> TaskListed | FailedTaskMissing:
    """The failed task cannot be copied; but an earlier call may have started the next one already."""
    known = {action.task_arn, *action.given_up}
    found = ports.ecs.find(action.cluster_arn, started_by(ports.settings.started_by_prefix, action.ref))
    now = ports.clock.now()
    for arn in found:
        if arn not in known:
            return TaskListed(ref=action.ref, at=now, task_arn=arn)
    return FailedTaskMissing(ref=action.ref, at=now, task_arn=action.task_arn, attempt=action.attempt)


def _described(ports: Ports, action: DescribeTask | Relaunch) -> TaskTypeDef | None:
    """None when ECS does not know the task. Raises `CallFailed` when ECS does not say."""
    answer = ports.ecs.describe(action.cluster_arn, [action.task_arn])
    for refused in answer.refused:
        raise refused
    return next(iter(answer.tasks), None)
