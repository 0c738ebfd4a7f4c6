"""ECS ends no task for its age: a container with `max_lifetime` is stopped by the reconciler."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.machine.next_actions import next_actions
from core.machine.schedule import schedule
from core.model.actions import StopTask
from core.model.facts import StopAccepted, StopRequested
from core.model.parts import Instant, Stop
from core.model.record import Record
from core.model.state import State
from tests.factories import POLICY, TASK, at, event, exited, observed, passed, pending
from tests.records import failed as unreachable
from tests.records import healthy, resolved, running
from tests.unit.core.machine.test_apply import about, fold, stale
from tests.world import World

LIMIT = 600
OVER = 29.4 + LIMIT
"""Seconds at which the time of `tests.records` is over: counted from their start."""
REASON = "max_lifetime: the container has run for the 600 s that its start allowed."


def limited(record: Record) -> Record:
    """With a limit, due whenever it is."""
    return schedule(replace(record, max_lifetime=LIMIT), POLICY, at(40))


@pytest.mark.parametrize("record", [running(), resolved(), healthy()], ids=lambda record: record.state)
def test_the_check_comes_when_the_time_is_over(record: Record) -> None:
    """However late the next one would be else; and then the stop is pending, with the reason."""
    due = limited(record)
    assert due.check_at is not None
    assert due.check_at <= at(OVER)
    over = fold(due, passed(OVER))
    assert over.stop == Stop(reason=REASON, expired=True)
    action = next(one for one in next_actions(over, POLICY) if isinstance(one, StopTask))
    assert (action.task_arn, action.reason) == (TASK, REASON)
    assert over.check_at is not None
    assert over.check_at - at(OVER) <= timedelta(seconds=POLICY.probe_check)


def test_a_healthy_container_is_checked_to_the_second() -> None:
    """Its usual check is a quarter of an hour apart."""
    assert limited(healthy()).check_at == at(OVER)
    assert stale(limited(healthy()), passed(OVER - 1)) == "it is not due yet"


def test_the_time_counts_from_the_address_until_ecs_tells_the_start() -> None:
    """An agent that answers proves that its task runs, before ECS's event."""
    record = limited(healthy(timings={Instant.RESOLVED: at(30), Instant.HEALTHY: at(32)}))
    assert record.check_at == at(30 + LIMIT)


@pytest.mark.parametrize(
    "record",
    [
        pending(task_arn=TASK),
        running(timings={}),
        unreachable(),
        healthy(stop=Stop(reason="enough", requested=True)),
        healthy(timings={Instant.STARTED: at(29.4), Instant.STOPPING: at(35)}),
    ],
    ids=["pending", "start unknown", "failed", "to stop anyway", "stopping"],
)
def test_who_is_not_concerned(record: Record) -> None:
    """A launch that is pending or failed has its own time-outs; what is to stop needs no second reason."""
    record = limited(record)
    assert record.check_at is None or record.check_at != at(OVER)
    late = fold(record, passed(OVER)) if record.check_at else record
    assert late.stop is None or not late.stop.expired


def test_without_a_limit_nothing_changes() -> None:
    """A record without it is checked as before, and runs on."""
    record = schedule(healthy(), POLICY, at(40))
    assert record.check_at is not None
    after = fold(record, passed((record.check_at - at(0)).total_seconds()))
    assert (after.stop, after.state) == (None, State.AGENT_HEALTHY)


def test_the_end_says_why() -> None:
    """ECS repeats the reason of the StopTask; the container is `stopped` with its exit code."""
    over = fold(limited(healthy()), passed(OVER), about(StopAccepted, OVER + 1, task_arn=TASK))
    assert next_actions(over, POLICY) == ()
    ended = fold(over, exited(9, "STOPPED", 143, stop_code="UserInitiated", stopped_reason=REASON))
    assert ended.state is State.STOPPED
    assert ended.stop is not None
    assert (ended.stop.reason, ended.stop.exit_code, ended.stop.expired, ended.stop.requested) == (
        REASON, 143, True, False,
    )  # fmt: skip


def test_a_stop_of_the_backends_is_added() -> None:
    """Both are in the item; the reason is the first one's."""
    both = fold(limited(healthy()), passed(OVER), about(StopRequested, OVER + 1, reason="enough"))
    assert both.stop == Stop(reason=REASON, requested=True, unconfirmed=True, expired=True)


def test_the_reconciler_stops_the_task() -> None:
    """It asks ECS first, then stops what still runs; the request's limit counts, else the stack's."""
    world = World()
    record = world.start({**event("start-container"), "max_lifetime": LIMIT})
    arn = record.task_arn or ""
    world.clock.advance(30)
    world.ecs.walk(arn, "RUNNING")
    world.settle(observed(3, task_arn=arn, started_at=world.clock.now()))
    world.clock.advance(LIMIT - 1)
    world.reconcile()
    assert world.ecs.stopped == []
    world.clock.advance(1)
    world.reconcile()
    world.reconcile()
    assert world.ecs.stopped == [(arn, REASON)]
    assert world.record().stopping


def test_the_stack_may_limit_all() -> None:
    """The item keeps the limit of its start: another setting later does not change it."""
    world = World()
    world.settings = replace(world.settings, max_lifetime_seconds=3600)
    assert world.start().max_lifetime == 3600
    other = World(settings=world.settings)
    assert other.start({**event("start-container"), "max_lifetime": 60}).max_lifetime == 60
    assert World().start().max_lifetime is None
