"""Which runtime runs the tasks."""

from __future__ import annotations

from pathlib import Path

from local.fargate.log_groups import LogGroups
from local.fargate.process_runtime import ProcessRuntime
from local.fargate.runtime import Runtime, RuntimeName
from local.fargate.task_secrets import SecretSource


def runtime_of(name: RuntimeName, state_dir: Path, region: str, secrets: SecretSource, logs: LogGroups) -> Runtime:
    """The runtime of that name; `auto` was settled by `settled` before. Processes log to files only."""
    if name is RuntimeName.DOCKER:
        from local.fargate.docker_runtime import DockerRuntime  # noqa: PLC0415 - process mode needs no engine's client

        return DockerRuntime(state_dir, region, secrets, logs)
    return ProcessRuntime(state_dir, region, secrets)


async def settled(name: RuntimeName) -> RuntimeName:
    """`auto` decided: Docker where an engine answers and has the base image."""
    if name is not RuntimeName.AUTO:
        return name
    from local.fargate.engine.connection import ready  # noqa: PLC0415 - as above

    return RuntimeName.DOCKER if await ready() else RuntimeName.PROCESS
