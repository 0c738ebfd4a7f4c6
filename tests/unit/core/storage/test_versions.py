"""Items of older versions and of newer ones: what is read, what a write keeps, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machine.apply import apply
from core.machine.changes import Stale
from core.model import facts
from core.model.errors import UnreadableRecord
from core.model.parts import Stop
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.storage.item import from_item, to_item
from tests.factories import at
from tests.golden.items import COMPLETE, golden_items, older_items
from tests.records import complete, exited, healthy
from tests.world import World

OLDER = {f"{version}, {name}": item for version, items in older_items().items() for name, item in items.items()}
NEWER: dict[str, Any] = {
    "colour": "blue",
    "timings": {"thawed": "2026-11-23T10:00:00.000Z"},
    "probe": {"path": "/health"},
    "stop": {"frozen": True},
    "logs": {"region": "eu-west-1"},
}
"""What a newer version may add without a new schema: an attribute, an instant, and members of maps."""


def extended(item: dict[str, Any]) -> dict[str, Any]:
    """The item as a newer version would write it: with the new attribute, and with new members where there are maps."""
    return item | {
        name: {**item[name], **new} if isinstance(new, dict) else new
        for name, new in NEWER.items()
        if name in item or not isinstance(new, dict)
    }


def applied(record: Record, *learnt: facts.Fact) -> Record:
    for fact in learnt:
        after = apply(record, fact, Policy())
        assert not isinstance(after, Stale), after
        record = after
    return record


def test_every_older_version_shows_every_state() -> None:
    """And several versions, the first one among them."""
    assert len(older_items()) >= 4
    for items in older_items().values():
        assert {item["state"] for item in items.values()} == {*State}


@pytest.mark.parametrize("name", OLDER)
def test_an_older_item_is_read_and_nothing_of_it_is_lost(name: str) -> None:
    """Written again without a change, it is the item that it was."""
    assert to_item(from_item(OLDER[name])) == OLDER[name]


@pytest.mark.parametrize(
    "name", [name for name, item in OLDER.items() if not State(item["state"]).ended and COMPLETE not in name]
)
def test_a_life_that_an_older_version_began_is_ended(name: str) -> None:
    """A stop is accepted, and what ECS says next ends it, as if this version had begun it."""
    record = from_item(OLDER[name])
    later = record.updated_at + timedelta(seconds=1)
    if not record.stop_requested:
        record = applied(record, facts.StopRequested(ref=record.ref, at=later, reason="enough"))
    task_arn = record.task_arn or "arn:aws:ecs:us-east-1:123456789012:task/default/0123456789abcdef0123456789abcdef"
    gone = facts.TaskObserved(
        ref=record.ref,
        at=later,
        source=facts.Source.EVENT,
        task_arn=task_arn,
        version=record.task_version + 1,
        last_status="STOPPED",
        desired_status="STOPPED",
        containers=(facts.ContainerSeen(facts.MAIN, "STOPPED", 143),),
        started_at=later,
        stopped_at=later,
        stop_code="UserInitiated",
    )
    ended = applied(record, gone)
    assert (ended.state, ended.agent_address, ended.agent_token) == (State.STOPPED, None, None)
    assert from_item(to_item(ended)) == ended


@pytest.mark.parametrize("name", golden_items())
def test_what_a_newer_version_added_survives_a_write(name: str) -> None:
    """While a stack is updated, functions of both versions write the same item."""
    newer = extended(golden_items()[name])
    record = from_item(newer)
    assert to_item(record) == newer
    assert to_item(replace(record, revision=record.revision + 1)) == {**newer, "revision": record.revision + 1}


def test_it_survives_a_life() -> None:
    """Each fact keeps it; a map that goes takes its new members along."""
    record = from_item(extended(to_item(healthy(stop=Stop(reason="enough")))))
    ended = applied(record, facts.TaskGone(ref=record.ref, at=at(10**6), task_arn=record.task_arn))
    item = to_item(ended)
    assert ended.state is State.FAILED
    assert (item["colour"], item["stop"]["frozen"], item["timings"]["thawed"]) == (
        "blue",
        True,
        NEWER["timings"]["thawed"],
    )
    assert {"stop", "timings", "probe"}.isdisjoint(to_item(replace(ended, probe=None, stop=None, timings={})))


def test_a_new_generation_begins_without_it() -> None:
    """What was said of an earlier task is not said of the next one."""
    world = World()
    world.store.put_item(extended(to_item(exited())))
    assert world.record().unknown["colour"] == "blue"
    world.start()
    assert (world.record().generation, world.record().unknown) == (2, {})


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=5) | st.integers() | st.lists(st.text())))
def test_nothing_unknown_changes_what_is_known(more: dict[str, Any]) -> None:
    """Whatever a newer version adds under names of its own, the record is the same, and all of it is written back."""
    item = to_item(complete())
    added = {name: value for name, value in more.items() if name not in item}
    record = from_item({**item, **added})
    assert replace(record, unknown={}) == from_item(item)
    assert to_item(record) == {**item, **added}


def test_what_a_newer_version_wrote_is_in_no_repr() -> None:
    """It may be a secret."""
    assert "blue" not in repr(from_item(extended(to_item(complete()))))


@pytest.mark.parametrize(
    "change", [{"schema": 2}, {"state": "frozen"}, {"history": [{"at": "2026-11-23T10:00:00.000Z", "from": "pending"}]}]
)
def test_what_has_changed_its_meaning_is_not_read(change: dict[str, Any]) -> None:
    """A higher schema, or a word that this version lacks: so it is not written over either."""
    with pytest.raises(UnreadableRecord):
        from_item({**to_item(complete()), **change})
