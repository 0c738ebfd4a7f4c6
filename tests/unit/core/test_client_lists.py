"""What a backend finds again after its restart: the live containers without a scan, the others with one."""

from __future__ import annotations

import pytest

from core.client import ReachClient
from core.model.record import Record
from core.storage.item import to_item
from tests.factories import START, at, pending
from tests.fakes import MemoryStore, SettableClock
from tests.records import EXPIRY, exited, failed, healthy, resolved, running

LIVE = (pending, running, resolved, healthy)
STRANGE = "e" * 64


class Unscannable(MemoryStore):
    """A table that this backend's role may not scan."""

    def load_all(self) -> None:  # type: ignore[override]
        raise AssertionError("the table is scanned")


def named(index: int) -> str:
    return f"{index:064x}"


def records() -> dict[str, Record]:
    """One of each kind; the later its index, the later it was started."""
    kinds = (*LIVE, exited, failed)
    made = [kind(container_id=named(index), created_at=at(index)) for index, kind in enumerate(kinds)]
    return {one.container_id: one for one in made}


def client(store: MemoryStore, seconds: float = 100) -> ReachClient:
    """A backend that has just begun: it knows the table and nothing else."""
    return ReachClient(store, SettableClock(at(seconds)))


def test_live_containers_are_listed_without_a_scan() -> None:
    """Every live state and no other, the newest start first."""
    listed = client(Unscannable(*records().values())).list()
    assert list(listed.records) == [named(index) for index in (3, 2, 1, 0)]
    assert listed.records == {one: records()[one] for one in listed.records}
    assert listed.unreadable == ()


def test_an_ended_container_with_work_left_is_not_live() -> None:
    """It is in the index because its task is still to be stopped."""
    store = Unscannable(failed(watch="shard-1", check_at=at(70)))
    assert list(store.scheduled())
    assert client(store).list().records == {}


def test_with_the_ended_all_are_listed() -> None:
    """Live ones too, the newest start first; items that are no containers are left out."""
    store = MemoryStore(*records().values())
    store.put_item({"container_id": "definition/sockerless-2f9c1d7e", "registered": True})
    listed = client(store).list(ended=True)
    assert list(listed.records) == [named(index) for index in (5, 4, 3, 2, 1, 0)]
    assert (listed.records, listed.unreadable) == (records(), ())


def test_many_are_read_in_the_order_of_their_ids() -> None:
    """Also of a generator, and with an id twice; one that is not recorded is in neither part."""
    asked = [named(4), named(0), named(9), named(4)]
    many = client(Unscannable(*records().values())).get_many(one for one in asked)
    assert list(many.records) == [named(4), named(0)]
    assert client(MemoryStore()).get_many([]).records == {}


@pytest.mark.parametrize("ended", [False, True])
def test_an_unreadable_item_is_named_and_hides_no_other(ended: bool) -> None:
    """A newer version's item may be a live container: it is not silently left out."""
    store = MemoryStore(healthy())
    store.put_item({**to_item(healthy(container_id=STRANGE)), "schema": 2})
    listed = client(store).list(ended=ended)
    assert list(listed.records) == [healthy().container_id]
    assert [one.container_id for one in listed.unreadable] == [STRANGE]
    assert client(store).get_many([STRANGE]).unreadable[0].container_id == STRANGE


def test_expired_items_are_gone() -> None:
    """DynamoDB removes items late; from `expires_at` on no list has them."""
    left = EXPIRY - START.timestamp()
    for seconds, known in ((left - 1, 1), (left, 0)):
        backend = client(MemoryStore(exited()), seconds)
        assert len(backend.list(ended=True).records) == known
        assert len(backend.get_many([exited().container_id]).records) == known
