"""The backend's waits, lived after the world has ended: they change nothing in it, so each has a clock of its own.

The real `core.client`, with its own pace, reads each container's item as it was at that instant.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from bench.virtual import hops
from bench.virtual.reach import History
from bench.virtual.world import World
from core.client import Loaded, ReachClient
from core.model.record import Record
from core.storage.item import from_item

PATIENCE: Final = 700.0
EVENTUAL: Final = 0.5
"""RRU of an eventually consistent read."""
_deserialize: Final = TypeDeserializer().deserialize


@dataclass
class WaitersClock:
    """`core.ports.Clock` of one wait at a time."""

    world: World
    chance: Random
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.world.at(self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def random(self) -> float:
        return self.chance.random()


@dataclass
class HistoryReader:
    """`core.client.Reader` on the items of a world that has ended. `units`: RRU of items of up to 4 KB."""

    clock: WaitersClock
    histories: dict[str, History]
    reads: int = 0
    units: float = 0.0
    _records: dict[str, tuple[list[float], list[Record]]] = field(default_factory=dict)

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """GetItem. An eventually consistent one costs half, and may show the item as it was a moment before."""
        self.reads += 1
        self.units += 1 if consistent else EVENTUAL
        half = hops.GET.draw(self.clock.chance) / 2
        self.clock.sleep(half)
        behind = 0.0 if consistent else hops.REPLICA.draw(self.clock.chance)
        found = self._as_of(container_id, self.clock.seconds - behind)
        self.clock.sleep(half)
        return found

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """No wait for one container reads many."""
        raise NotImplementedError(tuple(container_ids))

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """No wait for one container reads some of many."""
        raise NotImplementedError(tuple(container_ids), consistent)

    def scheduled(self) -> Iterable[str]:
        """No wait reads the index."""
        raise NotImplementedError

    def load_all(self) -> Loaded:
        """No wait reads the table."""
        raise NotImplementedError

    def _as_of(self, container_id: str, seconds: float) -> Record | None:
        if container_id not in self._records:
            items = self.histories[container_id].items
            self._records[container_id] = ([at for at, _ in items], [_record(item) for _, item in items])
        instants, records = self._records[container_id]
        number = bisect_right(instants, seconds)
        return records[number - 1] if number else None


@dataclass(frozen=True, slots=True)
class Waited:
    """`lags`: seconds from each agent listening to the backend knowing it. `reads` and `units` of all waits."""

    lags: dict[str, float]
    reads: int
    units: float


def waited(world: World, histories: dict[str, History]) -> Waited:
    """Every container's wait by one client, in the order in which they began."""
    clock = WaitersClock(world, Random(world.seed))  # noqa: S311 - repeatable, not secret
    reader = HistoryReader(clock, histories)
    client = ReachClient(reader, clock)
    lags = {}
    for name in sorted(histories, key=lambda name: histories[name].waits_from):
        clock.seconds = histories[name].waits_from
        client.wait_until_healthy(name, PATIENCE)
        lags[name] = clock.seconds - world.by_name[name].listening_at
    return Waited(lags, reader.reads, reader.units)


def _record(item: Any) -> Record:
    return from_item({name: _deserialize(value) for name, value in item.items()})
