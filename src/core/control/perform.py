"""Carrying out what a record owes: one function per kind of action, each telling what became known by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from core.control.settle import Perform
from core.launch.repeat import relaunch
from core.launch.settings import Settings
from core.machine.task_documents import NotOurs, observe_description
from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, Relaunch, SendProbe, StopTask
from core.model.errors import CallFailed
from core.model.facts import (
    Fact,
    FailedTaskMissing,
    LaunchAccepted,
    LaunchClaimed,
    LaunchRejected,
    StopAccepted,
    TaskListed,
    TokenErased,
)
from core.model.failure import Cause
from core.model.identity import started_by
from core.ports import Clock, ProbeQueue, Tasks, TokenVault


@dataclass(frozen=True, slots=True)
class Performer:
    """The actions of the functions that can reach the ECS API, the probe queue and the Parameter Store.

    The ports are asked for when they are first needed: a client costs 0.1 s of a cold start, and most starts need one.
    """

    ecs: Callable[[], Tasks]
    queue: Callable[[], ProbeQueue]
    vault: Callable[[], TokenVault]
    clock: Clock
    settings: Settings
    by: str
    """Names this process among those that may make a launch."""

    def perform(self, action: Action) -> Fact | None:
        """Carries the action out; None when nothing became known by it. Raises `CallFailed`."""
        match action:
            case SendProbe():
                self.queue().send(action.ref, action.address)
                return None
            case StopTask():
                return self._stop_task(action)
            case DescribeTask():
                return self._describe_task(action)
            case ClaimLaunch():
                return LaunchClaimed(ref=action.ref, at=self.clock(), by=self.by, attempt=action.attempt)
            case Relaunch():
                return self._relaunch(action)
            case EraseToken():
                self.vault().erase(action.name)
                return TokenErased(ref=action.ref, at=self.clock(), name=action.name)
            case _:
                assert_never(action)

    def table(self) -> Mapping[type[Action], Perform]:
        """For `Settler`: what this performer can do, by kind of action."""
        return dict.fromkeys((SendProbe, StopTask, DescribeTask, ClaimLaunch, Relaunch, EraseToken), self.perform)

    def _stop_task(self, action: StopTask) -> Fact | None:
        """None when ECS does not know the task: the stop stays owed until DescribeTasks has said so too."""
        known = self.ecs().stop(action.cluster_arn, action.task_arn, action.reason)
        if not known and not self._long_unwanted(action):
            return None
        return StopAccepted(ref=action.ref, at=self.clock(), task_arn=action.task_arn)

    def _long_unwanted(self, action: StopTask) -> bool:
        if action.unwanted_since is None:
            return False
        return (self.clock() - action.unwanted_since).total_seconds() >= self.settings.policy.launch_look

    def _describe_task(self, action: DescribeTask) -> Fact | None:
        """None when ECS shows no such task yet, or it is not ours: the reconciler looks again."""
        for task in self._described(action):
            observed = observe_description(task, prefix=self.settings.started_by_prefix, at=self.clock())
            if not isinstance(observed, NotOurs):
                return observed
        return None

    def _relaunch(self, action: Relaunch) -> Fact | None:
        """RunTask with the client token of this attempt: done twice, it is still one task. None: another's to make."""
        if action.by != self.by:
            return None
        shown = self._described(action)
        if not shown:
            return self._not_shown(action)
        try:
            launched = self.ecs().run(relaunch(shown[0], self.settings, action.ref, action.attempt))
        except CallFailed as failed:
            if failed.uncertain or failed.cause is Cause.THROTTLED or failed.code == "ConflictException":
                # Nobody has said no. The launch stays owed; the start timeout bounds it, and the task of a conflict
                # is found through startedBy.
                raise
            return LaunchRejected(
                ref=action.ref, at=self.clock(), attempt=action.attempt, by=self.by, failure=failed.as_launch_failure()
            )
        return LaunchAccepted(
            ref=action.ref,
            at=self.clock(),
            task_arn=launched.task_arn,
            task_definition_arn=launched.task_definition_arn,
            cluster_arn=launched.cluster_arn,
        )

    def _not_shown(self, action: Relaunch) -> Fact:
        """The failed task cannot be copied; but an earlier call may have started the next one already."""
        generation = started_by(self.settings.started_by_prefix, action.ref)
        known = {action.task_arn, *action.given_up}
        for arn in self.ecs().find(action.cluster_arn, generation):
            if arn not in known:
                return TaskListed(ref=action.ref, at=self.clock(), task_arn=arn)
        return FailedTaskMissing(ref=action.ref, at=self.clock(), task_arn=action.task_arn, attempt=action.attempt)

    def _described(self, action: DescribeTask | Relaunch) -> Sequence[dict[str, Any]]:
        """The task of the action, or nothing when ECS does not know it. Raises `CallFailed` when ECS does not say."""
        answer = self.ecs().describe(action.cluster_arn, [action.task_arn])
        for refused in answer.refused:
            raise refused
        return answer.tasks
