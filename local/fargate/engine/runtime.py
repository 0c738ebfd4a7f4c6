"""Runs each task as containers of a Docker engine, which share one network namespace and one address on a bridge.

What process mode imitates, the engine enforces here: images, users, mounts and their modes, memory, PID namespaces,
runc's own refusals. Everything it makes is labelled (`engine.ownership`), and nothing else is ever removed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from local.fargate import reasons
from local.fargate.engine.connection import BASE_IMAGE, connected, require_base_image
from local.fargate.engine.containers import EngineContainer, Output, Placement, configuration
from local.fargate.engine.images import Images
from local.fargate.engine.network import Namespace, TaskNetwork, blocked
from local.fargate.engine.ownership import Ownership
from local.fargate.faults import FaultName
from local.fargate.log_groups import LogStream
from local.fargate.reasons import ContainerNotStarted, InitializationFailed
from local.fargate.resources import Resources, fail_on
from local.fargate.task import Container, Task

log: Final = logging.getLogger("local.fargate")


@dataclass(slots=True)
class _Home:
    """What one task occupies. `namespace` is where its containers run; `mounts` are its volumes, by name."""

    namespace: Namespace
    mounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    logins: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    images: dict[str, str] = field(default_factory=dict)
    streams: dict[str, LogStream] = field(default_factory=dict)


class DockerRuntime:
    """A `Runtime`. Output is written to the log file and to the log stream of the definition."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._ownership = Ownership(resources.state_dir)
        self._open = AsyncExitStack()
        self._homes: dict[str, _Home] = {}

    async def open(self) -> None:
        """Connects, removes what a predecessor left behind, makes the network. Raises `NoEngine`."""
        self._docker: Docker = await self._open.enter_async_context(connected())
        async with self._open:
            await require_base_image(self._docker)
            await self._ownership.remove_everything(self._docker)
            self._ownership.mark()
            self._network = TaskNetwork(self._docker, self._ownership)
            await self._network.create()
            self._open = self._open.pop_all()  # no error: open until `close`
        self._images = Images(self._docker, self._ownership, self._resources.state_dir)

    async def attach(self, task: Task) -> str:
        """A network namespace with an address. Under a fault of the port the containers are in another one."""
        try:
            namespace = await self._network.namespace(task.id)
            self._homes[task.id] = _Home(namespace)
            if FaultName.PORT_BLOCKED in task.faults:
                command = blocked(task.agent_port)
                return (await self._network.namespace(task.id, name="blocked", command=command)).address
            if FaultName.PORT_REFUSED in task.faults:
                return (await self._network.namespace(task.id, name="refused")).address
        except DockerError as exc:
            log.exception("task %s has no network", task.id)
            raise InitializationFailed(reasons.ENI_FAILED) from exc
        return namespace.address

    async def prepare(self, task: Task) -> None:
        home = self._homes[task.id]
        fail_on(FaultName.ENI_PROVISIONING, task, reasons.ENI_FAILED)
        home.secrets = await self._resources.secrets(task)
        home.logins = await self._resources.logins(task)
        for volume in task.definition.get("volumes", ()):
            if efs := volume.get("efsVolumeConfiguration"):
                mount = {"Type": "bind", "Source": str(self._resources.efs(task, efs))}
            else:
                mount = self._ephemeral(task, volume["name"])
            home.mounts[volume["name"]] = mount
        home.streams = await self._resources.log_streams(task)

    async def pull(self, task: Task, container: Container) -> str:
        """The image as it is staged, or as the engine has it or can pull it; the digest is its id."""
        home, image = self._homes[task.id], str(container.definition["image"])
        fail_on(FaultName.IMAGE_PULL, task, reasons.cannot_pull(image))
        # Under the fault `agent-missing` an image that would bring the agent is the bare base image.
        bare = FaultName.AGENT_MISSING in task.faults and not container.definition.get("mountPoints")
        try:
            found = await self._images.get(BASE_IMAGE if bare else image, home.logins.get(container.name))
        except DockerError as exc:
            raise InitializationFailed(
                reasons.cannot_pull(image, reasons.registry_refusal(image, exc.message))
            ) from exc
        home.images[container.name] = found
        return found

    async def start(self, task: Task, container: Container) -> EngineContainer:
        """Creates and starts it; its output is followed from the first byte."""
        home = self._homes[task.id]
        created = await self._created(task, container, home)
        file = self._resources.log_file(task, container)
        output = await Output.follow(created, file, home.streams.get(container.name))
        try:
            await created.start()
        except DockerError as exc:
            await output.close()
            await created.delete(force=True)
            raise ContainerNotStarted(reasons.cannot_start(exc.message)) from exc
        return EngineContainer(created, container, output, await created.show())

    async def release(self, task: Task) -> None:
        """Removes the containers, the address with them, and the ephemeral volumes."""
        home = self._homes.pop(task.id, None)
        if home is None:
            return
        await self._ownership.remove_task(self._docker, task.id)
        await asyncio.gather(*(stream.close() for stream in home.streams.values()))

    async def close(self) -> None:
        async with self._open:
            await self._ownership.remove_everything(self._docker)

    async def _created(self, task: Task, container: Container, home: _Home) -> DockerContainer:
        config = configuration(
            task,
            container,
            Placement(
                image=home.images[container.name],
                environment=self._resources.environment(container, home.secrets[container.name]),
                mounts=self._mounts(task, container, home),
                network=home.namespace.mode,
                labels=self._ownership.labels(task.id),
            ),
        )
        try:
            return await self._docker.containers.create(config, name=f"{task.id}-{container.name}")
        except DockerError as exc:
            raise ContainerNotStarted(reasons.cannot_create(exc.message)) from exc

    def _mounts(self, task: Task, container: Container, home: _Home) -> Sequence[dict[str, Any]]:
        mounts = []
        for point in container.definition.get("mountPoints", ()):
            name = point["sourceVolume"]
            missing = FaultName.AGENT_MISSING in task.faults
            source = self._ephemeral(task, f"{name}-missing-{container.name}") if missing else home.mounts[name]
            mounts.append({**source, "Target": point["containerPath"], "ReadOnly": bool(point.get("readOnly", False))})
        return mounts

    def _ephemeral(self, task: Task, name: str) -> dict[str, Any]:
        """A volume of the engine, not a directory of this machine: what root writes there, only root could remove."""
        labels = self._ownership.labels(task.id)
        return {"Type": "volume", "Source": f"{task.id}-{name}", "VolumeOptions": {"Labels": labels}}
