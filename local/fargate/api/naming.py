"""ARNs and identifiers, as ECS builds and reads them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from local.fargate.api.errors import AwsError

_LONGEST_TASK_ID: Final = 36
_TASK_RESOURCE: Final = re.compile(r"task/(?:(?P<cluster>[^/]+)/)?(?P<id>[^/]+)")


@dataclass(frozen=True, slots=True)
class Names:
    """Builds the ARNs of one account and Region."""

    region: str
    account: str

    def _arn(self, resource: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"

    def cluster(self, name: str) -> str:
        return self._arn(f"cluster/{name}")

    def task(self, cluster: str, task_id: str) -> str:
        return self._arn(f"task/{cluster}/{task_id}")

    def container(self, cluster: str, task_id: str) -> str:
        """A new container ARN: `…:container/cluster/task id/uuid`."""
        return self._arn(f"container/{cluster}/{task_id}/{uuid.uuid4()}")

    def task_definition(self, family: str, revision: int) -> str:
        return self._arn(f"task-definition/{family}:{revision}")


def resource_of(identifier: str) -> str:
    """`task/default/0af…` of an ARN; anything else as it is."""
    return identifier.split(":", 5)[-1] if identifier.startswith("arn:") else identifier


def cluster_name(identifier: str | None) -> str:
    """The cluster that a request names by name or ARN; `default` when it names none."""
    return resource_of(identifier).removeprefix("cluster/") if identifier else "default"


def task_id(identifier: str, cluster: str) -> str:
    """The id in a task ARN, or the id itself.

    Raises ECS's `InvalidParameterException` for an ARN of another cluster and for what cannot be an id.
    """
    if identifier.startswith("arn:"):
        match = _TASK_RESOURCE.fullmatch(resource_of(identifier))
        if match is None:
            raise AwsError("InvalidParameterException", f"Invalid identifier: {identifier}")
        if match["cluster"] not in (None, cluster):
            raise AwsError(
                "InvalidParameterException",
                f"Invalid identifier: Identifier is for cluster {match['cluster']}. Your cluster is {cluster}",
            )
        return match["id"]
    if len(identifier) > _LONGEST_TASK_ID:
        raise AwsError("InvalidParameterException", "taskId longer than 36.")
    return identifier


def family_and_revision(identifier: str) -> tuple[str, int | None]:
    """Reads `family`, `family:revision` or the ARN of either; the revision is None for a bare family.

    Raises ECS's `ClientException` for a revision that is no number.
    """
    name = resource_of(identifier).removeprefix("task-definition/")
    family, _, revision = name.partition(":")
    if not revision:
        return family, None
    if not revision.isdigit():
        raise AwsError("ClientException", f"Invalid revision number. Number: {revision}")
    return family, int(revision)
