"""Mount targets of EFS and of S3 Files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Mounts, MountTarget
from reach.doctor.gathering.network import security_groups, subnets, task_groups, task_subnets
from reach.doctor.knowledge import Document, fact
from reach.doctor.reads import (
    EFS_MOUNT_TARGET_GROUPS,
    EFS_MOUNT_TARGETS,
    S3_MOUNT_TARGET,
    S3_MOUNT_TARGETS,
)


def of_efs(aws: Aws, stack: Deployed, file_system: str) -> Mounts:
    """Of a file system of EFS."""

    def groups(target: str) -> list[str]:
        found: list[str] = aws.ask(EFS_MOUNT_TARGET_GROUPS, MountTargetId=target)["SecurityGroups"]
        return found

    def targets() -> list[MountTarget]:
        answer = aws.ask(EFS_MOUNT_TARGETS, FileSystemId=file_system) or {"MountTargets": []}
        found = [(one["MountTargetId"], one["SubnetId"], one["LifeCycleState"]) for one in answer["MountTargets"]]
        return _mount_targets(aws, found, groups)

    return _mounts(aws, stack, targets)


def of_s3_files(aws: Aws, stack: Deployed, file_system: str) -> Mounts:
    """Of a file system of S3 Files."""

    def groups(target: str) -> list[str]:
        found: list[str] = aws.ask(S3_MOUNT_TARGET, mountTargetId=target)["securityGroups"]
        return found

    def targets() -> list[MountTarget]:
        answer = aws.ask(S3_MOUNT_TARGETS, fileSystemId=file_system) or {"mountTargets": []}
        found = [(one["mountTargetId"], one["subnetId"], one["status"]) for one in answer["mountTargets"]]
        return _mount_targets(aws, found, groups)

    return _mounts(aws, stack, targets)


def _mounts(aws: Aws, stack: Deployed, targets: Callable[[], list[MountTarget]]) -> Mounts:
    return Mounts(
        targets=fact(targets),
        task_subnets=fact(partial(task_subnets, aws, stack)),
        task_groups=fact(lambda: list(security_groups(aws, task_groups(aws, stack)).values())),
    )


def _mount_targets(
    aws: Aws, found: list[tuple[str, str, str]], groups: Callable[[str], list[str]]
) -> list[MountTarget]:
    """Of (id, subnet, status). The zone is that of the subnet, in the spelling of EC2."""
    zones = {
        one["SubnetId"]: one["AvailabilityZone"] for one in subnets(aws, sorted({subnet for _, subnet, _ in found}))
    }

    def documents(target: str) -> list[Document]:
        return list(security_groups(aws, groups(target)).values())

    return [
        MountTarget(name, zones.get(subnet, "unknown"), status, fact(partial(documents, name)))
        for name, subnet, status in found
    ]
