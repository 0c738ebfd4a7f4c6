"""Performing what is pending for a record: one case for each action. The outcome is a fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, assert_never

from core.control.describe_tasks import find_task, observe
from core.launch.plan import relaunch
from core.machine.early_probe import delay
from core.machine.runtime_complaint import complaint_in
from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.errors import CallFailed
from core.model.facts import (
    Fact,
    FailedTaskMissing,
    LaunchAccepted,
    LaunchClaimed,
    LaunchRejected,
    OutputRead,
    StopAccepted,
    TaskListed,
    TaskObserved,
    TokenErased,
)
from core.model.failure import Cause
from core.model.identity import Ref
from core.ports import Launched, Output, Ports

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

OUTPUT_LINES: Final = 2
"""As many as show whether one is all there is."""
OUTPUT_PATIENCE: Final = 3.0
"""Seconds to wait for a first line. The end is shown some 10 s after the exit as a rule, but sometimes at once."""
OUTPUT_PAUSE: Final = 1.0


def perform(ports: Ports, action: Action) -> Fact | None:  # noqa: PLR0911 - one case each
    """Performs the action; None when nothing became known by it. Raises `CallFailed`."""
    match action:
        case SendProbe():
            _send_probe(ports, action)
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
            lines = _read_output(ports, ports.output, action) if ports.output is not None else ()
            return OutputRead(ref=action.ref, at=ports.clock.now(), complaint=complaint_in(lines, action.container))
        case _:
            assert_never(action)


def launch_accepted(ports: Ports, ref: Ref, launched: Launched) -> LaunchAccepted:
    """The fact in RunTask's answer."""
    return LaunchAccepted(
        ref=ref,
        at=ports.clock.now(),
        task_arn=launched.task_arn,
        task_definition_arn=launched.task_definition_arn,
        cluster_arn=launched.cluster_arn,
        capacity_provider_name=launched.capacity_provider_name,
    )


def _send_probe(ports: Ports, action: SendProbe) -> None:
    """An early probe is delayed. While no start of its definition is known, the event of RUNNING brings the probe."""
    after = 0
    if action.early is not None:
        usual = ports.start_times.usual(action.early.family)
        if usual is None:
            return
        after = delay(action.early.since, usual, ports.clock.now())
    ports.queue.send(action.ref, action.address, after)


def _stop_task(ports: Ports, action: StopTask) -> StopAccepted | None:
    """None when ECS does not know the task: the stop stays pending until DescribeTasks has said so too."""
    known = ports.ecs.stop(action.cluster_arn, action.task_arn, action.reason)
    now, since = ports.clock.now(), action.unwanted_since
    gone = since is not None and (now - since).total_seconds() >= ports.policy.launch_check
    return StopAccepted(ref=action.ref, at=now, task_arn=action.task_arn) if known or gone else None


def _describe_task(ports: Ports, action: DescribeTask) -> TaskObserved | None:
    """None when ECS shows no such task yet, or it is not ours: the reconciler describes it again."""
    if (task := _described(ports, action)) is None:
        return None
    observed = observe(ports, task, action.ref)
    return observed if isinstance(observed, TaskObserved) else None


def _relaunch(ports: Ports, action: Relaunch) -> Fact:
    """RunTask with the client token of this attempt: done twice, it is still one task."""
    task = _described(ports, action)
    if task is None:
        return _not_shown(ports, action)
    try:
        launched = ports.ecs.run(relaunch(task, ports.settings, action))
    except CallFailed as failed:
        if failed.uncertain or failed.cause is Cause.THROTTLED or failed.already_launched:
            # No refusal. The launch stays pending; the start timeout bounds it, and the task of a conflict is found
            # through startedBy.
            raise
        now, failure = ports.clock.now(), failed.as_launch_failure()
        return LaunchRejected(ref=action.ref, at=now, attempt=action.attempt, by=ports.process, failure=failure)
    return launch_accepted(ports, action.ref, launched)


def _not_shown(ports: Ports, action: Relaunch) -> TaskListed | FailedTaskMissing:
    """The failed task cannot be copied; but an earlier call may have started the next one already."""
    arn = find_task(ports, action.cluster_arn, action.ref, (action.task_arn, *action.given_up))
    now = ports.clock.now()
    if arn is not None:
        return TaskListed(ref=action.ref, at=now, task_arn=arn)
    return FailedTaskMissing(ref=action.ref, at=now, task_arn=action.task_arn, attempt=action.attempt)


def _described(ports: Ports, action: DescribeTask | Relaunch) -> TaskTypeDef | None:
    """None when ECS does not know the task. Raises `CallFailed` when ECS does not say."""
    answer = ports.ecs.describe(action.cluster_arn, [action.task_arn])
    for refused in answer.refused:
        raise refused
    return next(iter(answer.tasks), None)


def _read_output(ports: Ports, output: Output, action: ReadOutput) -> Sequence[str]:
    """The last lines; none when they cannot be read, or there are none: ECS's words count then.

    Raises `RunStopped` when this run may read no more: the action stays pending for the next one.
    """
    deadline = ports.clock.monotonic() + ports.output_patience
    try:
        while not (lines := output.last_lines(action.task_arn, action.container, OUTPUT_LINES)):
            if ports.clock.monotonic() + OUTPUT_PAUSE > deadline:
                ports.observer.output_unread(action.ref, action.task_arn, None)
                break
            ports.clock.sleep(OUTPUT_PAUSE)
    except CallFailed as error:
        ports.observer.output_unread(action.ref, action.task_arn, error)
        return ()
    return lines
