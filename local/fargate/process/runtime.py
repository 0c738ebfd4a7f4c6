"""Runs each container as a process of this machine.

Two things stand in for the missing namespaces: paths are translated (`view`), and the variable
`SOCKERLESS_AGENT_HOST` has the task's loopback address, which an agent binds instead of every address.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from local.fargate import reasons
from local.fargate.faults import FaultName
from local.fargate.log_groups import LogStream
from local.fargate.process.addresses import AddressPool
from local.fargate.process.blockade import Blockade
from local.fargate.process.processes import NotExecuted, Process, Spec
from local.fargate.process.view import Mount, View
from local.fargate.reasons import ContainerNotStarted
from local.fargate.resources import Resources, fail_on
from local.fargate.state_directory import image_directory
from local.fargate.task import Container, Task

log: Final = logging.getLogger("local.fargate")
_PRINT_AND_FAIL: Final = ("sh", "-c", 'echo "$0" >&2; exit 1')


@dataclass(slots=True)
class _Home:
    """What one task occupies. `bound` differs from `address` when its port is to be unreachable."""

    address: str
    bound: str
    scratch: Path
    volumes: dict[str, Path] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    streams: dict[str, LogStream] = field(default_factory=dict)
    blockade: Blockade | None = None


class ProcessRuntime:
    """A `Runtime`. Output is written to the log file, and from there to the log stream of the definition."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._pool = AddressPool()
        self._homes: dict[str, _Home] = {}

    async def open(self) -> None:
        """Nothing to prepare."""

    async def attach(self, task: Task) -> str:
        """An address of the pool. Under a fault of the port the agent binds another one."""
        address = self._pool.take()
        hidden = FaultName.PORT_BLOCKED in task.faults or FaultName.PORT_REFUSED in task.faults
        scratch = self._resources.state_dir / "tasks" / task.id
        self._homes[task.id] = _Home(address, self._pool.take() if hidden else address, scratch)
        return address

    async def prepare(self, task: Task) -> None:
        home = self._homes[task.id]
        fail_on(FaultName.ENI_PROVISIONING, task, reasons.ENI_FAILED)
        home.secrets = await self._resources.secrets(task)
        await self._resources.logins(task)  # nothing is pulled, but it must be there
        if any(container.definition.get("readonlyRootFilesystem") for container in task.containers):
            log.info("task %s: readonlyRootFilesystem is ignored: a process has this machine's file system", task.id)
        for volume in task.definition.get("volumes", ()):
            directory = await self._resources.file_system(task, volume)
            if directory is None:
                directory = home.scratch / "volumes" / volume["name"]
                directory.mkdir(parents=True)
            home.volumes[volume["name"]] = directory
        home.streams = await self._resources.log_streams(task)
        if FaultName.PORT_BLOCKED in task.faults:
            home.blockade = await asyncio.to_thread(Blockade, home.address, task.agent_port)

    async def pull(self, task: Task, container: Container) -> str:
        """Nothing is downloaded; the digest is that of the name."""
        image: str = container.definition["image"]
        fail_on(FaultName.IMAGE_PULL, task, reasons.cannot_pull(image))
        return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"

    async def start(self, task: Task, container: Container) -> Process:
        """Executes entryPoint and command exactly as given, but for the paths.

        A program that the kernel refuses has started, as with runc: the container prints why, and exits with 1.
        """
        argv = container.command
        if not argv:
            raise ContainerNotStarted("CannotCreateContainerError: no command specified")
        home = self._homes[task.id]
        view = View(_mounts(task, container, home), self._image(task, container))
        directory = home.scratch / "containers" / container.name
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(directory),
            "HOSTNAME": task.interface.dns_name,
            **self._resources.environment(container, home.secrets[container.name]),
            "SOCKERLESS_AGENT_HOST": home.bound,
        }
        program = view.program(argv[0], environment["PATH"])
        if program is None:
            raise ContainerNotStarted(reasons.cannot_execute(argv[0], errno.ENOENT))
        complete = (str(program), *view.arguments(argv[1:]))
        complaint = view.refused_write(argv)
        if complaint is not None:
            program, complete = _printing(complaint)
        spec = Spec(
            program=str(program),
            argv=complete,
            environment=environment,
            directory=_working_directory(view, container, directory),
            log=str(self._resources.log_file(task, container)),
            open_files=_open_files(container),
        )
        stream = home.streams.get(container.name)
        try:
            return await Process.start(spec, stream)
        except NotExecuted as exc:
            refused = reasons.refused_by_the_kernel(argv[0], exc.number) if program.exists() else None
            if refused is None:
                raise ContainerNotStarted(reasons.cannot_execute(argv[0], exc.number)) from exc
            program, complete = _printing(refused)
        return await Process.start(replace(spec, program=str(program), argv=complete), stream)

    async def release(self, task: Task) -> None:
        """Frees the addresses, ends the log streams, removes the files."""
        home = self._homes.pop(task.id, None)
        if home is None:
            return
        if home.blockade is not None:
            home.blockade.close()
        await asyncio.gather(*(stream.close() for stream in home.streams.values()))
        for address in {home.address, home.bound}:
            self._pool.give_back(address)
        if home.scratch.exists():
            await asyncio.to_thread(shutil.rmtree, home.scratch)

    async def close(self) -> None:
        self._pool.close()

    def _image(self, task: Task, container: Container) -> Path | None:
        directory = image_directory(self._resources.state_dir, container.definition["image"])
        missing = FaultName.AGENT_MISSING in task.faults and not container.definition.get("mountPoints")
        return directory if directory.is_dir() and not missing else None


def _mounts(task: Task, container: Container, home: _Home) -> tuple[Mount, ...]:
    """The mounts of one container. Under the fault `agent-missing` each is an empty directory."""
    mounts = []
    for point in container.definition.get("mountPoints", ()):
        host = home.volumes[point["sourceVolume"]]
        if FaultName.AGENT_MISSING in task.faults:
            host = home.scratch / "missing" / container.name / point["sourceVolume"]
            host.mkdir(parents=True, exist_ok=True)
        mounts.append(Mount(point["containerPath"], host, bool(point.get("readOnly", False))))
    return tuple(mounts)


def _open_files(container: Container) -> tuple[int, int] | None:
    """The ulimit nofile, the only one that Fargate sets."""
    return next(((one["softLimit"], one["hardLimit"]) for one in container.definition.get("ulimits", ())), None)


def _printing(complaint: str) -> tuple[Path, tuple[str, ...]]:
    """The program and arguments that print this and exit with 1."""
    return Path("/bin/sh"), (*_PRINT_AND_FAIL, complaint)


def _working_directory(view: View, container: Container, default: Path) -> str:
    """The directory of the definition where it exists; else one below `default`, as a runtime creates it."""
    wanted = container.definition.get("workingDirectory", "")
    directory = view.locate(wanted) or Path(wanted)
    if not (wanted and directory.is_dir()):
        directory = default / wanted.lstrip("/")
    default.mkdir(parents=True, exist_ok=True)
    directory.mkdir(parents=True, exist_ok=True)
    return str(directory)
