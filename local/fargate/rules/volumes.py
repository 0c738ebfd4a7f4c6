"""What ECS checks in the volumes of a task definition: names, EFS and S3 Files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.fargate.rules.violation import LONG_NAME, MAX_NAME, Violation, has_foreign_characters, quoted

_FILE_SYSTEM: Final = re.compile(r"fs-[0-9a-f]{8,40}")
_ACCESS_POINT: Final = re.compile(r"fsap-[0-9a-f]{8,40}")
# botocore, s3files: FileSystemArn, AccessPointArn.
_S3_FILE_SYSTEM: Final = re.compile(r"arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}")
_S3_ACCESS_POINT: Final = re.compile(rf"({_S3_FILE_SYSTEM.pattern})/access-point/fsap-[0-9a-f]{{17,40}}")


def volume_violations(definition: Mapping[str, Any]) -> Iterator[Violation]:
    """The rules that the volumes of this definition break."""
    seen = set()
    for volume in definition.get("volumes", ()):
        name = volume.get("name", "")
        if name in seen:
            yield Violation(f"volumes[{name}].name", "is used more than once")
        seen.add(name)
        yield from (found.within(f"volumes[{name}]") for found in _volume(volume))
        if "s3filesVolumeConfiguration" in volume and not definition.get("taskRoleArn"):
            yield Violation("taskRoleArn", f"Your task definition must include a Task IAM Role for the volume {name}")


def _volume(volume: Mapping[str, Any]) -> Iterator[Violation]:
    name = volume.get("name", "")
    if not name or has_foreign_characters(name):
        yield Violation("name", "must have letters, digits, hyphens and underscores, and nothing else")
    if len(name) > MAX_NAME:
        yield Violation("name", LONG_NAME)
    if efs := volume.get("efsVolumeConfiguration"):
        yield from (found.within("efsVolumeConfiguration") for found in _efs(efs))
    if s3_files := volume.get("s3filesVolumeConfiguration"):
        yield from (found.within("s3filesVolumeConfiguration") for found in _s3_files(s3_files))


def _efs(efs: Mapping[str, Any]) -> Iterator[Violation]:
    authorization = efs.get("authorizationConfig", {})
    access_point = authorization.get("accessPointId")
    root = efs.get("rootDirectory")
    if not _FILE_SYSTEM.fullmatch(efs.get("fileSystemId", "")):
        yield Violation("fileSystemId", "must be the id of a file system (fs-…)")
    if access_point and not _ACCESS_POINT.fullmatch(access_point):
        yield Violation("authorizationConfig.accessPointId", "must be the id of an access point (fsap-…)")
    if access_point and root not in (None, "/"):
        says = 'When using an EFS access point, the root directory must either be set to "/" or be omitted'
        yield quoted("rootDirectory", says)
    elif root is not None and not root.startswith("/"):
        yield Violation("rootDirectory", "must be an absolute path")
    if efs.get("transitEncryption") != "ENABLED" and (access_point or authorization.get("iam") == "ENABLED"):
        yield Violation("transitEncryption", "must be ENABLED with an access point or IAM authorisation")


def _s3_files(s3_files: Mapping[str, Any]) -> Iterator[Violation]:
    """The rules of botocore's S3FilesVolumeConfiguration. No answer of ECS to a wrong one is published."""
    file_system, access_point = s3_files.get("fileSystemArn", ""), s3_files.get("accessPointArn")
    root = s3_files.get("rootDirectory")
    if not _S3_FILE_SYSTEM.fullmatch(file_system):
        yield Violation("fileSystemArn", "must be the full ARN of an S3 Files file system (arn:aws:s3files:…/fs-…)")
    if access_point is not None:
        found = _S3_ACCESS_POINT.fullmatch(access_point)
        if not found:
            yield Violation("accessPointArn", "must be the full ARN of an S3 Files access point (…/fsap-…)")
        elif found[1] != file_system:
            yield Violation("accessPointArn", "must be an access point of the file system")
    if access_point is not None and root not in (None, "/"):
        says = 'When using an S3 Files access point, the root directory must either be set to "/" or be omitted'
        yield Violation("rootDirectory", says)
    elif root is not None and not root.startswith("/"):
        yield Violation("rootDirectory", "must be an absolute path")
