"""One container of a task in the engine: its configuration, its output, its life."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
from aiodocker import DockerError
from aiodocker.containers import DockerContainer

from local.fargate.engine.connection import CONFLICT, NOT_FOUND
from local.fargate.log_groups import LogStream
from local.fargate.reasons import OUT_OF_MEMORY
from local.fargate.task import Container, Task

log: Final = logging.getLogger("local.fargate")
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Placement:
    """The runtime's decisions on a container: the id of its image, its mounts, the namespace it joins."""

    image: str
    environment: dict[str, str] = field(repr=False)  # may hold secrets
    mounts: Sequence[dict[str, Any]]
    network: str
    labels: dict[str, str]


def configuration(task: Task, container: Container, placement: Placement) -> dict[str, Any]:
    """The body of `POST /containers/create`. Absent members are the image's own: entry point, user, directory.

    cpu is not limited: `--speed` decides how fast a task is.
    """
    definition = container.definition
    memory = _memory(task, container)
    members = {
        "Entrypoint": definition.get("entryPoint"),
        "Cmd": container.override.get("command") or definition.get("command"),
        "User": definition.get("user"),
        "WorkingDir": definition.get("workingDirectory"),
        "Tty": definition.get("pseudoTerminal"),
        "OpenStdin": definition.get("interactive"),
    }
    parameters = definition.get("linuxParameters", {})
    return {
        **{name: value for name, value in members.items() if value},
        "Image": placement.image,
        "Env": [f"{name}={value}" for name, value in placement.environment.items()],
        "Labels": placement.labels,
        "HostConfig": {
            "NetworkMode": placement.network,
            "Mounts": list(placement.mounts),
            "Memory": memory,
            "MemorySwap": memory,  # memory and swap together: no swap, as on Fargate
            "Init": bool(parameters.get("initProcessEnabled", False)),
            "ReadonlyRootfs": bool(definition.get("readonlyRootFilesystem", False)),
            "CapAdd": parameters.get("capabilities", {}).get("add", []),
            "CapDrop": parameters.get("capabilities", {}).get("drop", []),
            "Ulimits": [
                {"Name": each["name"], "Soft": each["softLimit"], "Hard": each["hardLimit"]}
                for each in definition.get("ulimits", ())
            ],
            "LogConfig": {"Type": "none"},  # `Output` has it
        },
    }


def _memory(task: Task, container: Container) -> int:
    """The hard limit in bytes: the container's own, else the task's."""
    own = container.override.get("memory") or container.definition.get("memory")
    return int(own or task.overrides.get("memory") or task.definition["memory"]) * _MIB


class Output:
    """Both streams of one container in the order in which they come, in a file as in process mode, and in a log stream.

    `follow` before the container starts: nothing is missed.
    """

    def __init__(self, ended: asyncio.Task[None]) -> None:
        self._ended = ended

    @classmethod
    async def follow(cls, container: DockerContainer, file: Path, stream: LogStream | None) -> Self:
        """Attached when it returns; from then on everything is appended to `file`, and fed to `stream`."""
        attached = container.attach(stdout=True, stderr=True)
        await attached.__aenter__()

        async def copy() -> None:
            try:
                with file.open("ab", buffering=0) as log:
                    while (message := await attached.read_out()) is not None:
                        log.write(message.data)
                        if stream is not None:
                            stream.feed(message.data, message.stream)
                if stream is not None:
                    # Before `wait` returns: on Fargate the log is complete long before ECS shows the exit.
                    await stream.close()
            finally:
                await attached.close()

        return cls(asyncio.create_task(copy()))

    async def ended(self) -> None:
        """Returns when the container has closed its output, that is, when it has ended, and all of it is written."""
        await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Stops following, for a container that never started."""
        self._ended.cancel()
        await asyncio.wait([self._ended])


class EngineContainer:
    """A container that runs. `pid` is that of its main process on the engine's machine."""

    def __init__(self, engine: DockerContainer, container: Container, output: Output, shown: dict[str, Any]) -> None:
        self._engine = engine
        self._container = container
        self._output = output
        self.pid = int(shown["State"]["Pid"])
        self._stop_signal = str(shown["Config"].get("StopSignal") or "SIGTERM")
        self._signals: set[asyncio.Task[None]] = set()
        self._exit = asyncio.create_task(self._read_exit())

    async def wait(self) -> int:
        """The exit code, once all it printed is in its log."""
        return await asyncio.shield(self._exit)

    def terminate(self) -> None:
        """The stop signal of the image, SIGTERM by default: what ECS sends."""
        self._send(self._stop_signal)

    def kill(self) -> None:
        """SIGKILL to the main process; its PID namespace ends with it."""
        self._send("SIGKILL")

    async def close(self) -> None:
        """Kills it and waits for its end."""
        await self._signal("SIGKILL")
        await self._exit

    def _send(self, name: str) -> None:
        sending = asyncio.create_task(self._signal(name))
        self._signals.add(sending)
        sending.add_done_callback(self._signals.discard)

    async def _signal(self, name: str) -> None:
        try:
            await self._engine.kill(signal=name)
        except DockerError as exc:
            if exc.status not in (NOT_FOUND, CONFLICT):  # it has ended: nothing to signal
                log.warning("%s was not delivered to container %s: %s", name, self._container.name, exc)

    async def _read_exit(self) -> int:
        try:
            await self._output.ended()
        except (aiohttp.ClientError, OSError) as exc:
            log.warning("the output of container %s is cut off: %s", self._container.name, exc)
        ended = await self._engine.wait()
        state = (await self._engine.show())["State"]
        if state.get("OOMKilled"):
            self._container.reason = OUT_OF_MEMORY
        return int(ended["StatusCode"])
