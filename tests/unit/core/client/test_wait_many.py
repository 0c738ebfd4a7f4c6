"""Many waits at once: each ends as it would alone, by few calls, and none waits behind another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.client import Loaded, Reachable, ReachClient
from core.model.errors import (
    CallFailed,
    ContainerExited,
    ContainerFailed,
    ContainerNotFound,
    ReachError,
    UnreadableRecord,
    WaitTimeout,
)
from core.model.failure import Cause
from core.model.record import Record
from core.storage.item import to_item
from tests.factories import at, pending
from tests.fakes import MemoryStore, SettableClock
from tests.records import exited, failed, healthy, resolved

THROTTLED = CallFailed("BatchGetItem", "ThrottlingException", "slow down", cause=Cause.THROTTLED, transient=True)
DENIED = CallFailed("BatchGetItem", "AccessDeniedException", "no", cause=Cause.PERMISSION)


def name(number: int) -> str:
    return f"{number:064x}"


@dataclass
class Table:
    """A table whose containers live on while the client sleeps and reads; each call takes `takes` seconds.

    `calls`: the ids and whether they were read strongly consistent. `left_out`: ids that the next calls leave out.
    """

    clock: SettableClock = field(default_factory=lambda: SettableClock(at(0)))
    store: MemoryStore = field(default_factory=MemoryStore)
    lives: dict[str, list[tuple[float, Record]]] = field(default_factory=dict)
    calls: list[tuple[list[str], bool]] = field(default_factory=list)
    left_out: list[set[str]] = field(default_factory=list)
    failures: list[CallFailed] = field(default_factory=list)
    takes: float = 0.006

    def __post_init__(self) -> None:
        self.begun = self.clock.monotonic()
        self.client = ReachClient(self, self.clock)

    def lived(self, number: int, *entries: tuple[float, Record]) -> str:
        """Each entry: the second, and what is written then."""
        self.lives[name(number)] = [(second, replace(one, container_id=name(number))) for second, one in entries]
        return name(number)

    @property
    def elapsed(self) -> float:
        return self.clock.monotonic() - self.begun

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        ids = list(container_ids)
        assert len(ids) <= 100
        self.calls.append((ids, consistent))
        self.clock.advance(self.takes)
        if self.failures:
            raise self.failures.pop(0)
        left = self.left_out.pop(0) if self.left_out else set()
        for one in ids:
            entries = self.lives.get(one, [])
            while entries and entries[0][0] <= self.elapsed:
                self.store.put_item(to_item(entries.pop(0)[1]))
        loaded = self.store.load_many(one for one in ids if one not in left)
        return replace(loaded, unprocessed=tuple(one for one in ids if one in left))

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        raise NotImplementedError

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        raise NotImplementedError

    def scheduled(self) -> Iterable[str]:
        raise NotImplementedError

    def load_all(self) -> Loaded:
        raise NotImplementedError

    def outcomes(self, containers: Any, timeout: float = 60) -> Iterator[tuple[float, str, Reachable | ReachError]]:
        """With the second at which each came."""
        for one, outcome in self.client.wait_many(containers, timeout):
            yield self.elapsed, one, outcome


def test_no_container_is_no_call() -> None:
    """Nothing to wait for."""
    table = Table()
    assert list(table.outcomes([])) == []
    assert table.calls == []


def test_each_outcome_comes_as_it_falls() -> None:
    """The agent or the error that the wait for one container would raise, in their order, soon after each."""
    table = Table()
    ids = [
        table.lived(1, (0, pending()), (20, resolved()), (20.1, healthy())),
        table.lived(2, (0, pending()), (5, failed())),
        table.lived(3, (0, pending()), (30, exited(3))),
        table.lived(4, (0, pending())),
        name(5),
    ]
    found = list(table.outcomes([*ids, ids[0]], timeout=40))
    assert [one for _, one, _ in found] == [ids[4], ids[1], ids[0], ids[2], ids[3]]
    kinds = [ContainerNotFound, ContainerFailed, Reachable, ContainerExited, WaitTimeout]
    assert [type(outcome) for _, _, outcome in found] == kinds
    for (second, _, _), written in zip(found, (0, 5, 20.1, 30, 40), strict=True):
        assert written <= second <= written + max(0.3, 0.1 * written)


def test_a_verdict_is_confirmed() -> None:
    """By a strongly consistent read; the first read is one, too, unless the generation is known."""
    table = Table()
    one = table.lived(1, (0, pending()), (3, healthy()))
    list(table.outcomes([one]))
    kinds = [consistent for _, consistent in table.calls]
    assert (kinds[0], kinds[-1], any(kinds[1:-1])) == (True, True, False)
    known = Table()
    known.lived(1, (0, pending()), (3, healthy()))
    list(known.outcomes({one: 1}))
    assert [consistent for _, consistent in known.calls] == [False, *kinds[1:]]


def test_a_thousand_are_read_by_tens_of_calls() -> None:
    """A hundred keys a call, and none is read twice before another that has been due for longer."""
    table = Table()
    ids = [table.lived(number, (0, pending()), (0.5, healthy())) for number in range(1000)]
    assert {one for _, one, _ in table.outcomes(ids)} == set(ids)
    assert [len(read) for read, _ in table.calls[:10]] == [100] * 10
    assert {one for read, _ in table.calls[:10] for one in read} == set(ids)
    assert len(table.calls) < 60
    assert table.elapsed < 1


def test_none_waits_behind_another() -> None:
    """More than are read in time: the pauses grow for all alike."""
    table = Table(takes=0.3)
    ids = [table.lived(number, (0, pending())) for number in range(500)]
    list(table.outcomes(ids, timeout=10))
    counts = dict.fromkeys(ids, 0)
    for read, _ in table.calls:
        for one in read:
            counts[one] += 1
    assert max(counts.values()) - min(counts.values()) <= 1


def test_keys_that_are_left_out_are_read_again() -> None:
    """After a pause that doubles; the others of the call count."""
    table = Table()
    ids = [table.lived(number, (0, healthy())) for number in range(3)]
    table.left_out = [{ids[0], ids[1]}, {ids[0]}]
    found = list(table.outcomes(ids))
    assert [one for _, one, _ in found] == [ids[2], ids[1], ids[0]]
    assert [read for read, _ in table.calls] == [ids, [ids[0], ids[1]], [ids[0]]]
    assert table.clock.slept == [0.05, 0.1]


def test_a_table_that_throttles_is_asked_more_and_more_slowly() -> None:
    """Up to a pause of 1.6 s; when it answers again, all goes on."""
    table = Table(failures=[THROTTLED] * 8)
    one = table.lived(1, (0, healthy()))
    [(_, _, outcome)] = table.outcomes([one])
    assert isinstance(outcome, Reachable)
    assert table.clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6, 1.6]


def test_what_could_not_be_read_until_the_end_is_an_error() -> None:
    """Of each container, and it says why."""
    table = Table(failures=[THROTTLED] * 1000)
    ids = [table.lived(number, (0, healthy())) for number in range(2)]
    assert [outcome for _, _, outcome in table.outcomes(ids, timeout=5)] == [THROTTLED, THROTTLED]
    assert 5 <= table.elapsed <= 7
    table = Table(left_out=[{ids[0]}] * 1000)
    [(_, _, outcome)] = table.outcomes(ids[:1], timeout=5)
    assert str(outcome) == "BatchGetItem failed with UnprocessedKeys: 1 of 1 keys were left out of the answer."


def test_a_call_that_will_never_succeed_ends_all_waits() -> None:
    """Without the right to read there is nothing to wait for."""
    table = Table(failures=[DENIED])
    with pytest.raises(CallFailed, match="AccessDenied"):
        list(table.outcomes([name(1)]))


def test_an_item_that_cannot_be_read_is_its_own_outcome() -> None:
    """It hides no other."""
    table = Table()
    good = table.lived(1, (0, healthy()))
    table.store.put_item({**to_item(pending(container_id=name(2))), "state": "levitating"})
    found = {one: outcome for _, one, outcome in table.outcomes([name(2), good])}
    assert isinstance(found[name(2)], UnreadableRecord)
    assert isinstance(found[good], Reachable)


def test_it_learns_as_a_wait_for_one_does() -> None:
    """The next starts of the image are found with fewer reads."""
    table = Table()
    ids = []
    for number in range(12):
        known, answered = (at(40 * number + after) for after in (38.9, 39))
        timings = {"resolved": known, "healthy": answered}
        record = healthy(created_at=at(40 * number), timings={**healthy().timings, **timings})
        ids.append(table.lived(number, (0, pending(created_at=at(40 * number))), (40 * number + 39, record)))
    reads = []
    for one in ids:
        before = len(table.calls)
        table.clock.instant = at(40 * ids.index(one))
        list(table.outcomes([one]))
        reads.append(len(table.calls) - before)
    assert reads[-1] < 0.7 * reads[0]
