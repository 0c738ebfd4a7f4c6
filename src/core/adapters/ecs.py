"""The ECS API through boto3: tasks, and the task definitions of an account for the job that retires them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import failed_call, translated
from core.diagnosis import diagnose_run_failure
from core.model.errors import CallFailed
from core.ports import Described, Launched, Registered, TaskPage

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

DESCRIBE_LIMIT: Final = 100
LIST_LIMIT: Final = 100
_NO_REASON: Final = "no reason given"


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
        with translated("RunTask", single=True):
            answer = self._single().run_task(**request)
        if answer["tasks"]:
            task = answer["tasks"][0]
            provider = task.get("capacityProviderName") or None
            return Launched(task["taskArn"], task["taskDefinitionArn"], task["clusterArn"], provider)
        failure = next(iter(answer["failures"]), {"reason": "neither a task nor a failure"})
        diagnosis = diagnose_run_failure(failure.get("reason", _NO_REASON), failure.get("detail"))
        raise failed_call("RunTask", "Failure", _why(failure), diagnosis, uncertain=False)

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
        """DescribeTasks for at most 100 ARNs. What cannot be told whose it is counts as refused."""
        with translated("DescribeTasks"):
            answer = self._client.describe_tasks(
                cluster=cluster, tasks=list(task_arns[:DESCRIBE_LIMIT]), include=["TAGS"]
            )
        shown = answer.get("tasks", ())
        tasks = tuple(one for one in shown if one and isinstance(one.get("taskArn"), str))
        failures = [one or {} for one in answer.get("failures", ())]
        missing = tuple(one["arn"] for one in failures if _is_missing(one))
        refused = [_not_shown(one) for one in failures if not _is_missing(one)]
        refused += [_not_shown({"reason": "the answer names no task"}) for _ in range(len(shown) - len(tasks))]
        return Described(tasks, missing, tuple(refused))

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        """ListTasks by startedBy; desiredStatus defaults to RUNNING.

        The API Reference allows no other filter beside startedBy, but ECS accepts desiredStatus. Should it not, there
        are no stopped ones.
        """
        more: dict[str, Any] = {"desiredStatus": "STOPPED"} if stopped else {}
        try:
            with translated("ListTasks"):
                return tuple(self._client.list_tasks(cluster=cluster, startedBy=started_by, **more)["taskArns"])
        except CallFailed as failed:
            if stopped and failed.code == "InvalidParameterException":
                return ()
            raise

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """ListTasks, one page. The launch type of Spot tasks is FARGATE too (ecs.md 4)."""
        more: dict[str, Any] = {} if after is None else {"nextToken": after}
        with translated("ListTasks"):
            answer = self._client.list_tasks(
                cluster=cluster, desiredStatus="RUNNING", launchType="FARGATE", maxResults=LIST_LIMIT, **more
            )
        return TaskPage(tuple(answer["taskArns"]), answer.get("nextToken"))


class BotoDefinitions:
    """Implements `core.ports.Definitions`. `cluster` is the cluster of our tasks.

    Pass a client that does not repeat throttled calls: they share a rate with starts.
    """

    def __init__(self, client: ECSClient, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def families(self, stem: str) -> Sequence[str]:
        """ListTaskDefinitionFamilies, all pages, with and without ACTIVE revisions."""
        with translated("ListTaskDefinitionFamilies"):
            pages = self._client.get_paginator("list_task_definition_families").paginate(
                familyPrefix=stem, status="ALL"
            )
            return [family for page in pages for family in page["families"]]

    def newest(self, family: str) -> Registered | None:
        """DescribeTaskDefinition of the family; ECS answers ClientException without an ACTIVE revision."""
        with translated("DescribeTaskDefinition"):
            try:
                found = self._client.describe_task_definition(taskDefinition=family)["taskDefinition"]
            except self._client.exceptions.ClientException:
                return None
        return Registered(found["taskDefinitionArn"], found["registeredAt"]) if found["status"] == "ACTIVE" else None

    def has_tasks(self, family: str) -> bool:
        """ListTasks of the family with desiredStatus RUNNING: from PROVISIONING until StopTask."""
        with translated("ListTasks"):
            answer = self._client.list_tasks(
                cluster=self._cluster, family=family, desiredStatus="RUNNING", maxResults=1
            )
        return bool(answer["taskArns"])

    def revisions(self, family: str, *, active: bool) -> Sequence[str]:
        """ListTaskDefinitions, all pages, oldest first. Its `familyPrefix` is the whole name (botocore)."""
        with translated("ListTaskDefinitions"):
            pages = self._client.get_paginator("list_task_definitions").paginate(
                familyPrefix=family, status="ACTIVE" if active else "INACTIVE"
            )
            return [arn for page in pages for arn in page["taskDefinitionArns"]]

    def deregister(self, arn: str) -> None:
        """DeregisterTaskDefinition. Repeating it changes nothing."""
        try:
            with translated("DeregisterTaskDefinition"):
                self._client.deregister_task_definition(taskDefinition=arn)
        except CallFailed as failed:
            if not (failed.code == "ClientException" and "does not exist" in failed.message):
                raise

    def delete(self, arns: Sequence[str]) -> Sequence[str]:
        """DeleteTaskDefinitions. A definition is DELETE_IN_PROGRESS until its last task has ended."""
        with translated("DeleteTaskDefinitions"):
            answer = self._client.delete_task_definitions(taskDefinitions=list(arns))
        return [one["arn"] for one in answer["failures"] if one.get("reason") != "TASK_DEFINITION_NOT_FOUND"]


def _is_missing(failure: Mapping[str, Any]) -> bool:
    return failure.get("reason") == "MISSING" and "arn" in failure


def _not_shown(failure: Mapping[str, Any]) -> CallFailed:
    """One member of DescribeTasks' `failures`: the call succeeded, but not for this task."""
    said = f"{failure.get('arn', 'a task without ARN')} is not shown: {_why(failure)}"
    return CallFailed("DescribeTasks", "Failure", said)


def _why(failure: Mapping[str, Any]) -> str:
    reason, detail = failure.get("reason", _NO_REASON), failure.get("detail")
    return f"{reason}: {detail}" if detail else reason
