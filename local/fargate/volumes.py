"""The volumes of a task as host directories: an EFS file system that exists or does not, and ephemeral ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.fargate import reasons
from local.fargate.errors import InitializationFailed
from local.fargate.faults import FaultName
from local.fargate.task import Container, Task
from local.fargate.view import Mount


def efs_directory(state_dir: Path, file_system: str, access_point: str | None = None) -> Path:
    """Where an EFS file system, or one of its access points, lives on this machine."""
    root = state_dir / "efs" / file_system
    return root / access_point if access_point else root


def find_efs(task: Task, configuration: dict[str, Any], state_dir: Path, region: str) -> Path:
    """The directory of an `efsVolumeConfiguration`. Raises `InitializationFailed` as EFS's mount helper would."""
    file_system: str = configuration["fileSystemId"]
    fault = task.faults.get(FaultName.EFS_MOUNT)
    if fault is not None:
        raise InitializationFailed(fault.parameters.get("reason", reasons.EFS_TIMEOUT))
    access_point: str | None = configuration.get("authorizationConfig", {}).get("accessPointId")
    root = efs_directory(state_dir, file_system)
    if not root.is_dir():
        raise InitializationFailed(reasons.efs_unresolved(file_system, region))
    inside: str = configuration.get("rootDirectory", "/").strip("/")
    directory = efs_directory(state_dir, file_system, access_point) / inside
    if not directory.is_dir():
        raise InitializationFailed(reasons.efs_no_directory(file_system, f"/{access_point or inside}"))
    return directory


class Volumes:
    """Those of one task. `scratch` is the task's own directory, removed with it."""

    def __init__(self, task: Task, state_dir: Path, scratch: Path, region: str) -> None:
        self._task = task
        self._state_dir = state_dir
        self._scratch = scratch
        self._region = region
        self._hosts: dict[str, Path] = {}

    def mount(self) -> None:
        """Finds or makes the directory of every volume. Raises `InitializationFailed` as EFS's mount helper would."""
        for volume in self._task.definition.get("volumes", ()):
            efs = volume.get("efsVolumeConfiguration")
            host = (
                find_efs(self._task, efs, self._state_dir, self._region)
                if efs
                else self._scratch / "volumes" / volume["name"]
            )
            if not efs:
                host.mkdir(parents=True)
            self._hosts[volume["name"]] = host

    def of(self, container: Container) -> tuple[Mount, ...]:
        """The mounts of one container. Under the fault `agent-missing` each is an empty directory of its own."""
        mounts = []
        for point in container.definition.get("mountPoints", ()):
            host = self._hosts[point["sourceVolume"]]
            if FaultName.AGENT_MISSING in self._task.faults:
                host = self._scratch / "missing" / container.name / point["sourceVolume"]
                host.mkdir(parents=True, exist_ok=True)
            mounts.append(Mount(point["containerPath"], host, bool(point.get("readOnly", False))))
        return tuple(mounts)
