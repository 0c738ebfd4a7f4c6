"""The control plane's ports in memory: `core.ports.Ports` for every test of a use case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from core.control.background_run import RateLimit, RateLimitedEcs, RunReport
from core.control.perform import OUTPUT_PATIENCE
from core.control.reconciler import reconcile
from core.control.settle import settle
from core.control.start import start_container
from core.control.stop import stop_container
from core.launch.settings import Settings
from core.model.actions import Action
from core.model.policy import Policy
from core.model.record import Record
from core.ports import Definitions, Ecs, Output, ProbeQueue, Registrations, StartTimes, Store, TokenVault
from tests.factories import CONTAINER_ID, POLICY, SETTINGS, at, event
from tests.fakes import (
    FakeDefinitions,
    FakeEcs,
    MemoryRegistrations,
    MemoryStartTimes,
    MemoryStore,
    MemoryVault,
    RecordingQueue,
    SettableClock,
)

if TYPE_CHECKING:
    from core.model.errors import CallFailed, ReachError
    from core.model.facts import Fact
    from core.model.identity import Ref
    from core.model.record import Settled, Unknown

ALL: frozenset[type[Action]] = frozenset(get_args(Action))
NONE: frozenset[type[Action]] = frozenset()


@dataclass
class RecordingObserver:
    """`core.ports.Observer` that keeps what it was shown."""

    seen: list[Settled | Unknown] = field(default_factory=list)
    failures: list[ReachError] = field(default_factory=list)
    left_out: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    unread: list[tuple[str, str | None]] = field(default_factory=list)
    leaks: list[tuple[str, str]] = field(default_factory=list)

    def settled(self, settled: Settled | Unknown) -> None:
        self.seen.append(settled)

    def failed(self, error: ReachError) -> None:
        self.failures.append(error)

    def labels_left_out(self, record: Record, labels: Sequence[str]) -> None:
        self.left_out.append((record.container_id, tuple(labels)))

    def output_unread(self, ref: Ref, task_arn: str, error: CallFailed | None) -> None:
        self.unread.append((ref.container_id, error.code if error else None))

    def task_leaked(self, ref: Ref, task_arn: str, why: str) -> None:
        self.leaks.append((task_arn, why))


@dataclass(kw_only=True)
class PortsInMemory:
    """`core.ports.Ports` of any implementations."""

    store: Store
    ecs: Ecs
    queue: ProbeQueue = field(default_factory=RecordingQueue)
    start_times: StartTimes = field(default_factory=MemoryStartTimes)
    vault: TokenVault = field(default_factory=MemoryVault)
    registrations: Registrations = field(default_factory=MemoryRegistrations)
    definitions: Definitions = field(default_factory=FakeDefinitions)
    output: Output | None = None
    output_patience: float = OUTPUT_PATIENCE
    settings: Settings = SETTINGS
    policy: Policy = POLICY
    performs: frozenset[type[Action]] = ALL
    process: str = "one"
    clock: Any = field(default_factory=lambda: SettableClock(at(0)))
    observer: Any = field(default_factory=RecordingObserver)
    new_token: Callable[[], str] = field(
        default_factory=lambda: iter(f"{number:064x}" for number in range(1, 100)).__next__
    )


class World(PortsInMemory):
    """The whole control plane on fakes, with the functions that a test calls."""

    store: MemoryStore
    ecs: FakeEcs
    queue: RecordingQueue
    start_times: MemoryStartTimes
    vault: MemoryVault
    registrations: MemoryRegistrations
    definitions: FakeDefinitions
    clock: SettableClock
    observer: RecordingObserver

    def __init__(self, *records: Record, seconds: float = 0, **ports: Any) -> None:
        clock = ports.pop("clock", None) or SettableClock(at(seconds))
        usual = {"store": MemoryStore(*records), "ecs": FakeEcs(clock), "vault": MemoryVault(clock=clock.now)}
        super().__init__(clock=clock, **{**usual, **ports})
        self.starts = 0

    def performing(self, performs: Iterable[type[Action]]) -> PortsInMemory:
        """The same ports, for a function that may perform these actions only."""
        return self.having(performs=frozenset(performs))

    def having(self, **changed: Any) -> PortsInMemory:
        """The same ports, some of them others."""
        ports = {name: getattr(self, name) for name in PortsInMemory.__dataclass_fields__}
        return PortsInMemory(**{**ports, **changed})

    def limited(self, reads: float = 1000, changes: float = 1000, *, rate: float = 1e6) -> PortsInMemory:
        """The same ports, for a background run."""
        limits = [RateLimit(clock=self.clock, rate=rate, most=most) for most in (reads, changes)]
        return self.having(ecs=RateLimitedEcs(self.ecs, *limits))

    def settle(self, *facts: Fact) -> Settled:
        """Settles facts about a recorded container."""
        return settle(self, self.record(facts[0].ref.container_id), *facts)

    def write(self, *facts: Fact) -> Settled:
        """The same, by a function that may perform nothing."""
        return settle(self.performing(NONE), self.record(facts[0].ref.container_id), *facts)

    def start(self, document: Any = None, by: str | None = None) -> Record:
        self.starts += 1
        return start_container(self, document or event("start-container"), by or f"start-{self.starts}")

    def stop(self, document: Any = None) -> Record:
        return stop_container(self, document or event("stop-container"))

    def reconcile(self, policy: Policy | None = None, time_left: Callable[[], float] = lambda: 60.0) -> RunReport:
        return reconcile(self.having(policy=policy or self.policy), time_left)

    def record(self, container_id: str = CONTAINER_ID) -> Record:
        record = self.store.load(container_id)
        assert record is not None
        return record

    def seconds(self) -> float:
        """Since the container was recorded."""
        return (self.clock.now() - at(0)).total_seconds()
