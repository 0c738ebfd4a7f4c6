"""Whole lives, in every order in which EventBridge may deliver them, with every event doubled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.task_documents import NotOurs, observe_event
from core.model.facts import Fact, TaskObserved
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from tests.factories import POLICY, at, event, pending

LIVES = {
    "ran and exited": (
        "ignored-provisioning",
        "ignored-pending",
        "task-running",
        "task-deprovisioning",
        "task-stopped",
    ),
    "agent missing": ("ignored-provisioning", "ignored-pending", "task-failed-agent-missing"),
    "spot interruption": ("ignored-pending", "task-running", "task-spot-interruption", "task-spot-stopped"),
    "image pull": ("ignored-provisioning", "task-failed-image-pull"),
}


def facts_of(names: Sequence[str]) -> list[TaskObserved]:
    facts = []
    for name in names:
        fact = observe_event(event(name), prefix="sockerless", at=at(100))
        assert not isinstance(fact, NotOurs)
        facts.append(fact)
    return facts


def live(facts: Sequence[Fact]) -> Record:
    record = pending()
    for fact in facts:
        folded = apply(record, fact, POLICY)
        if not isinstance(folded, Stale):
            assert folded.revision == record.revision + 1
            record = folded
    return record


def what_must_agree(record: Record) -> dict[str, Any]:
    """All but the path: the number of writes, and the states in between."""
    ecs_instants: dict[Instant, Any] = {
        name: instant for name, instant in record.timings.items() if name is not Instant.RESOLVED
    }
    neutral = replace(record, revision=0, history=(), timings=ecs_instants, probe=None)
    return {name: getattr(neutral, name) for name in Record.__dataclass_fields__}


@pytest.mark.parametrize("names", LIVES.values(), ids=LIVES.keys())
def test_every_delivery_order_ends_in_the_same_record(names: Sequence[str]) -> None:
    """Late, early and doubled events change nothing about the end."""
    facts = facts_of(names)
    in_order = what_must_agree(live(facts))

    for order in permutations(facts):
        assert what_must_agree(live(order)) == in_order
        assert what_must_agree(live([fact for one in order for fact in (one, one)])) == in_order
        assert what_must_agree(live([*order, *order])) == in_order


def test_every_prefix_of_every_order_tells_no_lie() -> None:
    """Whatever has arrived so far: an address only where a live task was shown, none after any end."""
    for names in LIVES.values():
        facts = facts_of(names)
        for order in permutations(facts):
            for length in range(len(order) + 1):
                record = live(order[:length])
                reachable = record.state in {State.ENI_RESOLVED, State.AGENT_HEALTHY}
                assert (record.agent_address is not None) == reachable
                assert (record.agent_token is None) == record.state.ended
                assert (record.expires_at is not None) == record.state.ended
                assert (record.error is not None) == (record.state is State.FAILED)


def test_the_newest_version_decides() -> None:
    """`task_version` is the highest one applied, in any order."""
    for order in permutations(facts_of(LIVES["ran and exited"])):
        assert live(order).task_version == 5
