"""The real control plane on the simulated world: the one place that knows how it is put together (`handlers`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from core.control.background_run import limited
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.control.reconciler import reconcile
from core.control.settle import settle_event
from core.control.settle_verdict import settle_verdict
from core.control.start import start_container
from core.control.stop import stop_container
from core.launch.settings import Settings
from core.machine.task_documents import observe_event
from core.model.actions import ReadOutput
from core.model.errors import ReachError, Refused
from core.model.facts import Fact, TaskObserved
from core.model.failure import Failure
from core.model.identity import Ref
from core.model.policy import Policy
from core.model.record import Record, Settled, Unknown
from core.model.state import State
from core.ports import Clock, Ecs, Output, ProbeQueue, Registrations, Store, TokenVault
from handlers.app import MAY_PERFORM
from tests.world import PortsInMemory, RecordingObserver


class Host(Protocol):
    """Where an invocation runs. `name` is the running one's, `time_left` its seconds; each new token is another one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def name(self) -> str: ...
    def time_left(self) -> float: ...
    def new_token(self) -> str: ...
    def note(self, *words: Any) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the control plane is put on. `settled` and `leaked` are what its functions report."""

    store: Store
    ecs: Ecs
    queue: ProbeQueue
    vault: TokenVault
    registrations: Registrations
    output: Output
    settled: Callable[[Settled], None]
    leaked: Callable[[str, Ref, str], None]


class _Observer(RecordingObserver):
    def __init__(self, host: Host, around: Surroundings) -> None:
        super().__init__()
        self._host, self._around = host, around

    def settled(self, settled: Settled | Unknown) -> None:
        if isinstance(settled, Settled):
            self._around.settled(settled)

    def failed(self, error: ReachError) -> None:
        self._host.note("goes on after:", error)

    def task_leaked(self, ref: Ref, task_arn: str, why: str) -> None:
        self._around.leaked(task_arn, ref, why)


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

    def __init__(self, host: Host, around: Surroundings) -> None:
        self._host, self._around = host, around
        self._listing = Listing()

    def start(self, document: dict[str, Any]) -> Answer:
        """`handlers.start_container`. Raises what would be a function error."""
        ports = self._ports("StartContainerFunction")
        return _answer(lambda: start_container(ports, document, self._host.name))

    def stop(self, document: dict[str, Any]) -> Answer:
        """`handlers.stop_container`. Raises what would be a function error."""
        return _answer(partial(stop_container, self._ports("StopContainerFunction"), document))

    def observe(self, event: dict[str, Any]) -> None:
        """`handlers.task_state`."""
        prefix = self._host.settings.started_by_prefix
        observed = observe_event(event, prefix=prefix, at=self._host.clock.now())
        assert isinstance(observed, TaskObserved)
        settle_event(self._ports("TaskStateFunction"), observed)

    def judge(self, verdict: Fact, record: Record | None) -> None:
        """`handlers.agent_health`, when a probe has ended that read this record last."""
        settle_verdict(self._ports("AgentHealthFunction"), verdict, record)

    def reconcile(self, only: Sequence[str] | None = None) -> bool:
        """`handlers.reconcile`, of the minute or of the table's stream: whether nothing went wrong."""
        report = reconcile(self._run(), self._time_left, only)
        return not report.errors and report.stopped is None

    def find_leaks(self) -> None:
        """`handlers.reconcile`, of every quarter of an hour."""
        cluster = self._host.settings.cluster_arn
        assert cluster is not None
        find_leaked_tasks(self._run(), cluster, self._listing)

    def _ports(self, function: str) -> PortsInMemory:
        host, around = self._host, self._around
        return PortsInMemory(
            store=around.store,
            ecs=around.ecs,
            queue=around.queue,
            vault=around.vault,
            registrations=around.registrations,
            output=around.output if ReadOutput in MAY_PERFORM[function] and host.policy.reads_output else None,
            settings=host.settings,
            policy=host.policy,
            performs=MAY_PERFORM[function],
            process=host.name,
            clock=host.clock,
            observer=_Observer(host, around),
            new_token=host.new_token,
        )

    def _run(self) -> PortsInMemory:
        ports = self._ports("ReconcileFunction")
        ecs, output, vault, queue = limited(ports, self._time_left)
        return replace(ports, ecs=ecs, output=output, vault=vault, queue=queue)

    def _time_left(self) -> float:
        return min(self._host.time_left() - 10, 110)


def _answer(function: Callable[[], Record]) -> Answer:
    try:
        return Answer(record=function())
    except Refused as refused:
        return Answer(error=refused.failure)


def failed(record: Record) -> bool:
    """Whether a normal answer with this record would tell of a container that has failed as if it were well."""
    return record.state is State.FAILED
