"""What AWS does between the functions: events, the schedules, the table's stream, the probe queue. With its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from core.model.errors import ReachError
from core.model.identity import Ref
from core.model.record import Record
from tests.exploration.ecs import SimulatedEcs
from tests.exploration.faults import CALM_AFTER
from tests.exploration.prober import Prober
from tests.exploration.rules import Rules
from tests.exploration.stores import SimulatedStore
from tests.exploration.tasks import Task
from tests.exploration.wired import ControlPlane
from tests.exploration.world import World

EVENT_TIMEOUT: Final = 30.0
RECONCILE_TIMEOUT: Final = 120.0
PROBER_TIMEOUT: Final = 300.0
VISIBILITY: Final = 360.0
"""Seconds until a message whose prober failed is delivered again (template.yaml: ProbeQueue)."""
DELIVERIES: Final = 5
REST_AFTER: Final = 2 * 3600.0
"""Seconds of calm after which the schedules go slower, because each run costs time of the test's."""


class Platform:
    """One life's platform. `plane`, `store`, `ecs`, `prober` and `parameters` are set before it begins."""

    plane: ControlPlane
    store: SimulatedStore
    ecs: SimulatedEcs
    prober: Prober
    parameters: Mapping[str, str]

    def __init__(self, world: World, rules: Rules) -> None:
        self._world = world
        self._rules = rules

    def begin(self) -> None:
        """The schedules, each at a phase of its own."""
        self._every(60, self._minute, self._world.phase)
        self._every(900, self._quarter, self._world.between(0, 900))

    def invoke(
        self, kind: str, work: Callable[[], None], *, timeout: float, after: float = 0, retries: Sequence[float] = ()
    ) -> None:
        """An invocation that the platform repeats after those pauses when it fails or dies."""

        def attempt() -> None:
            done = False
            try:
                work()
                done = True
            except ReachError as error:
                self._world.note("fails:", error)
            finally:
                if not done and retries:
                    self.invoke(kind, work, timeout=timeout, after=retries[0], retries=retries[1:])
            if done:
                self._rules.finished(self._world.worker.name)

        self._world.begin(kind, attempt, timeout=timeout, after=after)

    def changed(self, task: Task) -> None:
        """ECS tells of a new version, if the rule lets it through (contract.md 4)."""
        world, status = self._world, task.document["lastStatus"]
        world.note(f"{task} is {status}, to be {task.document['desiredStatus']}")
        early = status == "PENDING" and world.settings.early_probe
        lost = world.happens(world.faults.event_lost)
        if lost or not (early or status == "RUNNING" or not task.wanted):
            return
        event = {"detail-type": "ECS Task State Change", "detail": task.copied()}
        for _ in range(2 if world.happens(world.faults.event_doubled) else 1):
            late = world.happens(world.faults.event_late)
            after = world.between(3, 240) if late else world.between(0.1, 1.5)
            self.invoke(
                "event", partial(self.plane.observe, event), timeout=EVENT_TIMEOUT, after=after, retries=(60, 120)
            )

    def saved(self, before: Record | None, after: Record) -> None:
        """The table's stream brings an agent's silence to the reconciler (template.yaml: its filter)."""
        silent = after.probe is not None and after.probe.silent_at is not None
        if silent and after.state == "eni-resolved":
            wait = self._world.between(0.05, 0.6)
            self.invoke(
                "stream", partial(self._reconcile_one, after), timeout=RECONCILE_TIMEOUT, after=wait, retries=(1,)
            )

    def deliver(self, ref: Ref, address: str) -> None:
        """The queue brings a message to the prober, at least once."""
        world = self._world
        if world.happens(world.faults.probe_lost):
            return
        for _ in range(2 if world.happens(world.faults.probe_doubled) else 1):
            self.invoke(
                "prober",
                partial(self.prober.probe, ref, address),
                timeout=PROBER_TIMEOUT,
                after=world.between(0.02, 0.5),
                retries=(VISIBILITY,) * (DELIVERIES - 1),
            )

    def _every(self, interval: float, run: Callable[[], None], first: float) -> None:
        def tick() -> None:
            run()
            # At rest every run is like the one before it.
            at_rest = self._world.scheduler.now > CALM_AFTER + REST_AFTER
            self._world.scheduler.after(interval * (10 if at_rest else 1), tick)

        self._world.scheduler.after(first, tick)

    def _minute(self) -> None:
        # A run that would find nothing changes nothing; a day has many of them.
        if self.store.overdue():
            self.invoke("minute", self._reconcile, timeout=RECONCILE_TIMEOUT)

    def _quarter(self) -> None:
        # A run that would find nothing changes nothing.
        if self.parameters or any(task.wanted for task in self.ecs.tasks.values()):
            self.invoke("leaks", self.plane.find_leaks, timeout=RECONCILE_TIMEOUT)

    def _reconcile(self) -> None:
        self.plane.reconcile()

    def _reconcile_one(self, brought: Record) -> None:
        """What is brought by the stream is reconciled then, not a minute later."""
        undisturbed = self.plane.reconcile([brought.container_id])
        if undisturbed:
            self._rules.reconciled(brought, self.store.truth(brought.container_id))
