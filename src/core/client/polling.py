"""Reading items until waits end: one container's, or those of many containers together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import Final, Generic, Protocol, TypeVar

from core.client.experience import Experience
from core.client.pace import before_the_address, before_the_answer
from core.client.wait import Wait
from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from core.ports import Clock, Loaded

END_PAUSE: Final = 1.0
END_LATE: Final = 600.0
END_LATE_PAUSE: Final = 5.0
"""Seconds between two reads of a wait for the end; since the last change of state; and from then on. ECS shows an end
about 10 s late, and it may be months away."""
SOON: Final = 3.0
"""Times as long as an agent usually takes: so long its answer may come at any moment."""
BATCH: Final = 100
"""Keys that BatchGetItem takes."""
BACKOFF: Final = (0.05, 1.6)
"""Seconds before the next call after one that left keys out, doubled with each of them, and the most."""

T = TypeVar("T")
Unexpired = Callable[[Record | None], Record | None]


class Reader(Protocol):
    """All that the client needs of a `core.ports.Store`."""

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """The newest record; not `consistent`, perhaps an older one, at half the price."""

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """The newest records of any number of ids."""

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """The records of at most `BATCH` ids by one call, with those that are `unprocessed`."""

    def scheduled(self) -> Iterable[str]:
        """The ids in the sparse index."""

    def load_all(self) -> Loaded:
        """The record of every item: a scan of the table."""


@dataclass(frozen=True, slots=True)
class UntilHealthy:
    """`core.client.wait.Pace` of a wait for the agent."""

    experience: Experience

    def phase(self, record: Record) -> tuple[Hashable, datetime | None]:
        """The launch, until its container is about to run; from then on the agent's start."""
        launch = record.generation, record.attempt
        if _near(record):
            return (*launch, "near"), record.timings.get(Instant.RESOLVED)
        return launch, record.launched_at

    def pause(self, record: Record, elapsed: float) -> float:
        """By what this client has seen of the image."""
        start, answer = self.experience.expected(record.image)
        return before_the_answer(elapsed, answer) if _near(record) else before_the_address(elapsed, start, answer)

    def hastens(self, record: Record, elapsed: float) -> bool:
        """As long as the agent is not late."""
        return _near(record) and elapsed <= SOON * self.experience.expected(record.image)[1].median


@dataclass(frozen=True, slots=True)
class UntilEnded:
    """The same of a wait for the end."""

    def phase(self, record: Record) -> tuple[Hashable, datetime | None]:
        """A state, from when on it is seen."""
        return (record.generation, record.state), None

    def pause(self, _record: Record, elapsed: float) -> float:
        """Longer when the state has lasted."""
        return END_PAUSE if elapsed < END_LATE else END_LATE_PAUSE

    def hastens(self, _record: Record, _elapsed: float) -> bool:
        """Whoever waits for an end can wait for a read."""
        return False


def wait_for(reader: Reader, clock: Clock, wait: Wait[T], unexpired: Unexpired) -> T:
    """The outcome of one wait. Raises it where it is an error, and what a read raises."""
    while True:
        if (pause := wait.due - clock.monotonic()) > 0:
            clock.sleep(pause)
        record = unexpired(reader.load(wait.container_id, consistent=wait.consistent))
        outcome = wait.saw(record, clock.monotonic(), clock.now())
        if isinstance(outcome, ReachError):
            raise outcome
        if outcome is not None:
            return outcome


def wait_for_many(
    reader: Reader, clock: Clock, waits: Iterable[Wait[T]], unexpired: Unexpired
) -> Iterator[tuple[str, T | ReachError]]:
    """Each outcome as it comes, an error as a value.

    One call at a time reads those that have been due for longest, so none waits behind another; the more are due, the
    more a call reads. Raises `CallFailed` of a call that will not succeed later.
    """
    queue = _Queue[T]()
    for wait in waits:
        queue.put(wait)
    backoff = 0.0
    while (due := queue.due) is not None:
        if (pause := max(backoff, due - clock.monotonic())) > 0:
            clock.sleep(pause)
        batch = queue.take(clock.monotonic())
        loaded, failed = _load(reader, batch)
        seconds, now = clock.monotonic(), clock.now()
        backoff = min(2 * backoff or BACKOFF[0], BACKOFF[1]) if failed else 0.0
        errors: dict[str, ReachError] = {error.container_id: error for error in loaded.unreadable}
        for wait in batch:
            name = wait.container_id
            outcome: T | ReachError | None = errors.get(name)
            if failed is not None and name in loaded.unprocessed:
                outcome = wait.failed(failed, seconds, seconds + backoff)
            elif outcome is None:
                outcome = wait.saw(unexpired(loaded.records.get(name)), seconds, now)
            if outcome is None:
                queue.put(wait)
            else:
                yield name, outcome


@dataclass(slots=True)
class _Queue(Generic[T]):
    """Waits by the kind of their next read and by when it is due: one call makes reads of one kind."""

    _waits: dict[bool, list[tuple[float, int, Wait[T]]]] = field(default_factory=lambda: {False: [], True: []})
    _number: int = 0

    @property
    def due(self) -> float | None:
        """Of the first read; None when no wait is left."""
        return min((waits[0][0] for waits in self._waits.values() if waits), default=None)

    def put(self, wait: Wait[T]) -> None:
        """Among those that are due as soon, the last."""
        self._number += 1
        heappush(self._waits[wait.consistent], (wait.due, self._number, wait))

    def take(self, seconds: float) -> list[Wait[T]]:
        """For one call: those of the kind of the first one that are due by then, at least that one."""
        waits = min((waits for waits in self._waits.values() if waits), key=lambda waits: waits[0])
        batch = [heappop(waits)[2]]
        while waits and waits[0][0] <= seconds and len(batch) < BATCH:
            batch.append(heappop(waits)[2])
        return batch


def _load(reader: Reader, batch: list[Wait[T]]) -> tuple[Loaded, CallFailed | None]:
    """With what keeps some of it from being read; it may be read later. Raises `CallFailed` where it may not."""
    ids = [wait.container_id for wait in batch]
    try:
        loaded = reader.load_some(ids, consistent=batch[0].consistent)
    except CallFailed as failed:
        if not failed.transient:
            raise
        return Loaded({}, unprocessed=tuple(ids)), failed
    if not loaded.unprocessed:
        return loaded, None
    left = f"{len(loaded.unprocessed)} of {len(ids)} keys were left out of the answer."
    return loaded, CallFailed("BatchGetItem", "UnprocessedKeys", left, cause=Cause.THROTTLED, transient=True)


def _near(record: Record) -> bool:
    """The image is there: the container runs, or is about to."""
    known = Instant.PULL_STOPPED in record.timings or Instant.STARTED in record.timings
    return record.state is not State.PENDING or known
