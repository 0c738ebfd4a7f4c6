"""Task definitions: registered, described, listed, deregistered, deleted."""

from __future__ import annotations

from typing import Any, Final

from local.fargate.api.errors import AwsError, refuse
from local.fargate.api.naming import Names, family_and_revision
from local.fargate.api.wire import page
from local.fargate.rules import tag_violations, violations
from local.fargate.task import now

_CONTAINER_DEFAULTS: Final[dict[str, Any]] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
Tags = list[dict[str, str]]
_MAX_DELETED: Final = 10


class Definitions:
    """The registry. A revision number is never used again, not even after a deletion."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._families: dict[str, dict[int, dict[str, Any]]] = {}
        self._latest: dict[str, int] = {}
        self._tags: dict[str, Tags] = {}

    def register(self, request: dict[str, Any]) -> dict[str, Any]:
        """RegisterTaskDefinition.

        Raises `ClientException`, for tags `InvalidParameterException`, as every operation that takes tags.
        """
        definition = {key: value for key, value in request.items() if key != "tags"}
        refuse("ClientException", violations(definition))
        refuse("InvalidParameterException", tag_violations(request.get("tags", ())))
        family = definition["family"]
        revision = self._latest[family] = self._latest.get(family, 0) + 1
        arn = self._names.task_definition(family, revision)
        registered = {
            "taskDefinitionArn": arn,
            **definition,
            "containerDefinitions": [
                {**_CONTAINER_DEFAULTS, **container} for container in definition["containerDefinitions"]
            ],
            "revision": revision,
            "volumes": definition.get("volumes", []),
            "status": "ACTIVE",
            "placementConstraints": definition.get("placementConstraints", []),
            "compatibilities": ["EC2", "FARGATE"],
            "registeredAt": now(),
            "registeredBy": f"arn:aws:iam::{self._names.account}:root",
        }
        self._families.setdefault(family, {})[revision] = registered
        self._tags[arn] = request.get("tags", [])
        return {"taskDefinition": registered, "tags": self._tags[arn]}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTaskDefinition: an INACTIVE revision only by its number."""
        definition = self.find(request["taskDefinition"])
        if definition is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        answer: dict[str, Any] = {"taskDefinition": definition}
        if "TAGS" in request.get("include", ()):
            answer["tags"] = self.tags_of(definition)
        return answer

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTaskDefinitions: by exact family, ACTIVE by default, oldest first."""
        wanted, status = request.get("familyPrefix"), request.get("status", "ACTIVE")
        arns = [
            str(definition["taskDefinitionArn"])
            for family in sorted(self._families)
            if wanted in (None, family)
            for _, definition in sorted(self._families[family].items())
            if definition["status"] == status
        ]
        return page("taskDefinitionArns", arns[::-1] if request.get("sort") == "DESC" else arns, request)

    def list_families(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTaskDefinitionFamilies: by the beginning of the name; INACTIVE are those with no ACTIVE revision left."""
        beginning, status = request.get("familyPrefix", ""), request.get("status", "ALL")
        families = [
            family
            for family, revisions in sorted(self._families.items())
            if revisions
            and family.startswith(beginning)
            and status in ("ALL", "INACTIVE" if self.find(family) is None else "ACTIVE")
        ]
        return page("families", families, request)

    def deregister(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeregisterTaskDefinition: needs the revision; repeating it changes nothing."""
        _, revision = family_and_revision(request["taskDefinition"])
        if revision is None:
            raise AwsError("ClientException", "Revision is missing.")
        definition = self.find(request["taskDefinition"])
        if definition is None:
            raise AwsError("ClientException", "The specified task definition does not exist.")
        if definition["status"] == "ACTIVE":
            definition.update(status="INACTIVE", deregisteredAt=now())
        return {"taskDefinition": definition}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteTaskDefinitions: at most ten, each of them INACTIVE."""
        identifiers = request["taskDefinitions"]
        if len(identifiers) > _MAX_DELETED:
            raise AwsError("InvalidParameterException", f"At most {_MAX_DELETED} task definitions can be deleted.")
        deleted, failures = [], []
        for identifier in identifiers:
            family, revision = family_and_revision(identifier)
            definition = self.find(identifier) if revision is not None else None
            if definition is None or revision is None:
                failures.append({"arn": identifier, "reason": "TASK_DEFINITION_NOT_FOUND"})
            elif definition["status"] == "ACTIVE":
                raise AwsError(
                    "ClientException",
                    "The specified task definition is still in ACTIVE status. "
                    "Please deregister the target and try again.",
                )
            else:
                del self._families[family][revision]
                definition.update(status="DELETE_IN_PROGRESS", deleteRequestedAt=now())
                deleted.append(definition)
        return {"taskDefinitions": deleted, "failures": failures}

    def find(self, identifier: str) -> dict[str, Any] | None:
        """The definition of `family:revision` in any status, or the latest ACTIVE one of a bare family."""
        family, revision = family_and_revision(identifier)
        revisions = self._families.get(family, {})
        if revision is not None:
            return revisions.get(revision)
        active = [number for number, definition in revisions.items() if definition["status"] == "ACTIVE"]
        return revisions[max(active)] if active else None

    def runnable(self, identifier: str) -> dict[str, Any]:
        """The ACTIVE definition that RunTask names. Raises `ClientException`."""
        definition = self.find(identifier)
        if definition is None:
            raise AwsError("ClientException", "TaskDefinition not found.")
        if definition["status"] != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return definition

    def tags_of(self, definition: dict[str, Any]) -> Tags:
        return self._tags.get(definition["taskDefinitionArn"], [])
