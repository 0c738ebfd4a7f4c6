"""The ECS API through boto3. It translates AWS's error codes; its callers see `CallFailed`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated
from core.diagnosis import diagnose_run_failure
from core.model.errors import CallFailed, DefinitionGone
from core.ports import Described, Launched, TaskPage

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

DESCRIBE_LIMIT: Final = 100
LIST_LIMIT: Final = 100
_REFUSALS: Final = frozenset({"ClientException", "InvalidParameterException"})
"""ECS has used both with the texts of `_GONE`."""
_GONE: Final = re.compile(
    r"task ?definition (is inactive|not found|does not exist)|unable to describe task ?definition|delete_in_progress",
    re.IGNORECASE,
)


class BotoEcs:
    """Implements `core.ports.Ecs`.

    `single` gives the client for RunTask and RegisterTaskDefinition, with one attempt a call. The SDK must not repeat
    these, because the answer to a repeated call says nothing about the first attempt. The caller repeats them.
    """

    def __init__(self, client: ECSClient, single: Callable[[], ECSClient] | None = None) -> None:
        self._client = client
        self._single = single or (lambda: client)

    def register(self, definition: dict[str, Any]) -> None:
        """RegisterTaskDefinition. A family's name is a hash of its content, so all its revisions are equal."""
        with translated("RegisterTaskDefinition", single=True):
            self._single().register_task_definition(**definition)

    def run(self, request: dict[str, Any]) -> Launched:
        """RunTask. It answers 200 with `failures` and no task when there is no capacity (ecs.md 5).

        A family without a revision means its newest ACTIVE one, for IAM too since 2024-03 (API Reference, RunTask).
        """
        try:
            with translated("RunTask", single=True):
                answer = self._single().run_task(**request)
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
        """StopTask. False if ECS does not know the task: it ended long ago, or is too young to be visible."""
        try:
            with translated("StopTask"):
                self._client.stop_task(cluster=cluster, task=task_arn, reason=reason)
        except CallFailed as failed:
            if failed.code == "InvalidParameterException" and "not found" in failed.message:
                return False
            raise
        return True

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """DescribeTasks for at most 100 ARNs."""
        with translated("DescribeTasks"):
            answer = self._client.describe_tasks(
                cluster=cluster, tasks=list(task_arns[:DESCRIBE_LIMIT]), include=["TAGS"]
            )
        missing = tuple(one["arn"] for one in answer["failures"] if one.get("reason") == "MISSING")
        refused = tuple(_not_shown(one) for one in answer["failures"] if one.get("reason") != "MISSING")
        return Described(tuple(answer["tasks"]), missing, refused)

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """ListTasks by startedBy. Stopped tasks need a second call, because desiredStatus defaults to RUNNING.

        The API Reference allows no other filter beside startedBy, but ECS accepts desiredStatus. If the second call
        fails, the result of the first one still counts.
        """
        with translated("ListTasks"):
            running = self._client.list_tasks(cluster=cluster, startedBy=started_by)["taskArns"]
        try:
            with translated("ListTasks"):
                stopped = self._client.list_tasks(cluster=cluster, startedBy=started_by, desiredStatus="STOPPED")
        except CallFailed as failed:
            if not running and failed.code != "InvalidParameterException":
                raise
            return tuple(running)
        return (*running, *stopped["taskArns"])

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """ListTasks, one page. The launch type of Spot tasks is FARGATE too (ecs.md 4)."""
        more: dict[str, Any] = {} if after is None else {"nextToken": after}
        with translated("ListTasks"):
            answer = self._client.list_tasks(
                cluster=cluster, desiredStatus="RUNNING", launchType="FARGATE", maxResults=LIST_LIMIT, **more
            )
        return TaskPage(tuple(answer["taskArns"]), answer.get("nextToken"))


def _not_shown(failure: Mapping[str, Any]) -> CallFailed:
    """One member of DescribeTasks' `failures`: the call succeeded, but not for this task."""
    reason, detail = failure.get("reason", "no reason given"), failure.get("detail")
    why = f"{reason}: {detail}" if detail else reason
    return CallFailed("DescribeTasks", "Failure", f"{failure.get('arn', 'a task without ARN')} is not shown: {why}")


def _gone(failed: CallFailed) -> DefinitionGone:
    return DefinitionGone(
        failed.operation,
        failed.code,
        failed.message,
        cause=failed.cause,
        remedy=failed.remedy,
        transient=failed.transient,
    )
