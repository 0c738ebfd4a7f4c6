"""Runs each container as a process of this machine: no privileges, no container engine.

What stands in for the missing namespaces: paths are translated (`view`), and the network namespace is one variable,
`SOCKERLESS_AGENT_HOST`, the task's own loopback address, which an agent binds instead of every address.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from local.fargate import reasons
from local.fargate.addresses import AddressPool
from local.fargate.blockade import Blockade
from local.fargate.errors import ContainerNotStarted
from local.fargate.faults import FaultName
from local.fargate.log_groups import LogGroups, LogStream
from local.fargate.preparing import connect, find_image, secrets_of, streams_of
from local.fargate.processes import NotExecuted, Process, Spec
from local.fargate.task import Container, Task
from local.fargate.task_secrets import SecretSource
from local.fargate.view import View, image_directory
from local.fargate.volumes import Volumes

AGENT_HOST: Final = "SOCKERLESS_AGENT_HOST"
AGENT_PORT: Final = "SOCKERLESS_AGENT_PORT"
_DEFAULT_PORT: Final = 9111
_PRINT_AND_FAIL: Final = ("sh", "-c", 'echo "$0" >&2; exit 1')


@dataclass(slots=True)
class _Home:
    """What one task occupies. `listens_on` differs from `address` when its port is to be unreachable."""

    address: str
    listens_on: str
    scratch: Path
    volumes: Volumes
    secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    streams: dict[str, LogStream | None] = field(default_factory=dict)
    blockade: Blockade | None = None


class ProcessRuntime:
    """A `Runtime`. Logs go to `<state>/logs/<task id>/<container>.log`, and from there where the definition says."""

    def __init__(self, state_dir: Path, region: str, secrets: SecretSource, logs: LogGroups) -> None:
        self._state_dir = state_dir
        self._region = region
        self._secrets = secrets
        self._logs = logs
        self._pool = AddressPool()
        self._homes: dict[str, _Home] = {}

    async def open(self) -> None:
        """Nothing to prepare."""

    async def attach(self, task: Task) -> str:
        """An address of the pool, and one more to hide the agent behind when a fault wants that."""
        address = self._pool.take()
        hidden = FaultName.PORT_BLOCKED in task.faults or FaultName.PORT_REFUSED in task.faults
        scratch = self._state_dir / "tasks" / task.id
        self._homes[task.id] = _Home(
            address=address,
            listens_on=self._pool.take() if hidden else address,
            scratch=scratch,
            volumes=Volumes(task, self._state_dir, scratch, self._region),
        )
        return address

    async def prepare(self, task: Task) -> None:
        home = self._homes[task.id]
        connect(task)
        home.secrets = await secrets_of(task, self._secrets)
        home.volumes.mount()
        home.streams = await streams_of(task, self._logs)
        if FaultName.PORT_BLOCKED in task.faults:
            home.blockade = await asyncio.to_thread(Blockade, home.address, agent_port(task))

    async def pull(self, task: Task, container: Container) -> str:
        """Nothing is downloaded; the digest is that of the name."""
        return f"sha256:{hashlib.sha256(find_image(task, container).encode()).hexdigest()}"

    async def start(self, task: Task, container: Container) -> Process:
        """Executes entryPoint and command exactly as given, but for the paths.

        What the kernel refuses has started, as with runc: it prints why, and exits with 1.
        """
        argv = container.command
        if not argv:
            raise ContainerNotStarted("CannotCreateContainerError: no command specified")
        home = self._homes[task.id]
        view = View(home.volumes.of(container), self._image(task, container))
        directory = home.scratch / "containers" / container.name
        environment = self._environment(task, container, home, directory)
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
            log=self._log(task, container),
            open_files=_open_files(container),
        )
        stream = home.streams[container.name]
        try:
            return await Process.start(spec, stream)
        except NotExecuted as exc:
            refused = reasons.refused_by_the_kernel(argv[0], exc.number) if program.exists() else None
            if refused is None:
                raise ContainerNotStarted(reasons.cannot_execute(argv[0], exc.number)) from exc
            program, complete = _printing(refused)
        return await Process.start(replace(spec, program=str(program), argv=complete), stream)

    async def release(self, task: Task) -> None:
        """The address goes to the end of the pool's queue."""
        home = self._homes.pop(task.id, None)
        if home is None:
            return
        if home.blockade is not None:
            home.blockade.close()
        await asyncio.gather(*(stream.close() for stream in home.streams.values() if stream is not None))
        for address in {home.address, home.listens_on}:
            self._pool.give_back(address)
        if home.scratch.exists():
            await asyncio.to_thread(shutil.rmtree, home.scratch)

    async def close(self) -> None:
        self._pool.close()

    def _image(self, task: Task, container: Container) -> Path | None:
        directory = image_directory(self._state_dir, container.definition["image"])
        missing = FaultName.AGENT_MISSING in task.faults and not container.definition.get("mountPoints")
        return directory if directory.is_dir() and not missing else None

    def _environment(self, task: Task, container: Container, home: _Home, directory: Path) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(directory),
            "HOSTNAME": task.interface.dns_name,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            **container.environment,
            **home.secrets.get(container.name, {}),
            AGENT_HOST: home.listens_on,
        }

    def _log(self, task: Task, container: Container) -> str:
        directory = self._state_dir / "logs" / task.id
        directory.mkdir(parents=True, exist_ok=True)
        return str(directory / f"{container.name}.log")


def agent_port(task: Task) -> int:
    for container in task.containers:
        port = container.environment.get(AGENT_PORT, "")
        if port.isdigit():
            return int(port)
    return _DEFAULT_PORT


def _open_files(container: Container) -> tuple[int, int] | None:
    """The ulimit nofile, the only one that Fargate sets."""
    return next(((one["softLimit"], one["hardLimit"]) for one in container.definition.get("ulimits", ())), None)


def _printing(complaint: str) -> tuple[Path, tuple[str, ...]]:
    """The program and arguments that print this and exit with 1."""
    return Path("/bin/sh"), (*_PRINT_AND_FAIL, complaint)


def _working_directory(view: View, container: Container, default: Path) -> str:
    """The directory of the definition where it exists; else one of the task's own, as a runtime creates it."""
    default.mkdir(parents=True, exist_ok=True)
    wanted = container.definition.get("workingDirectory")
    if not wanted:
        return str(default)
    directory = view.locate(wanted) or Path(wanted)
    if directory.is_dir():
        return str(directory)
    made = default / wanted.lstrip("/")
    made.mkdir(parents=True, exist_ok=True)
    return str(made)
