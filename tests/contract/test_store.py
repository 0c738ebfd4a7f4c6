"""What every store promises (`core.ports.Store`), on the fake and on the engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from core.adapters.clock import SystemClock
from core.client import Reachable, ReachClient
from core.model.errors import ContainerExited, UnreadableRecord
from core.ports import RevisionConflict
from core.storage.item import to_item
from tests.contract.conftest import races
from tests.factories import CONTAINER_ID, at, pending
from tests.records import complete, exited, failed, healthy, resolved

if TYPE_CHECKING:
    from core.model.record import Record
    from core.ports import Store
    from tests.contract.conftest import Table

WRITERS = 16


def named(index: int, **changes: Any) -> Record:
    """The pending record of one of many containers."""
    return pending(container_id=f"{index:064x}", **changes)


@pytest.mark.parametrize(
    "record", [pending(), resolved(), healthy(), failed(), exited(3), complete()], ids=lambda record: record.state
)
def test_what_is_saved_is_loaded(table: Table, record: Record) -> None:
    """Every attribute of every kind of record comes back equal, and the store kept exactly its item."""
    first = replace(record, revision=1)
    table.store.save(first)
    assert table.store.load(CONTAINER_ID) == first
    assert table.item(CONTAINER_ID) == to_item(first)


def test_an_unknown_container_is_none(table: Table) -> None:
    """Absence is an answer, not an error."""
    assert table.store.load(CONTAINER_ID) is None


def test_a_container_is_created_once(table: Table) -> None:
    """Revision 1 wants no item there; the loser is shown the winner, and nothing is changed."""
    table.store.save(pending(image="first"))
    with pytest.raises(RevisionConflict) as caught:
        table.store.save(pending(image="second"))
    assert caught.value.container_id == CONTAINER_ID
    assert caught.value.current == pending(image="first")
    assert table.store.load(CONTAINER_ID) == pending(image="first")


@pytest.mark.parametrize("revision", [1, 2, 4, 9])
def test_only_the_next_revision_is_written(table: Table, revision: int) -> None:
    """An item at revision 2 takes revision 3 and no other; the loser is shown what is there."""
    table.store.save(pending())
    table.store.save(pending(revision=2, task_version=5))
    with pytest.raises(RevisionConflict) as caught:
        table.store.save(pending(revision=revision, task_version=7))
    assert caught.value.current == pending(revision=2, task_version=5)
    table.store.save(pending(revision=3, task_version=6))
    assert table.store.load(CONTAINER_ID) == pending(revision=3, task_version=6)


def test_an_update_needs_an_item(table: Table) -> None:
    """An item that the time to live took away is not written again under its old revision."""
    with pytest.raises(RevisionConflict) as caught:
        table.store.save(pending(revision=2))
    assert caught.value.current is None
    assert table.item(CONTAINER_ID) is None


def test_a_write_replaces_the_whole_item(table: Table) -> None:
    """A new generation after an end is a normal save; nothing of the old one stays."""
    table.store.save(replace(failed(), revision=1))
    again = pending(generation=2, revision=2)
    table.store.save(again)
    assert table.store.load(CONTAINER_ID) == again
    assert table.item(CONTAINER_ID) == to_item(again)


def test_absent_is_absent(table: Table) -> None:
    """No attribute of a saved item is null or empty, and an end keeps neither address nor token."""
    table.store.save(replace(failed(), revision=1))
    item = table.item(CONTAINER_ID)
    assert item is not None
    assert not [name for name, value in item.items() if value is None or value in ("", [], {}, set())]
    assert not item.keys() & {"agent_address", "agent_token", "watch", "check_at", "stop", "entrypoint"}


def test_the_time_to_live_is_a_number(table: Table) -> None:
    """DynamoDB ignores a TTL attribute of any other type."""
    table.store.save(replace(failed(), revision=1))
    item = table.item(CONTAINER_ID)
    assert item is not None
    assert isinstance(item["expires_at"], int | Decimal)
    assert item["expires_at"] == failed().expires_at


def test_the_due_come_in_order(table: Table) -> None:
    """Oldest first, over several pages, up to and including the instant asked for."""
    for index in (4, 0, 6, 2, 5, 1, 3, 8, 7):
        table.store.save(named(index, watch="a", check_at=at(index)))
    assert list(table.store.due("a", at(6))) == [f"{index:064x}" for index in range(7)]


def test_the_due_differ_by_milliseconds(table: Table) -> None:
    """The range key's text orders like the instants, and a millisecond later is not due."""
    for index, seconds in enumerate((59.999, 60, 60.001, 600)):
        table.store.save(named(index, watch="a", check_at=at(seconds)))
    assert list(table.store.due("a", at(60))) == [f"{index:064x}" for index in range(2)]


def test_the_due_of_another_shard_are_not_shown(table: Table) -> None:
    """Each shard is a partition of its own."""
    table.store.save(named(1, watch="a", check_at=at(1)))
    table.store.save(named(2, watch="b", check_at=at(1)))
    assert list(table.store.due("b", at(2))) == [f"{2:064x}"]
    assert list(table.store.due("c", at(2))) == []


def test_what_is_owed_nothing_leaves_the_index(table: Table) -> None:
    """Without `watch` and `check_at` an item is not checked; with a later `check_at` it is checked later."""
    for index in (1, 2, 3):
        table.store.save(named(index, watch="a", check_at=at(1)))
    table.store.save(named(1, revision=2, watch=None, check_at=None))
    table.store.save(named(2, revision=2, watch="a", check_at=at(50)))
    assert list(table.store.due("a", at(10))) == [f"{3:064x}"]
    assert list(table.store.due("a", at(50))) == [f"{3:064x}", f"{2:064x}"]


def test_the_scheduled_are_those_with_a_next_check(table: Table) -> None:
    """Of every shard, whatever its name, over several pages; due or not; each once."""
    for index in range(9):
        table.store.save(named(index, watch=f"shard-{index % 5}", check_at=at(index * 3600)))
    table.store.save(named(20, watch=None, check_at=None))
    table.store.save(named(3, revision=2, watch=None, check_at=None))
    table.store.save(named(4, revision=2, watch="shard-0", check_at=at(5)))
    assert sorted(table.store.scheduled()) == [f"{index:064x}" for index in range(9) if index != 3]


def test_all_are_loaded(table: Table) -> None:
    """Whatever their state, over several pages; an unreadable one is named, and what is no container is left out."""
    saved = {record.container_id: record for record in (named(index) for index in range(8))}
    saved[CONTAINER_ID] = exited(3, revision=1, labels={"debug": ""})
    for record in saved.values():
        table.store.save(record)
    table.put_item({**to_item(named(9)), "state": "dancing"})
    table.put_item({"container_id": "definition/sockerless-2f9c1d7e", "registered": True})
    loaded = table.store.load_all()
    assert loaded.records == saved
    assert [exc.container_id for exc in loaded.unreadable] == [f"{9:064x}"]


def test_many_are_loaded_at_once(table: Table) -> None:
    """More than DynamoDB gives in one call, some of them twice, some of them unknown."""
    saved = {record.container_id: record for record in (named(index) for index in range(130))}
    for record in saved.values():
        table.store.save(record)
    asked = [*list(saved)[:20], *saved, "f" * 64]
    loaded = table.store.load_many(asked)
    assert loaded.records == saved
    assert loaded.unreadable == ()
    assert table.store.load_many([]).records == {}


def test_one_unreadable_item_hides_no_other(table: Table) -> None:
    """Each broken item is named, and all others are there."""
    table.store.save(named(1))
    table.store.save(named(2))
    table.put_item({**to_item(named(3)), "state": "dancing"})
    table.put_item({**to_item(named(4)), "schema": 2})
    loaded = table.store.load_many(f"{index:064x}" for index in range(6))
    assert loaded.records == {record.container_id: record for record in (named(1), named(2))}
    assert {exc.container_id for exc in loaded.unreadable} == {f"{3:064x}", f"{4:064x}"}


@pytest.mark.parametrize("consistent", [True, False])
def test_some_are_read_by_one_call(table: Table, consistent: bool) -> None:
    """As `load_many` reads them; none of them was left out."""
    table.store.save(named(1))
    table.put_item({**to_item(named(2)), "state": "dancing"})
    loaded = table.store.load_some([named(1).container_id, f"{2:064x}", f"{3:064x}"], consistent=consistent)
    assert loaded.records == {named(1).container_id: named(1)}
    assert [exc.container_id for exc in loaded.unreadable] == [f"{2:064x}"]
    assert loaded.unprocessed == ()


def test_a_cheap_read_shows_the_item(table: Table) -> None:
    """Eventually consistent: these engines, which have one copy, show the newest."""
    table.store.save(pending())
    assert table.store.load(CONTAINER_ID, consistent=False) == pending()


def test_many_waits_end_with_their_outcomes(table: Table) -> None:
    """More than a call reads: the agents, and the errors of the others."""
    agents = [named(index) for index in range(120)]
    for record in agents:
        table.store.save(replace(healthy(revision=1), container_id=record.container_id))
    table.store.save(replace(exited(7), revision=1, container_id=f"{200:064x}"))
    client = ReachClient(table.store, SystemClock())
    found = dict(client.wait_many({record.container_id: 1 for record in agents} | {f"{200:064x}": 1}, timeout=30))
    assert {name for name, outcome in found.items() if isinstance(outcome, Reachable)} == {
        record.container_id for record in agents
    }
    assert isinstance(found[f"{200:064x}"], ContainerExited)


def test_an_unknown_state_is_left_alone(table: Table) -> None:
    """It cannot be loaded, is not written over by one who did not read it, and stays as it is."""
    strange = {**to_item(pending()), "state": "dancing", "revision": 7}
    table.put_item(strange)
    with pytest.raises(UnreadableRecord, match="dancing"):
        table.store.load(CONTAINER_ID)
    for revision in (1, 2):
        with pytest.raises(UnreadableRecord, match="dancing"):
            table.store.save(pending(revision=revision))
    assert table.item(CONTAINER_ID) == strange


@races
def test_racing_writers_lose_nothing(table: Table) -> None:
    """Sixteen threads read, add one and write, again and again: every increment is kept."""
    table.store.save(pending())
    rounds = 10
    together = Barrier(WRITERS)

    def count(store: Store) -> None:
        together.wait()
        for _ in range(rounds):
            record = store.load(CONTAINER_ID)
            while record is not None:
                try:
                    store.save(replace(record, revision=record.revision + 1, task_version=record.task_version + 1))
                except RevisionConflict as conflict:
                    record = conflict.current
                else:
                    break

    with ThreadPoolExecutor(WRITERS) as pool:
        for counting in [pool.submit(count, table.store) for _ in range(WRITERS)]:
            counting.result()
    expected = pending(revision=1 + WRITERS * rounds, task_version=WRITERS * rounds)
    assert table.store.load(CONTAINER_ID) == expected


@races
def test_racing_starters_have_one_winner(table: Table) -> None:
    """Sixteen starts of one container at once: one is recorded, and all others are shown it."""
    together = Barrier(WRITERS)

    def start(index: int) -> Record | None:
        record = pending(agent_token=f"{index:064x}")
        together.wait()
        try:
            table.store.save(record)
        except RevisionConflict as conflict:
            return conflict.current
        return record

    with ThreadPoolExecutor(WRITERS) as pool:
        seen = list(pool.map(start, range(WRITERS)))
    winner = table.store.load(CONTAINER_ID)
    assert winner is not None
    assert seen == [winner] * WRITERS
