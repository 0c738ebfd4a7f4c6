"""A container's newest item, polled or listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

from core.client import verdicts
from core.client.inspection import inspected
from core.client.verdicts import Ended, Reachable
from core.model.errors import ContainerNotFound, WaitTimeout
from core.model.record import Record
from core.ports import Clock, Loaded

PAUSE: Final = 0.1
LATE: Final = 60.0
LATE_PAUSE: Final = 1.0
"""Seconds: between two polls; since the last change of state; and from then on between two polls.

A caller waits for one write, and a person does not notice a tenth of a second. Fargate takes 20 to 60 s to RUNNING
(ecs.md 10), and what takes longer is not in a hurry.
"""
END_PAUSE: Final = 1.0
END_LATE: Final = 600.0
END_LATE_PAUSE: Final = 5.0
"""The same of a wait for the end, which ECS shows about 10 s late and which may be months away."""

T = TypeVar("T")
Pace = tuple[float, float, float]


class Reader(Protocol):
    """All that the client needs of a `core.ports.Store`."""

    def load(self, container_id: str) -> Record | None:
        """The newest record, by a strongly consistent read."""

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """The newest records of any number of ids."""

    def scheduled(self) -> Iterable[str]:
        """The ids in the sparse index."""

    def load_all(self) -> Loaded:
        """The record of every item: a scan of the table."""


class ReachClient:
    """Reads containers out of a store; it cannot write. `core.adapters.clients.reach_client` makes one on DynamoDB."""

    def __init__(self, store: Reader, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, container_id: str) -> Record:
        """The newest record. Raises `ContainerNotFound`, `UnreadableRecord`, `CallFailed`.

        An item past its time to live counts as gone: DynamoDB may take two days to remove it (ecs.md 8).
        """
        record = self._store.load(container_id)
        if record is None or self._expired(record):
            raise ContainerNotFound(container_id)
        return record

    def get_many(self, container_ids: Iterable[str]) -> Loaded:
        """The newest records by id, in the order of the ids; `unreadable` names the items that cannot be read.

        An id in neither has no item. Cost: BatchGetItem, strongly consistent, 100 ids a call, 1 RRU each up to 4 KB.
        Raises `CallFailed` rather than give some for all.
        """
        ids = tuple(dict.fromkeys(container_ids))
        loaded = self._store.load_many(ids)
        records = {one: loaded.records[one] for one in ids if one in loaded.records}
        return Loaded(self._unexpired(records), loaded.unreadable)

    def list(self, *, ended: bool = False) -> Loaded:
        """All live containers, the newest start first, also after the backend's restart; with `ended` all there are.

        Live ones are found by the sparse index, which has each of them and next to no other, and then read by
        `get_many`. The index is eventually consistent: a start of the last second, or one that is written while the
        index is read, may be missing. Cost: 0.5 RRU for about 30 containers, and that of `get_many`.

        `ended` scans the whole table instead, strongly consistent, page by page: 1 RRU for each 4 KB of it, so 500 for
        1,000 containers of 2 KB. Ended items stay for RecordRetentionDays. Raises `CallFailed`.
        """
        loaded = self._store.load_all() if ended else self._store.load_many(self._store.scheduled())
        newest = sorted(self._unexpired(loaded.records).values(), key=lambda one: one.created_at, reverse=True)
        return Loaded({one.container_id: one for one in newest if ended or not one.state.ended}, loaded.unreadable)

    def wait_until_healthy(self, container_id: str, timeout: float) -> Reachable:
        """Polls the item until the agent has answered, for at most `timeout` seconds; 0 reads it once.

        The record itself fails when the stack's time-outs pass: for start, once per launch attempt, and for health.
        A `timeout` above that (2 x 300 s + 60 s by default) ends with the reason rather than with `WaitTimeout`.

        Raises `ContainerFailed` (with the item's `error`), `ContainerExited`, `WaitTimeout`, `ContainerNotFound`,
        `UnreadableRecord`, and `CallFailed` when a read fails after the client's own retries.

        Generations: the item holds the newest one only, and the wait follows it. When the container is started
        again meanwhile, the answer is that start's, and the timeout goes on counting from the call. A start that
        was recorded before the call is always seen, so an earlier generation's end is never reported for it.

        Cost: a poll is one strongly consistent GetItem, 1 RRU for an item up to 4 KB, which nearly all are. So
        a start of 40 s costs about 400 RRU, $0.00005. Eventually consistent reads would cost half, but may show the
        address of a task that is gone, which may be a stranger's.
        """
        return self._poll(container_id, verdicts.reachable, timeout, (PAUSE, LATE, LATE_PAUSE))

    def wait_until_ended(self, container_id: str, timeout: float) -> Ended:
        """Polls the item until the container has run and ended, for at most `timeout` seconds; 0 reads it once.

        Raises `ContainerFailed` for an end as `failed`, `ContainerRestarted`, and what `wait_until_healthy` raises,
        but `ContainerExited`.

        Generations: the answer is about the one that is current at the call. When another start has replaced it before
        its end was read, the item does not say any more how it ended: `ContainerRestarted`.

        Cost: a read a second, and one in 5 s when the state has lasted ten minutes: 720 RRU an hour.
        """
        return self._poll(container_id, verdicts.ended, timeout, (END_PAUSE, END_LATE, END_LATE_PAUSE))

    def _poll(self, container_id: str, verdict: Callable[[Record, Record], T | None], timeout: float, pace: Pace) -> T:
        """The first verdict on a record, given the first one read. `pace`: as `PAUSE`, `LATE` and `LATE_PAUSE`."""
        pause, late, late_pause = pace
        begun = self._clock.monotonic()
        first = record = self.get(container_id)
        seen, since = (record.generation, record.state), 0.0
        while True:
            if (found := verdict(record, first)) is not None:
                return found
            waited = self._clock.monotonic() - begun
            if waited >= timeout:
                raise WaitTimeout(container_id, record.state, waited, verdicts.hint(record))
            if seen != (record.generation, record.state):
                seen, since = (record.generation, record.state), waited
            self._clock.sleep(min(pause if waited - since < late else late_pause, timeout - waited))
            record = self.get(container_id)

    def inspect(self, container_id: str) -> dict[str, Any]:
        """The container as the frontend's inspect wants it (contract.md 3, last paragraph): JSON values.

        Every key is always there; what is not known is None. `status` is Docker's word, `state` is ours.
        `agent_token` is in clear text: the frontend connects with it, a log must not hold it.
        Raises as `get` does.
        """
        return inspected(self.get(container_id))

    def _unexpired(self, records: Mapping[str, Record]) -> dict[str, Record]:
        return {one: record for one, record in records.items() if not self._expired(record)}

    def _expired(self, record: Record) -> bool:
        return record.expires_at is not None and record.expires_at <= self._clock.now().timestamp()
