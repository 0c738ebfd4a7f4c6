"""The task definitions of an account, for the job that retires them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed
from core.ports import Registered

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

_NOT_FOUND: Final = "TASK_DEFINITION_NOT_FOUND"


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
        try:
            with translated("DescribeTaskDefinition"):
                found = self._client.describe_task_definition(taskDefinition=family)["taskDefinition"]
        except CallFailed as failed:
            if failed.code == "ClientException":
                return None
            raise
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
        return [one["arn"] for one in answer["failures"] if one.get("reason") != _NOT_FOUND]
