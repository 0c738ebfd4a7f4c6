"""Which runtime runs the tasks."""

from __future__ import annotations

from dataclasses import dataclass

from local.fargate.process.runtime import ProcessRuntime
from local.fargate.resources import Resources
from local.fargate.runtime import Runtime, RuntimeName


def runtime_of(name: RuntimeName, resources: Resources) -> Runtime:
    """The runtime of that name, which is not `auto`: `settled` has replaced that."""
    if name is RuntimeName.DOCKER:
        from local.fargate.engine.runtime import DockerRuntime  # noqa: PLC0415 - process mode needs no engine's client

        return DockerRuntime(resources)
    return ProcessRuntime(resources)


async def settled(name: RuntimeName) -> RuntimeName:
    """The name, where `auto` is replaced by the choice."""
    return (await choose(name)).runtime if name is RuntimeName.AUTO else name


@dataclass(frozen=True, slots=True)
class Choice:
    """The runtime that is used, never `auto`, and the reason."""

    runtime: RuntimeName
    why: str


async def choose(name: RuntimeName) -> Choice:
    """Chooses before anything is started. Raises `NoEngine` when Docker is requested and cannot be used."""
    if name is RuntimeName.PROCESS:
        return Choice(name, "as asked for")
    from local.fargate.engine.connection import NoEngine, engine_url, require  # noqa: PLC0415 - as above

    if name is RuntimeName.AUTO and engine_url() is None:
        return Choice(RuntimeName.PROCESS, "no container engine was found")
    try:
        await require()
    except NoEngine as exc:
        if name is RuntimeName.DOCKER:
            raise
        return Choice(RuntimeName.PROCESS, str(exc))
    return Choice(RuntimeName.DOCKER, "the engine answers and has the base image")
