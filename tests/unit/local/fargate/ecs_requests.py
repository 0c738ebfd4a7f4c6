"""A task definition and a run that AWS takes, and changes of the definition."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Change = Callable[[dict[str, Any]], object]
ROLE = "arn:aws:iam::123456789012:role/execution"
S3_FILE_SYSTEM = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
S3_ACCESS_POINT = f"{S3_FILE_SYSTEM}/access-point/fsap-0123456789abcdef0"
SECRET_VALUE = "hunter2"
DEFINITION: dict[str, Any] = {
    "family": "web-1",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": ROLE,
    "volumes": [
        {"name": "scratch"},
        {
            "name": "data",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
            },
        },
    ],
    "containerDefinitions": [
        {"name": "init", "image": "busybox", "essential": False},
        {
            "name": "main",
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1",
            "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
            "environment": [{"name": "A", "value": SECRET_VALUE}],
            "secrets": [{"name": "TOKEN", "valueFrom": "/token"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
            },
        },
    ],
}
RUN: dict[str, Any] = {
    "taskDefinition": "web-1",
    "launchType": "FARGATE",
    "startedBy": "me",
    "clientToken": "t",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    "overrides": {"containerOverrides": [{"name": "main", "environment": [{"name": "B", "value": SECRET_VALUE}]}]},
    "tags": [{"key": "team", "value": "a"}],
}


def definition(*changes: Change) -> dict[str, Any]:
    """A definition that AWS takes, with these changes."""
    changed = copy.deepcopy(DEFINITION)
    for change in changes:
        change(changed)
    return changed


def both(first: Change, second: Change) -> Change:
    """One after the other."""
    return lambda changed: (first(changed), second(changed))


def task(**members: Any) -> Change:
    """Sets members of the definition itself."""
    return lambda changed: changed.update(members)


def without(*members: str) -> Change:
    """Removes members of the definition itself."""
    return lambda changed: [changed.pop(member) for member in members]


def init(**members: Any) -> Change:
    """Sets members of the container `init`."""
    return lambda changed: changed["containerDefinitions"][0].update(members)


def main(**members: Any) -> Change:
    """Sets members of the container `main`."""
    return lambda changed: changed["containerDefinitions"][1].update(members)


def efs(**members: Any) -> Change:
    """Sets members of the volume on EFS."""
    return lambda changed: changed["volumes"][1]["efsVolumeConfiguration"].update(members)


def s3_files(**members: Any) -> Change:
    """Adds a volume of S3 Files on an access point, with these members, and a role; None leaves a member out."""
    configuration = {"fileSystemArn": S3_FILE_SYSTEM, "accessPointArn": S3_ACCESS_POINT, **members}
    present = {name: value for name, value in configuration.items() if value is not None}
    return both(task(taskRoleArn=ROLE), volume(name="bucket", s3filesVolumeConfiguration=present))


def volume(**members: Any) -> Change:
    """Adds a volume."""
    return lambda changed: changed["volumes"].append(members)


def dependency(name: str, condition: str) -> Change:
    """Makes `main` depend on that container."""
    return main(dependsOn=[{"containerName": name, "condition": condition}])


def sidecars(number: int) -> Change:
    """Adds so many containers to the two."""
    extra = [{"name": f"side-{each}", "image": "busybox"} for each in range(number)]
    return lambda changed: changed["containerDefinitions"].extend(extra)


def tags(number: int) -> list[dict[str, str]]:
    """So many tags with different keys."""
    return [{"key": f"key-{each}", "value": ""} for each in range(number)]
