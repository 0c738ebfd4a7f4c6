"""What may wait for the next write of an item, and that waiting loses nothing that is decided on."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from core.client.inspection import inspected
from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.machine.unsaved import may_wait
from core.model.facts import Fact, StopAccepted, StopRequested
from core.model.parts import Instant, Stop
from core.model.record import Record
from tests.factories import POLICY, TASK, at, exited, observed, passed, pending
from tests.records import exited as exited_record
from tests.records import failed, healthy, resolved, running
from tests.unit.core.machine.test_schedule import FACTS, about

KNOWN: dict[str, Any] = {"at": at(40), "created_at": at(1), "started_at": at(29.4)}
"""Before the next check, with what the record shows already."""
LEAVING: dict[str, Any] = {**KNOWN, "stop_code": "UserInitiated", "stopped_reason": "enough", "stopping_at": at(41)}


def after(record: Record, fact: Fact) -> Record:
    """The record with the fact, which is not stale."""
    applied = apply(record, fact, POLICY)
    assert not isinstance(applied, Stale)
    return applied


def asked_to_stop(record: Record) -> Record:
    """A stop was requested, and saved."""
    return after(replace(record, task_arn=TASK), about(StopRequested, reason="enough"))


ENDED = after(healthy(task_arn=TASK), exited(9, "DEPROVISIONING", 0, execution_stopped_at=at(39)))

WAITS: dict[str, tuple[Record, Fact]] = {
    "a newer version that shows what is known": (resolved(task_arn=TASK), observed(99, **KNOWN)),
    "ECS takes the StopTask that the record announces": (asked_to_stop(healthy()), about(StopAccepted, task_arn=TASK)),
    "a task that was asked to stop is stopping": (
        asked_to_stop(healthy()),
        observed(99, "STOPPING", "STOPPED", **LEAVING),
    ),
    "the task of a container that has ended is gone": (
        ENDED,
        exited(10, "STOPPED", 0, execution_stopped_at=at(39)),
    ),
}
WRITTEN: dict[str, tuple[Record, Fact]] = {
    "the first event of a task": (pending(), observed(2, "PENDING")),
    "a stop that nobody has requested": (
        healthy(task_arn=TASK),
        observed(99, "RUNNING", "STOPPED", **LEAVING),
    ),
    "the end": (asked_to_stop(healthy()), exited(99)),
    "the reason of an end": (ENDED, exited(10, "STOPPED", 0, stopped_reason="more")),
    "the only instant of an end": (
        replace(failed(task_arn=TASK), timings={}, stop=None),
        exited(10, "STOPPED", None, started_at=None, stopping_at=None, created_at=None),
    ),
    "StopTask of a container that has failed": (failed(task_arn=TASK), about(StopAccepted, task_arn=TASK)),
    "a check that is over": (healthy(task_arn=TASK, check_at=at(60)), passed(60)),
}


@pytest.mark.parametrize(("record", "fact"), WAITS.values(), ids=WAITS)
def test_it_waits(record: Record, fact: Fact) -> None:
    """It is in the next write, or in none."""
    assert may_wait(record, after(record, fact))


@pytest.mark.parametrize(("record", "fact"), WRITTEN.values(), ids=WRITTEN)
def test_it_is_written(record: Record, fact: Fact) -> None:
    """A state, an action or an instant of the end hangs on it, or its reader waits for it."""
    assert not may_wait(record, after(record, fact))


@pytest.mark.parametrize(("record", "fact"), WAITS.values(), ids=WAITS)
def test_what_is_due_is_written(record: Record, fact: Fact) -> None:
    """Else every run of the reconciler would look at it."""
    due = replace(record, watch="shard-0", check_at=fact.at)
    assert not may_wait(due, after(due, fact))


def _lives() -> list[Record]:
    records = [pending(), running(), resolved(), healthy(), failed(), exited_record(), ENDED]
    stopping = [asked_to_stop(one) for one in (pending(), running(), resolved(), healthy())]
    expired = replace(healthy(task_arn=TASK), stop=Stop(reason="over", expired=True))
    return [*records, *stopping, expired, replace(ENDED, token_parameter="/a/token")]


def _facts() -> list[Fact]:
    told: list[Fact] = [fact for _, fact in (*WAITS.values(), *WRITTEN.values())]
    return [*FACTS.values(), *told]


def test_what_waits_decides_nothing() -> None:
    """Whoever reads the saved record does the same, or once more what may be done twice; a backend sees the same."""
    waiting = 0
    for record, fact in product(_lives(), _facts()):
        changed = apply(replace(record, task_arn=record.task_arn and TASK), fact, POLICY)
        if isinstance(changed, Stale) or not may_wait(record, changed):
            continue
        waiting += 1
        assert {*next_actions(changed, POLICY)} <= {*next_actions(record, POLICY)}
        assert _read(changed) == _read(record)
    assert waiting > 10


def _read(record: Record) -> dict[str, Any]:
    """What a backend decides by."""
    shown = inspected(record)
    for name in ("updated_at", "stop_code", "stop_reason"):
        del shown[name]
    shown["timings"] = {name: bool(at) for name, at in shown["timings"].items() if name != Instant.STOPPED}
    return shown
