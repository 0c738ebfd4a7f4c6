"""The protocol of what runs tasks: processes (`process.runtime`) or a container engine (`engine.runtime`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from local.fargate.task import Container, Task


class RuntimeName(StrEnum):
    """The values of `--runtime`."""

    PROCESS = "process"
    DOCKER = "docker"
    AUTO = "auto"
    """Docker where an engine answers and has the base image, else processes."""


class Running(Protocol):
    """A started container. `pid` is that of its main process on this machine."""

    pid: int

    async def wait(self) -> int:
        """Its exit code, once it has ended; 128 + n after signal n."""

    def terminate(self) -> None:
        """SIGTERM to its main process."""

    def kill(self) -> None:
        """SIGKILL to its main process."""

    async def close(self) -> None:
        """Kills it and waits for its end."""


class Runtime(Protocol):
    """Runs the containers of tasks. `life` decides when."""

    async def open(self) -> None:
        """The start of the server, before any task."""

    async def attach(self, task: Task) -> str:
        """Gives the task its network: the address."""

    async def prepare(self, task: Task) -> None:
        """Mounts the volumes and fetches the secrets. Raises `InitializationFailed`."""

    async def pull(self, task: Task, container: Container) -> str:
        """Gets the image: its digest. Raises `PullFailed`."""

    async def start(self, task: Task, container: Container) -> Running:
        """Starts one container. Raises `ContainerNotStarted`."""

    async def release(self, task: Task) -> None:
        """Frees the task's address and volumes, once all of its containers have ended."""

    async def close(self) -> None:
        """The end of the server."""
