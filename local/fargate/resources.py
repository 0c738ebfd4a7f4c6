"""What ECS initialises for a task before its containers start: file systems, secrets, log streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.fargate import reasons
from local.fargate.efs import Efs
from local.fargate.faults import FaultName
from local.fargate.log_groups import LogStream, open_stream
from local.fargate.reasons import InitializationFailed
from local.fargate.s3_files import S3Files
from local.fargate.secret_store import SecretStore
from local.fargate.state_directory import s3_files_directory
from local.fargate.task import Container, Task

Clients = Callable[[str], Any]
"""Makes the client of a service of the local AWS."""


def fail_on(fault_name: FaultName, task: Task, reason: str) -> None:
    """Raises `InitializationFailed` when the task has this fault, with the fault's own reason if it has one."""
    fault = task.faults.get(fault_name)
    if fault is not None:
        raise InitializationFailed(fault.parameters.get("reason", reason))


class Resources:
    """Those of all tasks. Without clients no secret can be read, no bucket be mounted; output is kept in files."""

    def __init__(self, state_dir: Path, region: str, clients: Clients | None) -> None:
        self.state_dir = state_dir
        self._region = region
        self._clients = (
            {name: clients(name) for name in ("logs", "secretsmanager", "ssm")} if clients is not None else {}
        )
        self._secrets = SecretStore(self._clients)
        self._efs = Efs(state_dir, region, clients)
        self._s3_files = clients and S3Files(s3_files_directory(state_dir), region, clients)
        self._mounting = asyncio.Lock()

    async def file_system(self, task: Task, volume: dict[str, Any]) -> Path | None:
        """The directory of a volume on EFS or S3 Files, None for any other. Raises `InitializationFailed`."""
        if efs := volume.get("efsVolumeConfiguration"):
            fail_on(FaultName.EFS_MOUNT, task, reasons.EFS_TIMEOUT)
            async with self._mounting:
                return await asyncio.to_thread(self._efs.mount, efs)
        if s3_files := volume.get("s3filesVolumeConfiguration"):
            return await self._bucket(task, s3_files)
        return None

    async def _bucket(self, task: Task, configuration: dict[str, Any]) -> Path:
        fail_on(FaultName.EFS_MOUNT, task, reasons.EFS_TIMEOUT)
        if self._s3_files is None:
            file_system = configuration["fileSystemArn"].rpartition("/")[2]
            raise InitializationFailed(reasons.s3_files_unresolved(file_system, self._region))
        async with self._mounting:
            return await asyncio.to_thread(self._s3_files.mount, configuration)

    async def secrets(self, task: Task) -> dict[str, dict[str, str]]:
        """The secret variables of each container, by its name. Raises `InitializationFailed`."""
        return {
            container.name: {
                secret["name"]: await self._secrets.value(secret["valueFrom"])
                for secret in container.definition.get("secrets", ())
            }
            for container in task.containers
        }

    async def logins(self, task: Task) -> dict[str, dict[str, str]]:
        """The login to the registry of each container that has one, by its name. Raises `InitializationFailed`."""
        return {
            container.name: await self._secrets.login(credentials["credentialsParameter"])
            for container in task.containers
            if (credentials := container.definition.get("repositoryCredentials"))
        }

    async def log_streams(self, task: Task) -> dict[str, LogStream]:
        """A new log stream for each container with the awslogs driver, by its name. Raises `InitializationFailed`."""
        if not self._clients:
            return {}
        return {
            container.name: await open_stream(self._clients["logs"], task, container)
            for container in task.containers
            if container.definition.get("logConfiguration", {}).get("logDriver") == "awslogs"
        }

    def log_file(self, task: Task, container: Container) -> Path:
        """`<state>/logs/<task id>/<container>.log`, in a directory that exists."""
        directory = self.state_dir / "logs" / task.id
        directory.mkdir(parents=True, exist_ok=True)
        return directory / f"{container.name}.log"

    def environment(self, container: Container, secrets: dict[str, str]) -> dict[str, str]:
        """The container's variables, with those that Fargate sets below them."""
        return {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            **container.environment,
            **secrets,
        }
