"""The prober as the record sees it: it asks, every few seconds, until there is a verdict or the record says stop.

`core.probe.prober` runs on an event loop and is tested there; here its rules are kept in short: `core.probe.view`
decides whether it goes on, an agent counts only with the record's token, a silence only after the deadline.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.model.errors import CallFailed
from core.model.facts import AgentAnswered, AgentSilent, ProcessExited
from core.model.identity import Ref
from core.model.record import Record
from core.probe.view import Target, probe_view
from tests.exploration.ecs import SimulatedEcs
from tests.exploration.rules import Rules
from tests.exploration.stores import SimulatedStore
from tests.exploration.tasks import Task
from tests.exploration.wired import ControlPlane
from tests.exploration.world import World

PAUSE: Final = 5.0
PATIENCE: Final = 280.0


class OutOfTime(CallFailed):
    """The worker's time ends before the deadline: the message is delivered again."""


class Prober:
    """AgentHealthFunction."""

    def __init__(
        self, world: World, plane: ControlPlane, store: SimulatedStore, ecs: SimulatedEcs, rules: Rules
    ) -> None:
        self._world, self._plane, self._store, self._ecs, self._rules = world, plane, store, ecs, rules

    def probe(self, ref: Ref, address: str) -> None:
        """One message."""
        world, attempts, begun = self._world, 0, self._world.scheduler.now
        target = Target(ref, address)
        record: Record | None = None
        while world.scheduler.now < begun + PATIENCE:
            seen = None
            if (found := self._read(target)) is not None:
                [record] = found
                seen = probe_view(record, target)
            if seen is not None and seen.over is not None:
                return
            attempts += 1
            self._rules.tried(ref.generation, address)
            task = self._agent(address, seen.token) if seen is not None else None
            if task is not None:
                self._plane.judge(_verdict(task, ref, world.clock.now(), address, attempts), record)
                return
            if seen is not None and seen.once:
                return
            pause = PAUSE
            if seen is not None and seen.deadline is not None:
                left = (seen.deadline - world.clock.now()).total_seconds()
                if left <= 0:
                    self._give_up(target, attempts, record)
                    return
                pause = min(pause, left + 0.001)
            world.sleep(pause)
        raise OutOfTime("probe", "OutOfTime", "the deadline lies beyond this worker's time")

    def _read(self, target: Target) -> tuple[Record | None] | None:
        """None for a read that failed."""
        try:
            found = self._store.load_many([target.ref.container_id])
        except CallFailed:
            return None
        return (found.records.get(target.ref.container_id),)

    def _agent(self, address: str, token: str | None) -> Task | None:
        there = [task for task in self._ecs.tasks.values() if f"{task.address}:9111" == address]
        return next((task for task in there if task.answers and task.token == token), None)

    def _give_up(self, target: Target, attempts: int, record: Record | None) -> None:
        self._plane.judge(
            AgentSilent(
                ref=target.ref,
                at=self._world.clock.now(),
                address=target.address,
                attempts=attempts,
                last_error="connect timed out",
                remedy="Check the security group.",
            ),
            record,
        )


def _verdict(task: Task, ref: Ref, at: datetime, address: str, attempts: int) -> AgentAnswered | ProcessExited:
    if task.exited_with is None:
        return AgentAnswered(ref=ref, at=at, address=address, attempts=attempts)
    return ProcessExited(ref=ref, at=at, address=address, exit_code=task.exited_with)
