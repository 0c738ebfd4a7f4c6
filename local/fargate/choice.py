"""Which runtime runs the tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.fargate.log_groups import LogGroups
from local.fargate.process_runtime import ProcessRuntime
from local.fargate.runtime import Runtime, RuntimeName
from local.fargate.task_secrets import SecretSource


def runtime_of(name: RuntimeName, state_dir: Path, region: str, secrets: SecretSource, logs: LogGroups) -> Runtime:
    """The runtime of that name; `auto` was settled by `settled` before."""
    if name is RuntimeName.DOCKER:
        from local.fargate.docker_runtime import DockerRuntime  # noqa: PLC0415 - process mode needs no engine's client

        return DockerRuntime(state_dir, region, secrets, logs)
    return ProcessRuntime(state_dir, region, secrets, logs)


async def settled(name: RuntimeName) -> RuntimeName:
    """`auto` decided: Docker where an engine answers and has the base image."""
    return (await choose(name)).runtime if name is RuntimeName.AUTO else name


@dataclass(frozen=True, slots=True)
class Choice:
    """The runtime that is used, never `auto`, and in words why."""

    runtime: RuntimeName
    why: str


async def choose(name: RuntimeName) -> Choice:
    """Settles which runtime is used before anything is started. Raises `NoEngine` when Docker is asked for in vain."""
    if name is RuntimeName.PROCESS:
        return Choice(name, "as asked for")
    from local.fargate.engine.connection import NoEngine, engine_url, require  # noqa: PLC0415 - as above

    if name is RuntimeName.AUTO and engine_url() is None:
        return Choice(RuntimeName.PROCESS, "no container engine was found")  # nothing to be mended
    try:
        await require()
    except NoEngine as exc:
        if name is RuntimeName.DOCKER:
            raise
        return Choice(RuntimeName.PROCESS, str(exc))
    return Choice(RuntimeName.DOCKER, "the engine answers and has the base image")
