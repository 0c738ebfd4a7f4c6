"""By which access point, and as which role, the one-off task writes the directory that tasks mount from EFS.

The tasks' own role may not write (foundation.yaml). An access point for staging has the same root directory, acts as
the owner of that directory, and names in a tag the role that may write through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from core.adapters.aws_errors import translated
from core.launch.settings import Settings
from reach import Refused

ROLE_TAG: Final = "sockerless-reach:staging-role"


@dataclass(frozen=True, slots=True)
class Access:
    """`path` is the tasks' directory on the file system. `point` is None where one has to be made with `creation`.

    `creation` is CreateAccessPoint's parameters but for the token. Without both, the file system's root is mounted.
    """

    file_system: str
    path: str
    role: str
    point: str | None = None
    creation: dict[str, Any] | None = None


def access(settings: Settings, efs: Any, role: str | None) -> Access:
    """The access point for staging, with the role of the command line or of its tag.

    Without one, it is made for this run, and the role is the tasks'. Raises `Refused`, `CallFailed`.
    """
    file_system, of_tasks = settings.efs_file_system_id or "", settings.efs_access_point_id
    with translated("DescribeAccessPoints"):
        pages = efs.get_paginator("describe_access_points").paginate(FileSystemId=file_system)
        points = {one["AccessPointId"]: one for page in pages for one in page["AccessPoints"]}
    if of_tasks and of_tasks not in points:
        raise Refused(
            f"{file_system} has no access point {of_tasks}. What to do: check EfsAccessPointId of the stack; "
            f"aws efs describe-access-points --file-system-id {file_system}"
        )
    path = points[of_tasks]["RootDirectory"]["Path"] if of_tasks else "/"
    found = next((one for one in points.values() if one["RootDirectory"]["Path"] == path and _tagged_role(one)), None)
    role = role or (_tagged_role(found) if found else settings.task_role_arn)
    if role is None:
        raise Refused(
            f"No role is known that may write to {file_system}. What to do: give --role ARN of a role that tasks may "
            "have, with elasticfilesystem:ClientMount and ClientWrite: docs/deploy.md, Stage the agent."
        )
    if found:
        return Access(file_system, path, role, point=found["AccessPointId"])
    return Access(file_system, path, role, creation=_like(points[of_tasks]) if of_tasks else None)


def _tagged_role(point: Any) -> str | None:
    return next((tag["Value"] for tag in point.get("Tags", ()) if tag["Key"] == ROLE_TAG), None)


def _like(point: Any) -> dict[str, Any]:
    """An access point with the same root that acts as the root's owner, or as the tasks do where none is stated."""
    root, user = point["RootDirectory"], point.get("PosixUser")
    if owner := root.get("CreationInfo"):
        user = {"Uid": owner["OwnerUid"], "Gid": owner["OwnerGid"]}
    made = {"FileSystemId": point["FileSystemId"], "RootDirectory": root, "PosixUser": user}
    return {name: value for name, value in made.items() if value}
