"""What ECS checks in the volumes of a task definition, and in EFS's among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from local.fargate.rules.naming import LONG_NAME, MAX_NAME, has_foreign_characters
from local.fargate.rules.violation import Violation, quoted

_FILE_SYSTEM: Final = re.compile(r"fs-[0-9a-f]{8,40}")
_ACCESS_POINT: Final = re.compile(r"fsap-[0-9a-f]{8,40}")


def volume_violations(volumes: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    seen = set()
    for volume in volumes:
        name = volume.get("name", "")
        if name in seen:
            yield Violation(f"volumes[{name}].name", "is used more than once")
        seen.add(name)
        yield from (found.within(f"volumes[{name}]") for found in _volume(volume))


def _volume(volume: Mapping[str, Any]) -> Iterator[Violation]:
    name = volume.get("name", "")
    if not name or has_foreign_characters(name):
        yield Violation("name", "must have letters, digits, hyphens and underscores, and nothing else")
    if len(name) > MAX_NAME:
        yield Violation("name", LONG_NAME)
    if efs := volume.get("efsVolumeConfiguration"):
        yield from (found.within("efsVolumeConfiguration") for found in _efs(efs))


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
