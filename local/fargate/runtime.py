"""What runs tasks, as a protocol: OS processes today (`process_runtime`), a container engine some day."""

from __future__ import annotations

from typing import Protocol

from local.fargate.task import Container, Task


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
        """Ends it at once, whatever it is doing, and waits for that."""


class Runtime(Protocol):
    """Runs the containers of tasks. `life` decides when."""

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
