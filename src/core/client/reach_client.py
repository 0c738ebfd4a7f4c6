"""A container's newest item, polled or listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from core.client import verdicts
from core.client.experience import Experience
from core.client.inspection import inspected
from core.client.polling import Reader, UntilEnded, UntilHealthy, wait_for, wait_for_many
from core.client.verdicts import Ended, Reachable
from core.client.wait import Pace, Wait
from core.model.errors import ContainerNotFound, ReachError
from core.model.record import Record
from core.ports import Clock, Loaded

T = TypeVar("T")


class ReachClient:
    """Reads containers out of a store; it cannot write. `core.adapters.clients.reach_client` makes one on DynamoDB."""

    def __init__(self, store: Reader, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._experience = Experience()

    def get(self, container_id: str) -> Record:
        """The newest record. Raises `ContainerNotFound`, `UnreadableRecord`, `CallFailed`.

        An item past its time to live counts as gone: DynamoDB may take two days to remove it (ecs.md 8).
        """
        record = self._unexpired(self._store.load(container_id))
        if record is None:
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
        return Loaded(self._all_unexpired(records), loaded.unreadable)

    def list(self, *, ended: bool = False) -> Loaded:
        """All live containers, the newest start first, also after the backend's restart; with `ended` all there are.

        Live ones are found by the sparse index, which has each of them and next to no other, and then read by
        `get_many`. The index is eventually consistent: a start of the last second, or one that is written while the
        index is read, may be missing. Cost: 0.5 RRU for about 30 containers, and that of `get_many`.

        `ended` scans the whole table instead, strongly consistent, page by page: 1 RRU for each 4 KB of it, so 500 for
        1,000 containers of 2 KB. Ended items stay for RecordRetentionDays. Raises `CallFailed`.
        """
        loaded = self._store.load_all() if ended else self._store.load_many(self._store.scheduled())
        newest = sorted(self._all_unexpired(loaded.records).values(), key=lambda one: one.created_at, reverse=True)
        return Loaded({one.container_id: one for one in newest if ended or not one.state.ended}, loaded.unreadable)

    def wait_until_healthy(self, container_id: str, timeout: float, generation: int | None = None) -> Reachable:
        """Polls the item until the agent has answered, for at most `timeout` seconds; 0 reads it once.

        The record itself fails when the stack's time-outs pass: for start, once per launch attempt, and for health.
        A `timeout` above that (2 x 300 s + 60 s by default) ends with the reason rather than with `WaitTimeout`.

        Raises `ContainerFailed` (with the item's `error`), `ContainerExited`, `WaitTimeout`, `ContainerNotFound`,
        `UnreadableRecord`, and `CallFailed` when a read fails after the client's own retries.

        Generations: the item holds the newest one only, and the wait follows it. When the container is started
        again meanwhile, the answer is that start's, and the timeout goes on counting from the call. A start that
        was recorded before the call is always seen, so an earlier generation's end is never reported for it.

        Cost: reads are eventually consistent, 0.5 RRU for an item up to 4 KB, which nearly all are; the first one, and
        the one that confirms the answer, are strongly consistent, 1 RRU. With the `generation` of StartContainer's
        answer the first one need not be. They come when the answer is likely, by the starts of the same image that
        this client has waited for (item.md "Polling"): a start of 40 s costs about 31 RRU, $0.0000039.
        """
        wait = self._wait(container_id, verdicts.reachable, UntilHealthy(self._experience), timeout, generation)
        return self._learnt(wait_for(self._store, self._clock, wait, self._unexpired))

    def wait_many(
        self, containers: Iterable[str] | Mapping[str, int], timeout: float
    ) -> Iterator[tuple[str, Reachable | ReachError]]:
        """Waits for the agents of any number of containers at once: each id with its outcome, as it comes.

        `containers`: their ids, or the generation of each by its id. An outcome is what `wait_until_healthy` returns,
        or the error that it raises; `timeout` counts from the first outcome that is asked for. The iterator reads while
        it is asked for the next outcome, one BatchGetItem of at most 100 keys at a time, those first that have been due
        for longest. A key that DynamoDB leaves out, and a call that may succeed later, are repeated until the time is
        up. The cost of each container is that of `wait_until_healthy`.

        Raises `CallFailed` of a call that will not succeed later.
        """
        generations = containers if isinstance(containers, Mapping) else dict.fromkeys(containers)
        pace = UntilHealthy(self._experience)
        waits = [self._wait(one, verdicts.reachable, pace, timeout, known) for one, known in generations.items()]
        for name, outcome in wait_for_many(self._store, self._clock, waits, self._unexpired):
            yield name, outcome if isinstance(outcome, ReachError) else self._learnt(outcome)

    def wait_until_ended(self, container_id: str, timeout: float) -> Ended:
        """Polls the item until the container has run and ended, for at most `timeout` seconds; 0 reads it once.

        Raises `ContainerFailed` for an end as `failed`, `ContainerRestarted`, and what `wait_until_healthy` raises,
        but `ContainerExited`.

        Generations: the answer is about the one that is current at the call. When another start has replaced it before
        its end was read, the item does not say any more how it ended: `ContainerRestarted`.

        Cost: a read a second, and one in 5 s when the state has lasted ten minutes, of 0.5 RRU: 360 RRU an hour.
        """
        wait = self._wait(container_id, verdicts.ended, UntilEnded(), timeout)
        return wait_for(self._store, self._clock, wait, self._unexpired)

    def _wait(
        self,
        container_id: str,
        verdict: Callable[[Record, Record], T | None],
        pace: Pace,
        timeout: float,
        generation: int | None = None,
    ) -> Wait[T]:
        begun = self._clock.monotonic()
        return Wait(container_id, verdict, pace, begun=begun, timeout=timeout, generation=generation)

    def _learnt(self, agent: Reachable) -> Reachable:
        self._experience.learn(agent.record)
        return agent

    def inspect(self, container_id: str) -> dict[str, Any]:
        """The container as the frontend's inspect wants it (contract.md 3, last paragraph): JSON values.

        Every key is always there; what is not known is None. `status` is Docker's word, `state` is ours.
        `agent_token` is in clear text: the frontend connects with it, a log must not hold it.
        Raises as `get` does.
        """
        return inspected(self.get(container_id))

    def _all_unexpired(self, records: Mapping[str, Record]) -> dict[str, Record]:
        return {one: record for one, record in records.items() if self._unexpired(record)}

    def _unexpired(self, record: Record | None) -> Record | None:
        return None if record is None or record.expired(self._clock.now()) else record
