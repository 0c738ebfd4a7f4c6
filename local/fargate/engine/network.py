"""The network of tasks: one bridge for a local Fargate, and for each task a container that holds its namespace.

As ECS does it: a pause container owns the network namespace and with it the address, the containers of the task join
it. The address lives as long as the task, whatever its containers do.
"""

from __future__ import annotations

import inspect
from typing import Any, Final, NamedTuple

from aiodocker import Docker

from local.fargate.engine.connection import BASE_IMAGE
from local.fargate.engine.ownership import Ownership
from local.fargate.process import blockade

_PAUSE: Final = ("sleep", "infinity")


def network_name(ownership: Ownership) -> str:
    return f"sockerless-local-{ownership.id}"


class TaskNetwork:
    """The bridge of one local Fargate. Its addresses are reachable from this machine, if that is a Linux one."""

    def __init__(self, docker: Docker, ownership: Ownership) -> None:
        self._docker = docker
        self._ownership = ownership
        self._name = network_name(ownership)

    async def create(self) -> None:
        """Makes the bridge, in a subnet of the engine's choice."""
        config = {"Name": self._name, "Driver": "bridge", "Labels": self._ownership.labels(), "CheckDuplicate": True}
        await self._docker.networks.create(config)

    async def namespace(self, task_id: str, *, name: str = "pause", command: tuple[str, ...] = _PAUSE) -> Namespace:
        """A new namespace of a task, with an address, as long as `command` runs in it."""
        config: dict[str, Any] = {
            "Image": BASE_IMAGE,
            "Entrypoint": [],
            "Cmd": list(command),
            "Labels": self._ownership.labels(task_id),
            "HostConfig": {"NetworkMode": self._name, "LogConfig": {"Type": "none"}},
        }
        container = await self._docker.containers.create(config, name=f"{task_id}-{name}")
        await container.start()
        shown = await container.show()
        return Namespace(
            f"container:{container.id}", str(shown["NetworkSettings"]["Networks"][self._name]["IPAddress"])
        )


class Namespace(NamedTuple):
    """One network namespace: a container joins it by `mode`."""

    mode: str
    address: str


def blocked(port: int) -> tuple[str, ...]:
    """A command that holds a port so that connecting to it times out, at every address of its namespace."""
    hold = f"import signal\nheld = Blockade('0.0.0.0', {port})\nsignal.pause()\n"
    return ("python3", "-c", inspect.getsource(blockade) + hold)
