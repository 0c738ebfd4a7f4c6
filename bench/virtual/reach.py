"""This stack in the simulated AWS: the core's start, settle and prober on the real store adapter, as in Lambda."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, cast

from boto3.dynamodb.types import TypeDeserializer

from bench.rows import NEVER, CannotMeasure
from bench.table import Table
from bench.virtual import hops
from bench.virtual.functions import Account, Function
from bench.virtual.prober import Prober
from bench.virtual.services import SlowTable, VirtualEcs, VirtualQueue, VirtualStartTimes
from bench.virtual.world import Container, World
from core.adapters.dynamodb import DynamoStore
from core.control.settle import settle_event
from core.control.start import start_container
from core.launch.settings import Settings
from core.machine.task_documents import observe_event
from core.model.errors import Refused
from core.model.identity import Ref, started_by
from core.model.record import Record
from core.ports import Ecs
from core.storage.item import from_item, to_item
from docs.counted import memory
from docs.metered_store import write_units
from handlers.app import MAY_PERFORM
from tests.factories import CLUSTER, DEFINITION, SETTINGS
from tests.world import PortsInMemory

TABLE: Final = "containers"
_IMAGE: Final = "python:3.13-slim"
PENDING: Final = 0.35
"""Of the time to RUNNING: when ECS shows the task as PENDING (8.8 s of 24.9 in a capture)."""
_deserialize: Final = TypeDeserializer().deserialize
_MOST: Final = 7200.0
"""Seconds in which every start has to have been answered."""


class _Silent:
    """`core.ports.Observer` that keeps nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class _Clock:
    """`core.ports.Clock` of every function."""

    def __init__(self, world: World) -> None:
        self.now, self.monotonic, self.sleep, self.random = world.now, world.monotonic, world.pause, world.chance.random


@dataclass
class History:
    """What the item of one container was, since when; and since when the backend waits, for which generation."""

    waits_from: float = NEVER
    generation: int = 0
    items: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)


def record_of(item: Mapping[str, Any]) -> Record:
    """Of an item as DynamoDB's API has it."""
    return from_item({name: _deserialize(value) for name, value in item.items()})


def units_written(history: History) -> int:
    """WRU of its writes, with those of the index."""
    items = [to_item(record_of(item)) for _, item in history.items]
    return sum(sum(write_units(before, after)) for before, after in pairwise(({}, *items)))


@dataclass
class Reach:
    """`histories` by container, once `run` has ended. `starts_at_once`: how many starts the backend has under way.

    `known`: the start times that earlier worlds have learnt, by task definition.
    """

    world: World
    starts_at_once: int
    settings: Settings = SETTINGS
    known: dict[str, float] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    refused: int = 0
    account: Account = field(default_factory=Account)

    def __post_init__(self) -> None:
        world, table = self.world, Table()
        self.functions = {
            name: Function(world, self.account, name, memory(name), code, idle=[0.0])
            for name, code in (
                ("StartContainerFunction", hops.CPU),
                ("TaskStateFunction", hops.CPU),
                ("AgentHealthFunction", hops.PROBER_CPU),
            )
        }
        self.histories = {one.name: History() for one in world.containers}
        self.queue = VirtualQueue(world, self._probe)
        self.ecs = VirtualEcs(world, self._launched)
        self.start_times = VirtualStartTimes(world, self.known)
        ports = PortsInMemory(
            store=DynamoStore(TABLE, cast("Any", SlowTable(world, table, self._saved))),
            ecs=cast("Ecs", self.ecs),
            queue=self.queue,
            start_times=self.start_times,
            settings=self.settings,
            policy=self.settings.policy,
            clock=_Clock(world),
            observer=_Silent(),
            new_token=lambda: f"{world.chance.getrandbits(256):064x}",
        )
        self._ports = {name: replace(ports, performs=MAY_PERFORM[name]) for name in self.functions}
        self._prober = Prober(world, self._ports["AgentHealthFunction"], DynamoStore(TABLE, cast("Any", table)))
        self._asked: deque[Container] = deque()
        self._starting = 0

    def run(self) -> None:
        """Until every agent has been found."""
        for container in self.world.containers:
            self.world.after(container.asked_at, lambda container=container: self._ask(container))  # type: ignore[misc]
        self.world.scheduler.run(until=_MOST)
        self._prober.close()
        late = [name for name, one in self.histories.items() if one.waits_from == NEVER]
        if late:
            raise CannotMeasure(f"{len(late)} containers were not started within {_MOST:g} s")

    def _ask(self, container: Container) -> None:
        self._asked.append(container)
        self._start_some()

    def _start_some(self) -> None:
        while self._asked and self._starting < self.starts_at_once:
            self._starting += 1
            container = self._asked.popleft()
            self.world.after(self.world.draw(hops.INVOKE) / 2, lambda container=container: self._start(container))  # type: ignore[misc]

    def _start(self, container: Container) -> None:
        """One Invoke. The backend repeats a start that was throttled, by Lambda or by ECS."""
        document = {"container_id": container.name, "image": _IMAGE, "cmd": ["sleep", "3600"]}
        by = f"start-{self.functions['StartContainerFunction'].invocations}"

        def start() -> int | None:
            try:
                return start_container(self._ports["StartContainerFunction"], document, by).generation
            except Refused as refused:
                if not refused.failure.transient:
                    raise
                return None

        def answered(generation: int | None) -> None:
            self.world.after(self.world.draw(hops.INVOKE) / 2, lambda: self._answered(container, generation))

        if not self.functions["StartContainerFunction"].invoke(start, answered):
            self._answered(container, None)

    def _answered(self, container: Container, generation: int | None) -> None:
        self._starting -= 1
        if generation is not None:
            history = self.histories[container.name]
            history.waits_from, history.generation = self.world.monotonic(), generation
        else:
            self.refused += 1
            self.world.after(self.world.chance.uniform(1, 5), lambda: self._ask(container))
        self._start_some()

    def _launched(self, ref: Ref) -> None:
        """ECS will show the task as PENDING, where the rule lets that through, and as RUNNING."""
        provisioning = self.world.by_name[ref.container_id].provisioning
        if self.settings.early_probe:
            self.world.after(PENDING * provisioning, lambda: self._shown(ref, 2, "PENDING"))
        self.world.after(provisioning, lambda: self._shown(ref, 3, "RUNNING"))

    def _shown(self, ref: Ref, version: int, status: str) -> None:
        """ECS shows the task so; the event follows."""
        event = {"detail-type": "ECS Task State Change", "detail": self._task(ref, version, status)}
        function = self.functions["TaskStateFunction"]

        def settle() -> None:
            observed = observe_event(event, prefix=self.settings.started_by_prefix, at=self.world.now())
            settle_event(self._ports["TaskStateFunction"], cast("Any", observed))

        after = self.world.draw(hops.EMIT) + self.world.draw(hops.EVENT)
        self.world.after(after, lambda: function.deliver(settle))

    def _probe(self, batch: list[tuple[Ref, str]], ended: Callable[[], None]) -> bool:
        function = self.functions["AgentHealthFunction"]
        return function.invoke(lambda: self._prober.probe(batch), lambda _: ended())

    def _saved(self, item: Mapping[str, Any]) -> None:
        self.histories[item["container_id"]["S"]].items.append((self.world.monotonic(), item))

    def _task(self, ref: Ref, version: int, status: str) -> dict[str, Any]:
        """As the event shows it, with the instants that have come; they are spread as in the captures (ecs.md 3)."""
        container = self.world.by_name[ref.container_id]
        ip = container.address.partition(":")[0]
        shares = {
            "createdAt": 0.0,
            "connectivityAt": 0.15,
            "pullStartedAt": 0.35,
            "pullStoppedAt": 0.85,
            "startedAt": 1.0,
        }
        details = [{"name": "subnetId", "value": "subnet-00000001"}, {"name": "privateIPv4Address", "value": ip}]
        return {
            "taskArn": container.task_arn,
            "clusterArn": CLUSTER,
            "taskDefinitionArn": DEFINITION,
            "startedBy": started_by(self.settings.started_by_prefix, ref),
            "version": version,
            "lastStatus": status,
            "desiredStatus": "RUNNING",
            "attachments": [{"id": "interface", "type": "eni", "status": "ATTACHED", "details": details}],
            "containers": [{"name": "main", "lastStatus": status, "image": _IMAGE}],
            **{
                name: self.world.at(container.ran_at + share * container.provisioning).isoformat()
                for name, share in shares.items()
                if status == "RUNNING" or share <= PENDING
            },
        }
