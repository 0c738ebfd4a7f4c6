"""The start of a task's containers, in the order that dependsOn asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from local.fargate import reasons
from local.fargate.reasons import ContainerNotStarted
from local.fargate.task import Container


class Launch:
    """Knows the conditions START, COMPLETE and SUCCESS."""

    def __init__(
        self,
        containers: Sequence[Container],
        start: Callable[[Container], Awaitable[None]],
        exit_of: Callable[[str], Awaitable[int]],
    ) -> None:
        self._containers = containers
        self._start = start
        self._exit_of = exit_of
        self._settled = {container.name: asyncio.Event() for container in containers}
        self._started: set[str] = set()

    async def run(self) -> None:
        """Until every container was started or cannot be. Raises `ContainerNotStarted` for an essential one.

        A container that cannot be started is STOPPED, with the reason.
        """
        jobs = [asyncio.create_task(self._one(container)) for container in self._containers]
        try:
            await asyncio.gather(*jobs)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.wait(jobs)

    async def _one(self, container: Container) -> None:
        try:
            for dependency in container.definition.get("dependsOn", ()):
                await self._wait_for(container, dependency["containerName"], dependency["condition"])
            await self._start(container)
            self._started.add(container.name)
        except ContainerNotStarted as exc:
            container.reason = str(exc)
            container.last_status = "STOPPED"
            if container.essential:
                raise
        finally:
            self._settled[container.name].set()

    async def _wait_for(self, container: Container, dependency: str, condition: str) -> None:
        await self._settled[dependency].wait()
        if dependency not in self._started:
            raise ContainerNotStarted(reasons.dependency_failed(container.name, dependency, None))
        if condition in ("COMPLETE", "SUCCESS"):
            code = await self._exit_of(dependency)
            if condition == "SUCCESS" and code != 0:
                raise ContainerNotStarted(reasons.dependency_failed(container.name, dependency, code))
