"""Which task definitions go, and that none goes that is in use: the decisions, and the pass on fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.background_run import RunReport
from core.control.retire_definitions import (
    DELETE_BATCH,
    GRACE,
    MOST_A_RUN,
    PAUSE,
    may_retire,
    needed_families,
    retire_definitions,
)
from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.families import DefinitionUse, family_in, family_of, family_stem
from core.model.state import ENDS, State
from core.ports import Registered
from core.storage.item import definition_use, to_item
from tests.factories import CLUSTER, at
from tests.fakes import FakeDefinitions, MemoryStore, SettableClock
from tests.records import exited, healthy
from tests.world import World

NOW = at(0)
OLD = NOW - GRACE
YOUNG = OLD + timedelta(milliseconds=1)
STEM = family_stem("sockerless", CLUSTER)
THROTTLED = CallFailed("X", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)
DENIED = CallFailed("X", "AccessDeniedException", "not authorized", cause=Cause.PERMISSION)


class Died(BaseException):
    """The function ends here, whatever it was doing."""


def family(number: int) -> str:
    """One of many families of this stack."""
    return family_of("sockerless", CLUSTER, {"cpu": str(number)})


def arn_of(number: int, revision: int = 1) -> str:
    return f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family(number)}:{revision}"


class Definitions(World):
    """A table, ECS's definitions, and runs of the job over them."""

    def __init__(self) -> None:
        super().__init__(clock=SettableClock(NOW))
        self.time_left: Callable[[], float] = lambda: 60.0
        self.ids = count()

    def run(self) -> RunReport:
        self.clock.instant = NOW
        return retire_definitions(self, STEM, self.time_left)

    def use(self, arn: str, **changes: Any) -> None:
        """An item that names this definition; long ended unless said otherwise."""
        values = {"container_id": f"{next(self.ids):064x}", "updated_at": OLD, **changes}
        self.store.put_item(to_item(replace(exited(), task_definition_arn=arn, **values)))

    def changes(self) -> list[str]:
        """The calls that changed something."""
        return [operation for operation, _ in self.definitions.calls if operation in {"deregister", "delete"}]


def report(**counts: int) -> RunReport:
    """Of a run in which nothing went wrong."""
    names = ("families", "needed", "deregistered", "deleted", "undeleted")
    return RunReport(ANY, {**dict.fromkeys(names, 0), **counts})


@pytest.fixture
def world() -> Definitions:
    return Definitions()


# --- the decisions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "updated_at", "kept"),
    [
        (False, OLD, True),
        (False, None, True),
        (True, YOUNG, True),
        (True, None, True),
        (True, NOW + timedelta(hours=1), True),
        (True, OLD, False),
        (True, OLD - GRACE, False),
    ],
)
def test_what_an_item_keeps(ended: bool, updated_at: datetime | None, kept: bool) -> None:
    """The definition of a container that has not ended, or changed within a day, or of which that cannot be read."""
    families = needed_families([DefinitionUse(arn_of(1), ended, updated_at)], NOW)
    assert families == ({family(1)} if kept else set())


@pytest.mark.parametrize(
    ("registered_at", "needed", "goes"),
    [(OLD, set(), True), (YOUNG, set(), False), (OLD, {family(1)}, False), (OLD, {family(2)}, True)],
)
def test_what_may_go(registered_at: datetime, needed: set[str], goes: bool) -> None:
    """A family that no item keeps and whose newest revision is a day old."""
    assert may_retire(Registered(arn_of(1, 7), registered_at), frozenset(needed), NOW) is goes


@pytest.mark.parametrize("state", State)
def test_an_item_of_every_state(state: State) -> None:
    """Ended is what the table of states calls an end."""
    use = definition_use(to_item(healthy(state=state)))
    assert use == DefinitionUse(str(healthy().task_definition_arn), state in ENDS, healthy().updated_at)


@pytest.mark.parametrize(
    ("item", "use"),
    [
        ({"state": "stopped", "updated_at": "2026-11-23T10:00:00.000Z"}, None),
        ({"task_definition_arn": 7}, None),
        ({"task_definition_arn": "a"}, DefinitionUse("a", ended=False, updated_at=None)),
        ({"task_definition_arn": "a", "state": "dancing"}, DefinitionUse("a", ended=False, updated_at=None)),
        (
            {"task_definition_arn": "a", "state": ["stopped"], "updated_at": "yesterday"},
            DefinitionUse("a", ended=False, updated_at=None),
        ),
        (
            {"task_definition_arn": "a", "state": "failed", "updated_at": 7},
            DefinitionUse("a", ended=True, updated_at=None),
        ),
    ],
)
def test_an_item_of_another_version_keeps_its_definition(item: dict[str, Any], use: DefinitionUse | None) -> None:
    """What cannot be read is neither an end nor long ago."""
    assert definition_use(item) == use


# --- the pass ---------------------------------------------------------------------------------------------------


def test_what_nothing_uses_is_deregistered_and_deleted(world: Definitions) -> None:
    """All revisions of the family, and of the others none."""
    for revision in (1, 2):
        world.definitions.add(family(1), OLD, revision)
    kept = world.definitions.add(family(2), OLD)
    world.use(arn_of(1))
    world.use(kept, state=State.AGENT_HEALTHY)

    found = world.run()

    assert found == report(families=2, needed=1, deregistered=2, deleted=2)
    assert set(world.definitions.registered) == {kept}


def test_a_task_that_ecs_shows_keeps_its_definition(world: Definitions) -> None:
    """Also without an item: the start has not saved the task's ARN, or the item is gone."""
    kept = world.definitions.add(family(1), OLD)
    world.definitions.busy.add(family(1))

    assert world.run() == report(families=1)
    assert set(world.definitions.registered) - world.definitions.inactive == {kept}


def test_a_family_is_as_young_as_its_newest_revision(world: Definitions) -> None:
    """Registered again within the day: a start used it."""
    world.definitions.add(family(1), OLD)
    world.definitions.add(family(1), YOUNG, revision=2)

    assert world.run().counts["deregistered"] == 0


def test_a_revision_registered_meanwhile_stays(world: Definitions) -> None:
    """Between the description of the newest revision and the list, a start registers the shape again."""
    world.definitions.add(family(1), OLD)

    class Registering(FakeDefinitions):
        def has_tasks(self, family: str) -> bool:
            self.add(family, NOW, revision=2)
            return super().has_tasks(family)

    world.definitions = Registering(registered=world.definitions.registered)

    assert world.run().counts["deleted"] == 1
    assert set(world.definitions.registered) == {arn_of(1, 2)}


def test_other_families_are_not_even_described(world: Definitions) -> None:
    """What begins like ours and is not of our making: no call is made about it."""
    world.definitions.add(f"{STEM}-by-hand", OLD)
    world.definitions.add("sockerless-web", OLD)

    assert world.run() == report()
    assert world.definitions.calls == [("families", STEM)]


def test_the_table_is_read_only_when_there_is_something_to_judge(world: Definitions) -> None:
    """Reading it costs: with no family of ours it is left alone."""

    class Unread(MemoryStore):
        def definition_uses(self) -> Any:
            raise AssertionError

    world.store = Unread()

    assert world.run() == report()


def test_changes_are_paced(world: Definitions) -> None:
    """A pause between any two calls that change a definition; deletions go ten at a time."""
    for number in range(12):
        world.definitions.add(family(number), OLD)

    assert world.run().counts["deleted"] == 12
    assert world.changes() == ["deregister"] * DELETE_BATCH + ["delete"] + ["deregister"] * 2 + ["delete"]
    assert world.clock.slept == [PAUSE] * (len(world.changes()) - 1)


def test_a_run_has_a_limit_and_the_next_one_goes_on(world: Definitions) -> None:
    """What was deregistered is deleted before the run ends."""
    for number in range(MOST_A_RUN + 3):
        world.definitions.add(family(number), OLD)

    first, second = world.run(), world.run()

    assert (first.counts["deregistered"], first.counts["deleted"], first.stopped) == (MOST_A_RUN, MOST_A_RUN, "limit")
    assert (second.counts["deregistered"], second.counts["deleted"], second.stopped) == (3, 3, None)


def test_a_run_ends_with_its_time(world: Definitions) -> None:
    """The family under way is finished, and deleted."""
    for number in range(5):
        world.definitions.add(family(number), OLD)
    seconds = iter([1.0, 1.0, -1.0])
    world.time_left = lambda: next(seconds)

    report = world.run()

    assert (report.counts["deregistered"], report.counts["deleted"], report.stopped) == (2, 2, "time")


def test_a_run_that_died_between_the_two_calls_is_finished_by_the_next(world: Definitions) -> None:
    """An INACTIVE revision without an ACTIVE one beside it is deleted."""
    world.definitions.add(family(1), OLD)

    class Dying(FakeDefinitions):
        def delete(self, arns: Any) -> list[str]:
            raise Died

    world.definitions = Dying(registered=world.definitions.registered)
    with pytest.raises(Died):
        world.run()
    assert world.definitions.inactive == {arn_of(1)}

    world.definitions = FakeDefinitions(world.definitions.registered, world.definitions.inactive)

    assert world.run() == report(families=1, deleted=1)
    assert world.definitions.registered == {}


def test_an_inactive_definition_that_an_item_needs_stays(world: Definitions) -> None:
    """An operator deregistered it: as long as its container lives, it can be described."""
    arn = world.definitions.add(family(1), OLD, active=False)
    world.use(arn, state=State.AGENT_HEALTHY)

    assert world.run() == report(families=1, needed=1)


@pytest.mark.parametrize("operation", ["families", "newest", "has_tasks", "revisions", "deregister", "delete"])
def test_a_throttling_answer_ends_the_run(world: Definitions, operation: str) -> None:
    """No further call is made, it says so, it is no error, and the next run does the rest."""
    for number in range(3):
        world.definitions.add(family(number), OLD)
    world.definitions.refusals[operation] = [THROTTLED]

    report = world.run()

    assert (report.stopped, report.errors, world.observer.failures) == ("throttled", {}, [])
    assert world.definitions.calls[-1][0] == operation
    assert world.run().stopped is None
    assert world.definitions.registered == {}


@pytest.mark.parametrize("operation", ["newest", "has_tasks", "revisions", "deregister"])
def test_a_family_that_fails_hides_no_other(world: Definitions, operation: str) -> None:
    """It is reported, and the others are retired."""
    for number in range(3):
        world.definitions.add(family(number), OLD)
    world.definitions.refusals[operation] = [DENIED]

    report = world.run()

    assert (report.counts["deregistered"], report.counts["deleted"], report.errors) == (
        2,
        2,
        {"AccessDeniedException": 1},
    )
    assert (report.stopped, world.observer.failures) == (None, [DENIED])


@pytest.mark.parametrize("operation", ["families", "delete"])
def test_a_call_for_all_families_that_fails_ends_the_run(world: Definitions, operation: str) -> None:
    """It is reported, and what was not done is for the next run."""
    world.definitions.add(family(1), OLD)
    world.definitions.refusals[operation] = [DENIED]

    report = world.run()

    assert (report.stopped, report.errors, world.observer.failures) == (
        "failed",
        {"AccessDeniedException": 1},
        [DENIED],
    )


def test_nothing_goes_while_the_table_cannot_be_read(world: Definitions) -> None:
    """A table that cannot be read does not prove that nothing uses a definition."""
    world.definitions.add(family(1), OLD)

    class Away(MemoryStore):
        def definition_uses(self) -> Any:
            yield DefinitionUse(arn_of(2), ended=True, updated_at=OLD)
            raise DENIED

    world.store = Away()

    assert world.run().stopped == "failed"
    assert world.changes() == []


def test_what_ecs_does_not_delete_is_tried_again(world: Definitions) -> None:
    """It is counted apart, and stays INACTIVE."""
    for number in range(2):
        world.definitions.add(family(number), OLD)
    world.definitions.stuck.add(arn_of(1))

    report = world.run()

    assert (report.counts["deregistered"], report.counts["deleted"], report.counts["undeleted"]) == (2, 1, 1)
    world.definitions.stuck.clear()
    assert world.run().counts["deleted"] == 1


# --- never one in use -------------------------------------------------------------------------------------------

HOURS = st.sampled_from([0, 1, 23, 24, 25, 1000])
REVISIONS = st.lists(st.tuples(HOURS, st.booleans()), min_size=1, max_size=3)
ITEMS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(State), HOURS), max_size=8)


@given(
    shapes=st.dictionaries(st.integers(0, 5), REVISIONS, max_size=6),
    items=ITEMS,
    busy=st.frozensets(st.integers(0, 5), max_size=2),
    faults=st.lists(st.sampled_from(["newest", "has_tasks", "revisions", "deregister", "delete"]), max_size=3),
    error=st.sampled_from([THROTTLED, DENIED]),
)
def test_never_one_in_use(
    shapes: dict[int, list[tuple[int, bool]]],
    items: list[tuple[int, State, int]],
    busy: frozenset[int],
    faults: list[str],
    error: CallFailed,
) -> None:
    """Whatever is registered, recorded and running, whatever call fails: what is in use stays, the rest goes."""
    world = Definitions()
    for number, revisions in shapes.items():
        for revision, (hours, active) in enumerate(revisions, start=1):
            world.definitions.add(family(number), NOW - timedelta(hours=hours), revision, active=active)
    for number, state, hours in items:
        world.use(arn_of(number), state=state, updated_at=NOW - timedelta(hours=hours))
    world.definitions.busy.update(map(family, busy))
    registered, inactive = set(world.definitions.registered), set(world.definitions.inactive)

    world.definitions.refusals = {name: [error] * faults.count(name) for name in faults}
    for _ in range(len(faults) + 2):
        world.run()

    for number, revisions in shapes.items():
        ages = [hours for hours, active in revisions if active]
        needed = any(one == number and (state not in ENDS or hours < 24) for one, state, hours in items)
        started_with = bool(ages) and (ages[-1] < 24 or number in busy)
        own = {arn for arn in registered if family_in(arn) == family(number)}
        if needed or started_with:
            assert own <= set(world.definitions.registered)
            assert own & world.definitions.inactive == own & inactive
        else:
            assert own.isdisjoint(world.definitions.registered)
