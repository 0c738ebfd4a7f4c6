"""Who owns a container, network, volume or image of the engine: labels, and the removal of exactly what they mark."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from local.fargate.engine.connection import CONFLICT, NOT_FOUND, connected
from local.fargate.state_directory import engine_marker

OWNER: Final = "sockerless.local.owner"
TASK: Final = "sockerless.local.task"


class Ownership:
    """The labels of one local Fargate. They follow from its state directory, so its successor knows them too."""

    def __init__(self, state_dir: Path) -> None:
        self.id: Final = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
        self._marker = engine_marker(state_dir)

    def labels(self, task_id: str | None = None) -> dict[str, str]:
        return {OWNER: self.id} | ({TASK: task_id} if task_id else {})

    def filters(self, task_id: str | None = None) -> dict[str, list[str]]:
        return {"label": [f"{name}={value}" for name, value in self.labels(task_id).items()]}

    async def remove_task(self, docker: Docker, task_id: str) -> None:
        """Ends and removes the containers of a task, then its volumes."""
        await remove_containers(docker, self.filters(task_id))
        await _remove_volumes(docker, self.filters(task_id))

    async def remove_everything(self, docker: Docker) -> None:
        """Ends and removes whatever this local Fargate, or one before it that crashed, has made.

        Also containers that others attached to its network, as `sam local invoke` does: they keep the network.
        """
        await remove_containers(docker, self.filters())
        await _remove_volumes(docker, self.filters())
        for network in await docker.networks.list(filters=self.filters()):
            await remove_containers(docker, {"network": [network["Name"]]})
            await _gone(_remove_network(docker, network["Id"]))
        for image in await docker.images.list(filters=self.filters()):
            await _gone(docker.images.delete(image["Id"], force=True))
        self._marker.unlink(missing_ok=True)

    def mark(self) -> None:
        """Notes in the state directory that the engine may hold something of this local Fargate."""
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        self._marker.touch()


async def remove_containers(docker: Docker, filters: dict[str, list[str]]) -> None:
    """Ends and removes those that the engine's filters find."""
    found = await docker.containers.list(all="true", filters=json.dumps(filters))
    await asyncio.gather(*(_remove_container(container) for container in found))


async def _remove_container(container: DockerContainer) -> None:
    """Its network cannot go before it, so one that is being removed elsewhere is waited for."""
    try:
        await container.delete(force=True, v=True)
    except DockerError as exc:
        if exc.status == CONFLICT:
            await _gone(container.wait(condition="removed"))
        elif exc.status != NOT_FOUND:
            raise


async def _remove_network(docker: Docker, network_id: str) -> None:
    network = await docker.networks.get(network_id)
    await network.delete()


async def _remove_volumes(docker: Docker, filters: dict[str, list[str]]) -> None:
    answer = await docker.volumes.list(filters=filters)  # type: ignore[no-untyped-call]
    for volume in answer["Volumes"] or ():
        await _gone(_remove_volume(docker, volume["Name"]))


async def _remove_volume(docker: Docker, name: str) -> None:
    volume = await docker.volumes.get(name)  # type: ignore[no-untyped-call]
    await volume.delete()


async def _gone(removal: Awaitable[object]) -> None:
    """Awaits a removal; one that is done already, or under way elsewhere, is no error."""
    try:
        await removal
    except DockerError as exc:
        if exc.status not in (NOT_FOUND, CONFLICT):
            raise


def remove_leftovers(state_dir: Path) -> None:
    """Removes what a local Fargate that was killed left in the engine.

    Raises `NoEngine` when the engine does not answer any more.
    """

    async def remove() -> None:
        async with connected() as docker:
            await Ownership(state_dir).remove_everything(docker)

    asyncio.run(remove())
