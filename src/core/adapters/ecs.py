"""The ECS API through boto3. AWS's error codes end here: everything above sees `CallFailed`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from core.adapters.failures import translated
from core.diagnosis import diagnose_run_failure
from core.errors import CallFailed, DefinitionGone
from core.ports import Described, Launched, TaskPage

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.literals import DesiredStatusType

DESCRIBE_LIMIT: Final = 100
LIST_LIMIT: Final = 100
_REFUSALS: Final = frozenset({"ClientException", "InvalidParameterException"})
"""Both have been seen with the texts of `_GONE`."""
_GONE: Final = re.compile(
    r"task ?definition (is inactive|not found|does not exist)|unable to describe task ?definition|delete_in_progress",
    re.IGNORECASE,
)


class BotoEcs:
    """Implements `core.ports.Ecs`. Definitions that were found or registered are remembered while warm."""

    def __init__(self, client: ECSClient) -> None:
        self._client = client
        self._definitions: dict[str, str] = {}

    def ensure_definition(self, definition: dict[str, Any], *, refused: str | None = None) -> str:
        """The ARN of an ACTIVE definition of this family. The family names its content, so any revision is right.

        Two functions that register it at once make two revisions, and both can be used.
        """
        family = definition["family"]
        known = self._definitions.get(family)
        if known is None or known == refused:
            found = self._describe_definition(family)
            # ECS is eventually consistent: it may still show as ACTIVE what RunTask no longer takes.
            known = found if found is not None and found != refused else self._register(definition)
            self._definitions[family] = known
        return known

    def run(self, request: dict[str, Any]) -> Launched:
        """RunTask. It answers 200 with `failures` and no task when there is no capacity (facts, surprise 13)."""
        try:
            with translated("RunTask", once=True):
                answer = self._client.run_task(**request)
        except CallFailed as failed:
            if failed.code in _REFUSALS and _GONE.search(failed.message):
                raise _gone(failed) from failed
            raise
        if answer["tasks"]:
            task = answer["tasks"][0]
            return Launched(task["taskArn"], task["taskDefinitionArn"], task["clusterArn"])
        failures = answer["failures"]
        reason = failures[0].get("reason", "no reason given") if failures else "neither a task nor a failure"
        detail = failures[0].get("detail") if failures else None
        diagnosis = diagnose_run_failure(reason, detail)
        raise CallFailed(
            "RunTask",
            "Failure",
            f"{reason}: {detail}" if detail else reason,
            cause=diagnosis.cause,
            remedy=diagnosis.remedy,
            transient=diagnosis.transient,
        )

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """StopTask; False when ECS does not know the task: it is long gone, or so young that it does not show yet."""
        try:
            with translated("StopTask"):
                self._client.stop_task(cluster=cluster, task=task_arn, reason=reason)
        except CallFailed as failed:
            if failed.code == "InvalidParameterException" and "not found" in failed.message:
                return False
            raise
        return True

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """DescribeTasks for at most 100 ARNs; the ones it does not show are named, MISSING or not."""
        with translated("DescribeTasks"):
            answer = self._client.describe_tasks(
                cluster=cluster, tasks=list(task_arns[:DESCRIBE_LIMIT]), include=["TAGS"]
            )
        missing = tuple(one["arn"] for one in answer["failures"] if one.get("reason") == "MISSING")
        refused = tuple(_not_shown(one) for one in answer["failures"] if one.get("reason") != "MISSING")
        return Described(tuple(dict(task) for task in answer["tasks"]), missing, refused)

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """ListTasks by startedBy. Stopped tasks are listed apart: desiredStatus defaults to RUNNING."""
        found: list[str] = []
        statuses: tuple[DesiredStatusType, ...] = ("RUNNING", "STOPPED")
        for status in statuses:
            with translated("ListTasks"):
                answer = self._client.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus=status)
            found += answer["taskArns"]
        return tuple(found)

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """ListTasks, one page. The launch type of Spot tasks is FARGATE too (facts, surprise 11)."""
        more: dict[str, Any] = {} if after is None else {"nextToken": after}
        with translated("ListTasks"):
            answer = self._client.list_tasks(
                cluster=cluster, desiredStatus="RUNNING", launchType="FARGATE", maxResults=LIST_LIMIT, **more
            )
        return TaskPage(tuple(answer["taskArns"]), answer.get("nextToken"))

    def _describe_definition(self, family: str) -> str | None:
        try:
            with translated("DescribeTaskDefinition"):
                answer = self._client.describe_task_definition(taskDefinition=family)
        except CallFailed as failed:
            if failed.code == "ClientException":
                return None
            raise
        found = answer["taskDefinition"]
        return found["taskDefinitionArn"] if found["status"] == "ACTIVE" else None

    def _register(self, definition: dict[str, Any]) -> str:
        with translated("RegisterTaskDefinition"):
            return self._client.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]


def _not_shown(failure: Mapping[str, Any]) -> CallFailed:
    """One member of DescribeTasks' `failures`: the call succeeded, but not for this task."""
    reason, detail = failure.get("reason", "no reason given"), failure.get("detail")
    told = f"{reason}: {detail}" if detail else reason
    return CallFailed("DescribeTasks", "Failure", f"{failure.get('arn', 'a task without ARN')} is not shown: {told}")


def _gone(failed: CallFailed) -> DefinitionGone:
    return DefinitionGone(
        failed.operation,
        failed.code,
        failed.message,
        cause=failed.cause,
        remedy=failed.remedy,
        transient=failed.transient,
    )
