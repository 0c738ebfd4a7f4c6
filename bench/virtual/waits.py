"""The backend's waits, lived after the world has ended: they change nothing in it, so each has a clock of its own.

The real `core.client`, with its own pace, reads each container's item as it was at that instant. What it has learnt
when a wait begins comes from the starts before it; where many begin together, some of these would not have ended yet.
So a backend is given starts of the image beforehand, and its pace is settled by then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bench.virtual import hops
from bench.virtual.reach import History, record_of
from bench.virtual.world import World
from core.client import Loaded, ReachClient
from core.model.record import Record
from tests.factories import START

PATIENCE: Final = 700.0
EVENTUAL: Final = 0.5
"""RRU of an eventually consistent read."""


@dataclass
class WaitersClock:
    """`core.ports.Clock` of one wait at a time, with the date of the worlds."""

    chance: Random
    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

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
    reads: int = 0
    units: float = 0.0
    _histories: Mapping[str, History] = field(default_factory=dict)
    _records: dict[str, tuple[list[float], list[Record]]] = field(default_factory=dict)

    def begin(self, histories: Mapping[str, History]) -> None:
        """Another world, and nothing read of it."""
        self.reads, self.units = 0, 0.0
        self._histories, self._records = histories, {}

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
            items = self._histories[container_id].items
            self._records[container_id] = ([at for at, _ in items], [record_of(item) for _, item in items])
        instants, records = self._records[container_id]
        number = bisect_right(instants, seconds)
        return records[number - 1] if number else None


@dataclass(frozen=True, slots=True)
class Waited:
    """`lags`: seconds from each agent listening to the backend knowing it. `reads` and `units` of all waits."""

    lags: dict[str, float]
    reads: int
    units: float


class Backend:
    """One client of the core, which learns from wait to wait, as a backend's process does."""

    def __init__(self, seed: int) -> None:
        self._clock = WaitersClock(Random(seed))  # noqa: S311 - repeatable, not secret
        self._reader = HistoryReader(self._clock)
        self._client = ReachClient(self._reader, self._clock)

    def waited(self, world: World, histories: Mapping[str, History]) -> Waited:
        """Every container's wait, in the order in which they began."""
        self._reader.begin(histories)
        lags = {}
        for name in sorted(histories, key=lambda name: histories[name].waits_from):
            self._clock.seconds = histories[name].waits_from
            self._client.wait_until_healthy(name, PATIENCE, generation=histories[name].generation)
            lags[name] = self._clock.seconds - world.by_name[name].listening_at
        return Waited(lags, self._reader.reads, self._reader.units)
