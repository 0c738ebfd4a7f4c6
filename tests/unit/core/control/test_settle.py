"""Load, apply, save, perform: what happens when writers meet and when a function dies in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.control.perform import perform
from core.control.settle import ATTEMPTS, settle, settle_event
from core.machine.next_actions import next_actions
from core.model.actions import SendProbe
from core.model.errors import CallFailed, ContendedRecord, UnreadableRecord
from core.model.facts import StopRequested
from core.model.record import Record, Settled, Unknown
from core.model.state import State
from core.ports import RevisionConflict
from core.storage.item import to_item
from tests.factories import (
    ADDRESS,
    CONTAINER_ID,
    POLICY,
    REF,
    TASK,
    answered,
    at,
    exited,
    main_container,
    observed,
    passed,
    pending,
    silent,
)
from tests.fakes import MemoryStore
from tests.records import resolved
from tests.world import World


class Interfering(MemoryStore):
    """Another writer gets in before each of the next saves."""

    def __init__(self, record: Record, writes: list[Callable[[Record], Record]]) -> None:
        super().__init__(record)
        self.writes = writes

    def save(self, record: Record) -> None:
        if self.writes:
            current = self.load(record.container_id)
            assert current is not None
            other = self.writes.pop(0)(current)
            self.put_item(to_item(replace(other, revision=current.revision + 1)))
        super().save(record)


def test_a_running_event_saves_and_sends_the_probe() -> None:
    """One write, one message, no call to ECS."""
    world = World(pending(), seconds=10)

    settled = world.settle(observed(3))

    assert settled.record == world.record()
    assert [step.to for step in settled.steps] == [State.TASK_RUNNING, State.ENI_RESOLVED]
    assert world.queue.sent == [(CONTAINER_ID, 1, ADDRESS)]
    assert world.ecs.calls == []


def test_death_between_save_and_action_heals_on_redelivery() -> None:
    """The redelivered event is stale, but what is pending in the saved record is performed all the same."""
    world = World(pending(), seconds=10)
    world.queue.outage = CallFailed("SendMessage", "EndpointConnectionError", "no route", transient=True)
    with pytest.raises(CallFailed):
        world.settle(observed(3))
    assert (world.record().state, world.queue.sent) == (State.ENI_RESOLVED, [])

    world.queue.outage = None
    settled = world.settle(observed(3))

    assert settled.ignored == "version 3 is not newer than 3"
    assert world.queue.sent == [(CONTAINER_ID, 1, ADDRESS)]


def test_an_unknown_container_is_a_value() -> None:
    """Nothing is written for a container that is not recorded."""
    world = World()

    settled = settle_event(world, observed(3))

    assert settled == Unknown(observed(3))
    assert (settled.ignored, world.observer.seen) == ("no such container is recorded", [settled])
    assert world.store.item(CONTAINER_ID) is None


def test_a_record_that_is_known_is_not_read_again() -> None:
    """The prober has just read it; what has changed since, the condition of the write shows."""

    class Unread(MemoryStore):
        def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
            raise AssertionError(container_id)

    world = World(store=Unread(resolved()))
    settled = settle_event(world, answered(), resolved())
    assert isinstance(settled, Settled)
    assert (settled.record.state, settled.conflicts) == (State.AGENT_HEALTHY, 0)

    again = settle_event(world, answered(6), resolved())
    assert isinstance(again, Settled)
    assert (again.ignored, again.conflicts) == ("the record is agent-healthy already", 1)


def test_what_waits_is_written_with_the_next_change() -> None:
    """A version that shows nothing new is not written; the function goes on with it, and its next write has it."""
    world = World(resolved(check_at=at(90)))
    held = world.settle(observed(7, at=at(40), created_at=at(1), started_at=at(29.4))).record
    assert (held.task_version, held.revision) == (7, 3)
    assert world.record() == resolved(check_at=at(90))
    written = settle(world, held, StopRequested(ref=REF, at=at(41), reason="enough")).record
    assert (written.task_version, written.revision, world.record().task_version) == (7, 4, 7)


def test_an_unreadable_item_is_left_as_it_is() -> None:
    """An unknown state raises and changes nothing: the event goes to the dead-letter queue."""
    world = World(pending(), seconds=10)
    item = {**to_item(pending()), "state": "levitating"}
    world.store.put_item(item)

    with pytest.raises(UnreadableRecord, match="levitating"):
        world.settle(observed(3))

    assert world.store.item(CONTAINER_ID) == item


def test_a_conflict_folds_again_into_the_winner() -> None:
    """The fact is applied to what the other writer saved, not to what was read first."""
    store = Interfering(pending(), [lambda record: replace(record, task_arn=TASK)])

    settled = World(store=store).write(observed(3))

    assert (settled.conflicts, settled.record.revision) == (1, 3)
    assert settled.record == store.load(CONTAINER_ID)


def test_a_conflict_may_make_the_fact_stale() -> None:
    """The other writer brought a newer version."""
    store = Interfering(pending(), [lambda record: replace(record, task_version=9)])

    assert World(store=store).write(observed(3)).ignored == "version 3 is not newer than 9"


def test_endless_conflicts_are_left_to_the_platforms_retry() -> None:
    """Bounded: a few rounds, then an error that says so."""
    store = Interfering(pending(), [lambda record: record] * ATTEMPTS)

    with pytest.raises(ContendedRecord, match=f"{ATTEMPTS} attempts"):
        World(store=store).write(observed(3))


def test_a_conflict_without_the_winner_reads_it() -> None:
    """Not every engine returns the item that won."""

    class Silent(Interfering):
        def save(self, record: Record) -> None:
            try:
                super().save(record)
            except RevisionConflict as conflict:
                raise RevisionConflict(conflict.container_id, None) from conflict

    store = Silent(pending(), [lambda record: record])

    assert World(store=store).write(observed(3)).conflicts == 1


def test_a_write_that_met_itself_counts_as_written() -> None:
    """The SDK repeats a write whose answer was lost: the condition fails on our own revision."""

    class Repeating(MemoryStore):
        def save(self, record: Record) -> None:
            super().save(record)
            raise RevisionConflict(record.container_id, record)

    settled = World(store=Repeating(pending())).write(observed(3))

    assert (settled.conflicts, len(settled.steps)) == (0, 2)


def test_a_missing_address_is_asked_for_and_the_answer_folded_in() -> None:
    """DescribeTasks on this path only."""
    world = World(pending(task_arn=TASK))
    world.ecs.definitions["d"] = "arn"
    world.ecs.run(
        {
            "clientToken": "t",
            "cluster": "c",
            "taskDefinition": "d",
            "startedBy": f"sockerless/{CONTAINER_ID}/1",
            "overrides": {"containerOverrides": []},
        }
    )
    (arn,) = world.ecs.tasks
    world.ecs.walk(arn, "PENDING")
    world.ecs.walk(arn, "RUNNING")
    world.store.put_item(to_item(pending(task_arn=arn)))

    world.settle(observed(3, task_arn=arn, attachments=(), containers=(main_container(interfaces=()),)))

    assert world.ecs.calls == ["run", "describe"]
    assert (world.record().state, world.record().agent_address) == (State.ENI_RESOLVED, ADDRESS)
    assert world.queue.sent == [(CONTAINER_ID, 1, ADDRESS)]


def test_an_address_that_ecs_does_not_tell_is_an_error() -> None:
    """A failure other than MISSING is no answer: DescribeTask stays pending, and the redelivered event repeats it."""
    world = World(pending(task_arn=TASK))
    world.ecs.hidden[TASK] = CallFailed("DescribeTasks", "Failure", "ACCESS_DENIED")

    with pytest.raises(CallFailed, match="ACCESS_DENIED"):
        world.settle(observed(3, attachments=(), containers=(main_container(interfaces=()),)))

    assert world.record().state is State.TASK_RUNNING


def test_a_task_of_somebody_else_tells_no_address() -> None:
    """What DescribeTasks shows is believed only with our startedBy."""
    world = World(pending(task_arn=TASK))
    world.ecs.tasks[TASK] = {
        "taskArn": TASK,
        "startedBy": "ecs-svc/1",
        "version": 9,
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
    }

    world.settle(observed(3, attachments=(), containers=(main_container(interfaces=()),)))

    assert (world.record().state, world.record().task_version) == (State.TASK_RUNNING, 3)


def test_an_address_that_cannot_be_asked_for_yet_waits_for_the_reconciler() -> None:
    """ECS shows no such task: no verdict, and DescribeTask stays pending."""
    world = World(pending(task_arn=TASK))

    world.settle(observed(3, attachments=(), containers=(main_container(interfaces=()),)))

    assert world.record().state is State.TASK_RUNNING
    assert world.record().check_at == at(33)


def test_the_prober_leaves_the_stop_to_the_reconciler() -> None:
    """Inside the VPC there is no ECS API: the verdict is written, the stop stays due at once."""
    world = World(pending(), seconds=10)
    world.settle(observed(3))

    settled = world.write(silent(), passed())
    assert (settled.record.state, settled.record.check_at, world.ecs.stopped) == (State.FAILED, at(70), [])

    healed = world.settle(passed(71))
    assert world.ecs.stopped[0][0] == TASK
    assert healed.record.watch is None


def test_an_action_is_done_once_per_call() -> None:
    """An action whose outcome changes nothing is not repeated in a circle."""
    world = World(pending(), seconds=10)

    world.settle(observed(3))

    assert len(world.queue.sent) == 1
    assert SendProbe in {type(action) for action in next_actions(world.record(), POLICY)}, "it is pending all the same"


def test_a_stop_that_ecs_refused_stays_owed() -> None:
    """Throttled: the record is saved, the error goes up, and a redelivery tries again."""
    world = World(pending(), seconds=10)
    world.settle(observed(3))
    world.ecs.refusals["stop"] = [CallFailed("StopTask", "ThrottlingException", "Rate exceeded", transient=True)]

    with pytest.raises(CallFailed, match="Rate exceeded"):
        world.settle(silent(), passed())
    world.settle(silent())

    assert [arn for arn, _ in world.ecs.stopped] == [TASK]


@pytest.mark.parametrize("facts", [[answered(), exited(4)], [exited(4), answered()]])
def test_the_end_wins_whatever_comes_first(facts: list[Any]) -> None:
    """A healthy verdict that arrives after the end revives nothing."""
    world = World(pending(), seconds=10)
    world.settle(observed(3))
    for fact in facts:
        world.settle(fact)

    assert (world.record().state, world.record().agent_address) == (State.STOPPED, None)


def test_a_stop_of_a_task_that_does_not_show_yet_stays_owed() -> None:
    """StopTask right after RunTask may meet an API that does not know the task: not found is not stopped."""
    world = World(pending(task_arn=TASK))
    world.ecs.unknown.add(TASK)
    asked = StopRequested(ref=REF, at=at(1), reason="enough")
    world.settle(asked)
    assert not world.record().stop_confirmed

    world.ecs.unknown.clear()
    assert world.settle(asked).record.stop_confirmed
    assert [arn for arn, _ in world.ecs.stopped] == [TASK]


def test_an_action_that_fails_keeps_no_other_from_being_done() -> None:
    """A StopTask that is refused for good leaves no secret behind; what was settled is reported all the same."""
    world = World(pending(token_parameter="/p/c/1/token"))
    world.vault.put("/p/c/1/token", "secret")
    world.settle(observed(3))
    world.ecs.refusals["stop"] = [CallFailed("StopTask", "AccessDeniedException", "no")]
    world.observer.seen.clear()

    with pytest.raises(CallFailed, match="AccessDenied"):
        world.settle(silent(), passed())

    assert world.vault.tokens == {}
    [settled] = world.observer.seen
    assert isinstance(settled, Settled)
    assert [step.to for step in settled.steps] == [State.FAILED]


def test_an_item_that_was_deleted_meanwhile_is_an_unknown_container() -> None:
    """Its time to live passed between the read and the write: nothing is written for it."""

    class Expiring(MemoryStore):
        def save(self, record: Record) -> None:
            self._items.clear()
            super().save(record)

    world = World(store=Expiring(pending()))
    assert settle_event(world, observed(3)) == Unknown(observed(3))
    assert world.store.load(CONTAINER_ID) is None


def test_facts_that_come_together_are_one_write() -> None:
    """Both or none: what AWS refused to save has not moved, and nothing is done for it."""
    world = World(pending())
    saved = world.store.save

    def save(record: Record) -> None:
        raise CallFailed("PutItem", "InternalServerError", "again", transient=True)

    world.store.save = save  # type: ignore[method-assign]
    with pytest.raises(CallFailed, match="again"):
        world.settle(observed(3), exited(4))
    assert (world.record(), world.queue.sent, world.observer.seen) == (pending(), [], [])

    world.store.save = saved  # type: ignore[method-assign]
    settled = world.settle(observed(3), exited(4))
    assert (settled.record, settled.record.revision) == (world.record(), 2)
    assert [step.to for step in settled.steps] == [State.TASK_RUNNING, State.ENI_RESOLVED, State.STOPPED]


def test_the_first_of_several_facts_says_why_it_was_ignored() -> None:
    """The others count all the same."""
    settled = World(pending(task_version=9)).settle(observed(3), passed())
    assert settled.ignored == "version 3 is not newer than 9"
    assert settled.record.check_at == at(130)


def test_an_unknown_action_is_a_bug() -> None:
    """Only a bug raises."""
    with pytest.raises(AssertionError, match="unreachable, but got: TimePassed"):
        perform(World(), passed())  # type: ignore[arg-type]
