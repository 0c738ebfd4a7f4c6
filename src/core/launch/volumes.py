"""Network file systems in a task: the volume that ECS mounts."""

from __future__ import annotations

from typing import Any

from core.launch.ecs_rules import present


def is_access_point_of(access_point_arn: str | None, file_system_arn: str | None) -> bool:
    """Whether the access point belongs to the file system, whose ARN its own begins with. None belongs to any."""
    return access_point_arn is None or access_point_arn.startswith(f"{file_system_arn}/")


def efs_volume(
    name: str, file_system_id: str, access_point_id: str | None, root_directory: str | None = None, *, iam: bool
) -> dict[str, Any]:
    """A task volume on EFS. ECS refuses a root directory beside an access point, which has one."""
    configuration = {
        "fileSystemId": file_system_id,
        "rootDirectory": None if access_point_id else root_directory or "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": present({"accessPointId": access_point_id, "iam": "ENABLED" if iam else None}),
    }
    return {"name": name, "efsVolumeConfiguration": present(configuration)}


def s3_files_volume(
    name: str, file_system_arn: str, access_point_arn: str | None, root_directory: str | None = None
) -> dict[str, Any]:
    """A task volume on S3 Files. As with EFS, an access point has the root directory."""
    configuration = {
        "fileSystemArn": file_system_arn,
        "accessPointArn": access_point_arn,
        "rootDirectory": None if access_point_arn else root_directory or "/",
    }
    return {"name": name, "s3filesVolumeConfiguration": present(configuration)}
