"""The real control plane on the simulated world: the one place that knows how it is put together (`handlers`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.control.describe import Looker
from core.control.leaked_tasks import LeakFinder, Sighting
from core.control.patience import Patience
from core.control.perform import Performer
from core.control.rate_limit import Budget
from core.control.rate_limited import PacedTasks
from core.control.reconcile import Reconciler
from core.control.register import Registrar
from core.control.run_task import Launcher
from core.control.settle import Settled, Settler
from core.control.start import Starter
from core.control.stop import Stopper
from core.machine.task_documents import observe_event
from core.model.actions import ClaimLaunch, Relaunch
from core.model.errors import ReachError, Refused
from core.model.facts import Fact, TaskObserved
from core.model.failure import Failure
from core.model.record import Record
from core.model.state import State
from core.ports import Ecs, ProbeQueue, Registrations, Store, Tasks, TokenVault
from tests.exploration.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the control plane is put on. `settled` hears of whatever a function tells, `leaked` of the leak finder."""

    store: Store
    ecs: Ecs
    queue: ProbeQueue
    vault: TokenVault
    registrations: Registrations
    settled: Callable[[Settled], None]
    leaked: Callable[[Sighting, str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the backend gets of StartContainerFunction or StopContainerFunction. `error` is the member of that name."""

    record: Record | None = None
    error: Failure | None = None

    def __str__(self) -> str:
        if self.error is not None:
            return f"{self.error.code}: {self.error.message}"
        assert self.record is not None
        return f"[g{self.record.generation} {self.record.state} {self.record.task_arn}]"


class ControlPlane:
    """Every function of the stack. Each call is one invocation, made in the running worker."""

    def __init__(self, world: World, around: Surroundings) -> None:
        self._world = world
        self._store, self._ecs, self._queue, self._vault = around.store, around.ecs, around.queue, around.vault
        self._registrations = around.registrations
        self._settled, self._leaked = around.settled, around.leaked
        self._prefix = world.settings.started_by_prefix
        self._sightings: dict[str, Sighting | None] = {}
        self._tokens = 0

    def start(self, document: dict[str, Any]) -> Answer:
        """`handlers.start_container`. Raises what would be a function error."""
        starter = Starter(
            store=self._store,
            ecs=self._ecs,
            vault=lambda: self._vault,
            launcher=Launcher(self._ecs, Registrar(self._ecs, lambda: self._registrations, self._world.clock)),
            settler=self._settler(self._ecs),
            looker=self._looker(),
            settings=self._world.settings,
            clock=self._world.clock,
            patience=self._patience,
            new_token=self._new_token,
            told=self._settled,
        )
        return self._answer(lambda: starter.start(document, self._world.worker.name))

    def stop(self, document: dict[str, Any]) -> Answer:
        """`handlers.stop_container`. Raises what would be a function error."""
        settler = self._settler(self._ecs, without=(ClaimLaunch, Relaunch))
        stopper = Stopper(self._store, settler, self._looker(), self._world.clock)
        return self._answer(lambda: stopper.stop(document))

    def observe(self, event: dict[str, Any]) -> None:
        """`handlers.task_state`."""
        observed = observe_event(event, prefix=self._prefix, at=self._world.clock())
        assert isinstance(observed, TaskObserved)
        self._settled(self._settler(self._ecs).settle(observed))

    def judge(self, verdict: Fact) -> None:
        """`handlers.agent_health`, when a probe has ended."""
        self._settled(Settler(self._store, self._world.policy).settle(verdict))

    def reconcile(self, only: Sequence[str] | None = None) -> bool:
        """`handlers.reconcile`, of the minute or of the table's stream: whether nothing went wrong."""
        errors: list[ReachError] = []
        tasks = self._paced()
        reconciler = Reconciler(
            store=self._store,
            settler=self._settler(tasks),
            ecs=tasks,
            clock=self._world.clock,
            policy=self._world.policy,
            prefix=self._prefix,
            told=self._settled,
            failed=errors.append,
            time_left=self._time_left,
        )
        report = reconciler.run() if only is None else reconciler.look_at(only)
        for error in errors:
            self._world.note("goes on after:", error)
        return not errors and report.stopped is None

    def find_leaks(self) -> None:
        """`handlers.reconcile`, of every quarter of an hour."""
        cluster = self._world.settings.cluster_arn
        assert cluster is not None
        LeakFinder(
            store=self._store,
            ecs=self._paced(),
            vault=self._vault,
            sightings=self._sightings,
            cluster=cluster,
            prefix=self._prefix,
            policy=self._world.policy,
            clock=self._world.clock,
            told=self._leaked,
            failed=partial(self._world.note, "goes on after:"),
        ).run()

    def _answer(self, use_case: Callable[[], Settled]) -> Answer:
        try:
            settled = use_case()
        except Refused as refused:
            return Answer(error=refused.failure)
        self._settled(settled)
        assert settled.record is not None
        return Answer(record=settled.record)

    def _settler(self, tasks: Tasks, without: Sequence[type] = ()) -> Settler:
        performer = Performer(
            lambda: tasks,
            lambda: self._queue,
            lambda: self._vault,
            self._world.clock,
            self._world.settings,
            self._world.worker.name,
        )
        performs = {kind: perform for kind, perform in performer.table().items() if kind not in without}
        return Settler(self._store, self._world.policy, performs, unfinished=self._settled)

    def _looker(self) -> Looker:
        return Looker(self._ecs, self._world.clock, self._prefix, _raise)

    def _paced(self) -> PacedTasks:
        reads, changes = (
            Budget(
                rate=self._world.policy.reconcile_rate,
                most=self._world.policy.reconcile_calls,
                monotonic=lambda: self._world.scheduler.now,
                sleep=self._world.sleep,
                time_left=self._time_left,
            )
            for _ in range(2)
        )
        return PacedTasks(self._ecs, reads, changes)

    def _patience(self) -> Patience:
        return Patience(
            monotonic=lambda: self._world.scheduler.now, sleep=self._world.sleep, random=self._world.chance.random
        )

    def _time_left(self) -> float:
        return min(self._world.worker.deadline - self._world.scheduler.now - 10, 110)

    def _new_token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:064x}"


def failed(record: Record) -> bool:
    """Whether a normal answer with this record would tell of a container that has failed as if it were well."""
    return record.state is State.FAILED


def _raise(error: ReachError) -> None:
    raise error
