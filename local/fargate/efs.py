"""EFS: directories of this machine. Access points are those that the local AWS has.

The root directory of an access point with creation information is made when it is first mounted, as EFS does it. Files
belong to this user, whatever user an access point has. An access point that the local AWS does not have is a directory
of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.fargate import reasons
from local.fargate.reasons import InitializationFailed
from local.fargate.state_directory import efs_directory


class Efs:
    """The file systems of one state directory. Its calls block."""

    def __init__(self, state_dir: Path, region: str, clients: Callable[[str], Any] | None) -> None:
        self._state_dir = state_dir
        self._region = region
        self._service = clients and clients("efs")
        self._roots: dict[str, dict[str, Any]] = {}
        """Those of access points, which never change."""

    def mount(self, configuration: Mapping[str, Any]) -> Path:
        """The directory of an `efsVolumeConfiguration`. Raises `InitializationFailed` as EFS's mount helper would."""
        file_system: str = configuration["fileSystemId"]
        system = efs_directory(self._state_dir, file_system)
        if not system.is_dir():
            raise InitializationFailed(reasons.efs_unresolved(file_system, self._region))
        root = {"Path": configuration.get("rootDirectory", "/")}
        if point := configuration.get("authorizationConfig", {}).get("accessPointId"):
            root = self._root(point)
        directory = system / str(root["Path"]).strip("/")
        if creation := root.get("CreationInfo"):
            directory.mkdir(int(creation["Permissions"], 8), parents=True, exist_ok=True)
        if not directory.is_dir():
            raise InitializationFailed(reasons.efs_no_directory(file_system, root["Path"]))
        return directory

    def _root(self, access_point: str) -> dict[str, Any]:
        if self._service is not None and access_point not in self._roots:
            try:
                found = self._service.describe_access_points(AccessPointId=access_point)["AccessPoints"]
            except (BotoCoreError, ClientError) as exc:
                raise InitializationFailed(reasons.EFS_TIMEOUT) from exc
            self._roots |= {one["AccessPointId"]: one["RootDirectory"] for one in found}
        return self._roots.get(access_point, {"Path": f"/{access_point}"})
