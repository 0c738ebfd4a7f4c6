"""Runs the one-off task, and removes all that was made for it, whatever happens.

A call that makes something and the note of what it made are one step for signals, and so is the clean-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.adapters.aws_errors import translated
from core.adapters.ecs import BotoDefinitions, BotoEcs
from core.adapters.logs import CloudWatchOutput
from core.launch.settings import Settings
from core.model.errors import CallFailed
from core.model.facts import INIT
from core.ports import Clock
from reach import TimedOut
from reach.exits import remedy_of
from reach.signals import deferred, unwinding
from reach.staging.access import Access
from reach.staging.explaining import failure
from reach.staging.script import read_report
from reach.staging.task import FAMILY, STAGE, Order, definition, run_request
from reach.staging.versions import Report

_PAUSE: Final = 1.0
_OUTPUT_SECONDS: Final = 60.0
"""From the script's end until its output can be read. CloudWatch Logs shows it within seconds."""
_MOST_LINES: Final = 1000


@dataclass(frozen=True, slots=True)
class Aws:
    """Clients of boto3, the clock, and `say`, which gets a line for each step."""

    ecs: Any
    efs: Any
    logs: Any
    clock: Clock
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OneOff:
    """One run. `made` is what has to be removed after it, in the opposite order."""

    aws: Aws
    settings: Settings
    order: Order
    access: Access
    made: ExitStack = field(default_factory=ExitStack)

    def run(self, arguments: Sequence[str], timeout: float) -> Report:
        """The report of the script. Nothing of the run is left afterwards, not after a signal either.

        Raises `StagingFailed`, `CallFailed`, and `TimedOut` after so many seconds.
        """
        deadline = self.aws.clock.monotonic() + timeout
        with unwinding():
            try:
                access = self._with_access_point(deadline)
                with deferred():
                    definition_arn = self._registered(definition(self.settings, self.order, access, arguments))
                with deferred():
                    task_arn = self._started(run_request(self.settings, self.order, definition_arn))
                return self._report(self._end(task_arn, deadline))
            except KeyboardInterrupt:
                self.aws.say("interrupted: what was made is removed")
                raise
            finally:
                with deferred():
                    self.made.close()

    def _with_access_point(self, deadline: float) -> Access:
        creation, efs = self.access.creation, self.aws.efs
        if creation is None:
            return self.access
        with deferred(), translated("CreateAccessPoint"):
            made = efs.create_access_point(ClientToken=self.order.started_by, **creation)
            point: str = made["AccessPointId"]
            self._remove_later(
                f"access point {point}", "DeleteAccessPoint", efs.delete_access_point, AccessPointId=point
            )
        self.aws.say(f"access point {point} of {self.access.file_system} at {self.access.path}")
        while made["LifeCycleState"] == "creating":
            self._wait(deadline, f"The access point {point} is still being created.")
            with translated("DescribeAccessPoints"):
                [made] = efs.describe_access_points(AccessPointId=point)["AccessPoints"]
        return replace(self.access, point=point)

    def _registered(self, request: dict[str, Any]) -> str:
        with translated("RegisterTaskDefinition"):
            answer = self.aws.ecs.register_task_definition(**request)
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        remove = BotoDefinitions(self.aws.ecs, self.order.cluster).deregister
        self._remove_later(f"task definition {arn}", "DeregisterTaskDefinition", remove, arn)
        return arn

    def _started(self, request: dict[str, Any]) -> str:
        """The task's ARN. A call without an answer may have started it all the same, so it is looked for."""
        ecs, cluster = BotoEcs(self.aws.ecs), self.order.cluster
        try:
            arn = ecs.run(request).task_arn
        except CallFailed as failed:
            if failed.uncertain:
                for lost in ecs.find(cluster, self.order.started_by):
                    ecs.stop(cluster, lost, "RunTask of reach stage-agent had no answer.")
            raise
        self._remove_later(
            f"task {arn}", "StopTask", ecs.stop, cluster, arn, "reach stage-agent is done or interrupted."
        )
        return arn

    def _end(self, arn: str, deadline: float) -> Any:
        """The task once its script has ended, or it has stopped. ECS may not show it at first."""
        ecs, status = BotoEcs(self.aws.ecs), None
        while True:
            for task in ecs.describe(self.order.cluster, [arn]).tasks:
                if task["lastStatus"] != status:
                    status = task["lastStatus"]
                    self.aws.say(f"task {arn.rpartition('/')[2]}: {status}")
                if status == "STOPPED" or _code(task) is not None:
                    return task
            self._wait(deadline, f"The task {arn} has not ended, its status is {status or 'not shown'}.")

    def _report(self, task: Any) -> Report:
        """Raises `StagingFailed` for another exit code than 0."""
        group, arn = self.settings.task_log_group or "", task["taskArn"]
        output = CloudWatchOutput(self.aws.logs, group, FAMILY)
        if _code(task) != 0:
            names = [one["name"] for one in task["containers"] if one["name"] in (INIT, STAGE)]
            said = {name: lines for name in names if (lines := output.last_lines(arn, name, _MOST_LINES))}
            raise failure(task, said, self.aws.clock.now())
        deadline = self.aws.clock.monotonic() + _OUTPUT_SECONDS
        while (report := read_report(output.last_lines(arn, STAGE, _MOST_LINES))) is None:
            self._wait(deadline, f"The task {arn} did its work, but its report is not in the log group {group}.")
        return report

    def _wait(self, deadline: float, late: str) -> None:
        if self.aws.clock.monotonic() >= deadline:
            raise TimedOut(
                f"{late} What was made for it is removed. What to do: reach doctor, and try it again; --timeout "
                "SECONDS gives it more time. Nothing is half done: reach stage-agent --list"
            )
        self.aws.clock.sleep(_PAUSE)

    def _remove_later(self, what: str, operation: str, remove: Callable[..., object], *of: Any, **named: Any) -> None:
        """An error of it must not hide why the run ended, nor keep the rest from being removed."""

        def removed() -> None:
            try:
                with translated(operation):
                    remove(*of, **named)
            except CallFailed as failed:
                self.aws.say(
                    f"{what} is left behind: {failed}. What to do: remove it by {operation}. {remedy_of(failed)}"
                )

        self.made.callback(removed)


def _code(task: Any) -> int | None:
    return next((one.get("exitCode") for one in task["containers"] if one["name"] == STAGE), None)
