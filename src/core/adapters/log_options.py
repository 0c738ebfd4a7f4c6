"""Where the containers of a task definition log to, through boto3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.adapters.failures import translated

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient


@dataclass(frozen=True, slots=True)
class LogDestination:
    """The options `awslogs-group` and `awslogs-stream-prefix`. The region is the cluster's (`core.definition`)."""

    group: str
    prefix: str

    def stream(self, container: str, task_arn: str) -> str:
        """`<prefix>/<container>/<task id>` (ECS Developer Guide, "Send Amazon ECS logs to CloudWatch")."""
        return f"{self.prefix}/{container}/{task_arn.rpartition('/')[2]}"


class BotoLogOptions:
    """Reads log options from task definitions. What was read is remembered while warm: a revision never changes."""

    def __init__(self, client: ECSClient) -> None:
        self._client = client
        self._known: dict[str, dict[str, LogDestination]] = {}

    def of(self, task_definition_arn: str, container: str) -> LogDestination | None:
        """None for a container without the awslogs driver. Raises `CallFailed`."""
        if task_definition_arn not in self._known:
            self._known[task_definition_arn] = self._describe(task_definition_arn)
        return self._known[task_definition_arn].get(container)

    def _describe(self, task_definition_arn: str) -> dict[str, LogDestination]:
        with translated("DescribeTaskDefinition"):
            answer = self._client.describe_task_definition(taskDefinition=task_definition_arn)
        found = {}
        for container in answer["taskDefinition"]["containerDefinitions"]:
            match container.get("logConfiguration"):
                case {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": group, "awslogs-stream-prefix": prefix},
                }:
                    found[container["name"]] = LogDestination(group, prefix)
        return found
