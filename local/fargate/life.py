"""The life of one task, from PROVISIONING to STOPPED.

The order of statuses, what each version shows and which instants it carries follow captured lives of RunTask tasks
on Fargate 1.4.0: PROVISIONING, PENDING (the address appears), RUNNING; after an exit DEPROVISIONING (some ten
seconds late, with the exit codes) and STOPPED (the interface DELETED, the address still printed). StopTask shows
STOPPING in between. A Spot interruption first shows RUNNING on its way out.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from local.fargate import reasons
from local.fargate.faults import FaultName
from local.fargate.launch import Launch
from local.fargate.pace import Pace, Phase
from local.fargate.reasons import ContainerNotStarted, InitializationFailed
from local.fargate.resources import fail_on
from local.fargate.runtime import Running, Runtime
from local.fargate.snapshot import publish
from local.fargate.task import Container, Task, now

log: Final = logging.getLogger("local.fargate")
_STOP_TIMEOUT: Final = 30


@dataclass(frozen=True, slots=True)
class World:
    """The surroundings of a life. `emit` is called with every published version."""

    runtime: Runtime
    pace: Pace
    emit: Callable[[Task], None]


class _StopRequested(Exception):
    """StopTask or an interruption came; ends whatever the life waits for."""


class Life:
    """Drives one task. `run` is its course; the other public methods are called from outside meanwhile."""

    def __init__(self, task: Task, world: World) -> None:
        self.task = task
        self._world = world
        self._running: dict[str, Running] = {}
        self._exits: dict[str, asyncio.Task[int]] = {}
        self._stop = asyncio.Event()
        self._essential_exit = asyncio.Event()
        self._show("PROVISIONING", task.created_at)

    async def run(self) -> None:
        """From the first wait to STOPPED. Cancelled at the server's end, after which `abandon` cleans up."""
        try:
            await self._provision()
            await self._start()
            self._interrupt_later()
            await self._unless_stopped(self._essential_exit.wait())
            self._ending("EssentialContainerExited", reasons.ESSENTIAL_EXITED)
        except _StopRequested:
            pass  # `stop` has noted the reason
        except InitializationFailed as exc:
            self._ending("TaskFailedToStart", str(exc))
        except ContainerNotStarted:
            self._ending("TaskFailedToStart", reasons.TASK_FAILED_TO_START)
        await self._wind_down()

    def stop(self, code: str, reason: str, *, shown_as: str = "STOPPING") -> None:
        """StopTask, or an interruption. Nothing changes for a task whose `desiredStatus` is STOPPED already."""
        if self.task.desired_status == "STOPPED":
            return
        self._ending(code, reason)
        self.task.desired_status = "STOPPED"
        self.task.stopping_at = now()
        self._show(shown_as, self.task.stopping_at)
        self._stop.set()

    def interrupt(self) -> None:
        """Spot wants its capacity back: the notice is an event that still says RUNNING, and a SIGTERM.

        AWS takes the capacity two minutes later. `stopTimeout` is no longer, so SIGKILL ends what is left before.
        """
        self.stop("SpotInterruption", reasons.SPOT_INTERRUPTED, shown_as=self.task.last_status)

    def kill(self) -> bool:
        """SIGKILL to the main process of every essential container; False when none runs."""
        victims = [name for name in self._alive() if self.task.container(name).essential]
        for name in victims:
            self._running[name].kill()
        return bool(victims)

    def pids(self) -> dict[str, int]:
        return {name: self._running[name].pid for name in self._alive()}

    async def abandon(self) -> None:
        """The server ends: so do the containers, without an event."""
        await asyncio.gather(*(self._running[name].close() for name in self._alive()))
        await asyncio.gather(*self._exits.values())
        await self._world.runtime.release(self.task)

    async def _provision(self) -> None:
        await self._pause(Phase.CONNECT)
        fail_on(FaultName.SPOT_CAPACITY_LATE, self.task, reasons.NO_CAPACITY)
        self.task.connectivity_at = now()
        await self._pause(Phase.ATTACH)
        self.task.interface.address = await self._world.runtime.attach(self.task)
        self.task.interface.status = "ATTACHED"
        self._show("PENDING", now())

    async def _start(self) -> None:
        await self._pause(Phase.PLACE)
        await self._world.runtime.prepare(self.task)
        self.task.pull_started_at = now()
        await self._pause(Phase.PULL)
        for container in self.task.containers:
            try:
                container.image_digest = await self._world.runtime.pull(self.task, container)
            except InitializationFailed as exc:
                container.reason = str(exc)
                raise
        self.task.pull_stopped_at = now()
        await self._pause(Phase.START)
        await self._unless_stopped(Launch(self.task.containers, self._start_container, self._exit_of).run())
        self.task.started_at = now()
        self._show("RUNNING", self.task.started_at)

    def _interrupt_later(self) -> None:
        """Under the fault `spot-interruption`."""
        if (fault := self.task.faults.get(FaultName.SPOT_INTERRUPTION)) is not None:
            after = fault.parameters.get("after_seconds", 0)
            asyncio.get_running_loop().call_later(after, self.interrupt)

    async def _start_container(self, container: Container) -> None:
        self._running[container.name] = await self._world.runtime.start(self.task, container)
        self._exits[container.name] = asyncio.create_task(self._wait_for_exit(container))
        container.last_status = "RUNNING"
        container.runtime_id = f"{self.task.id}-{secrets.randbelow(9 * 10**9) + 10**9}"
        log.info("task %s container %s started", self.task.id, container.name)

    async def _exit_of(self, name: str) -> int:
        return await asyncio.shield(self._exits[name])

    async def _wait_for_exit(self, container: Container) -> int:
        code = await self._running[container.name].wait()
        log.info("task %s container %s exited with %d", self.task.id, container.name, code)
        if container.essential:
            self._essential_exit.set()  # ECS shows it late: `_wind_down` sets the exit code
        else:
            container.exit_code = code
            container.last_status = "STOPPED"
        return code

    def _alive(self) -> list[str]:
        return [name for name, exit_ in self._exits.items() if not exit_.done()]

    async def _wind_down(self) -> None:
        await self._stop_containers()
        if self._exits or self.task.stop_code == "TaskFailedToStart":
            self.task.execution_stopped_at = now()
        await asyncio.sleep(self._world.pace.seconds(Phase.NOTICE))
        at = now()
        self.task.desired_status = "STOPPED"
        self.task.stopping_at = self.task.stopping_at or at
        for container in self.task.containers:
            container.last_status = "STOPPED"
            if container.name in self._exits:
                container.exit_code = self._exits[container.name].result()
        self._show("DEPROVISIONING", at)
        await asyncio.sleep(self._world.pace.seconds(Phase.DETACH))
        await self._world.runtime.release(self.task)
        self.task.interface.status = "DELETED"
        self.task.stopped_at = now()
        self._show("STOPPED", self.task.stopped_at)

    async def _stop_containers(self) -> None:
        """SIGTERM to all that run, SIGKILL to each that outlives its stopTimeout; real seconds, whatever the speed."""

        async def stop(name: str) -> None:
            self._running[name].terminate()
            timeout = self.task.container(name).definition.get("stopTimeout", _STOP_TIMEOUT)
            done, _ = await asyncio.wait([self._exits[name]], timeout=timeout)
            if not done:
                self._running[name].kill()
                await self._exits[name]

        await asyncio.gather(*(stop(name) for name in self._alive()))

    def _ending(self, code: str, reason: str) -> None:
        """Notes the reason, unless an earlier one is noted."""
        if self.task.stop_code is None:
            self.task.stop_code = code
            self.task.stopped_reason = reason

    def _show(self, status: str, at: datetime) -> None:
        publish(self.task, status, at)
        self._world.emit(self.task)

    async def _pause(self, phase: Phase) -> None:
        await self._unless_stopped(asyncio.sleep(self._world.pace.seconds(phase)))

    async def _unless_stopped(self, what: Coroutine[None, None, object]) -> None:
        """Waits for it, with its exceptions; cancels it and raises `_StopRequested` when the task is to end."""
        wanted = asyncio.create_task(what)
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({wanted, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            wanted.cancel()
            await asyncio.wait({wanted, stop})
        if self._stop.is_set():
            if not wanted.cancelled():
                wanted.exception()  # retrieved, or asyncio logs it: a failure at the same moment no longer matters
            raise _StopRequested
        await wanted
