"""Random lives with events lost, doubled and reordered: with the reconciler's help they end as in order.

The world is in memory and the clock stands still. The life of a task is a list of its snapshots; DescribeTasks shows
the last of them. A prober gives the verdict that the life says, in every probe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.machine.apply import apply
from core.machine.changes import Stale
from core.machine.next_actions import next_actions
from core.model.actions import DescribeTask, SendProbe, StopTask
from core.model.facts import Fact, Source, TaskObserved, TimePassed
from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State
from tests.factories import ADDRESS, POLICY, answered, at, exited, main_container, observed, pending, silent
from tests.unit.core.machine.test_lives import what_must_agree

END = 1_000.0
"""Seconds after the record: later than any deadline."""
NOT_STARTED: dict[str, Any] = {
    "stop_code": "TaskFailedToStart",
    "stopped_reason": "CannotPullContainerError: ref not found",
    "started_at": None,
    "containers": (main_container(last_status="STOPPED", exit_code=None, interfaces=()),),
}
ACCIDENTAL = ("updated_at", "expires_at", "check_at", "watch")
"""When it was written, beside what `what_must_agree` leaves out."""


@dataclass(frozen=True)
class Life:
    """The snapshots of one task, in order; the state and exit code it ends with; whether its agent answers."""

    snapshots: tuple[TaskObserved, ...]
    end: State
    exit_code: int | None = None
    answers: bool = True


@dataclass
class World:
    """One record, and what its actions find."""

    life: Life
    record: Record

    def learn(self, fact: Fact) -> None:
        """Applies the fact and what follows from it, as `settle` does."""
        folded = apply(self.record, fact, POLICY)
        if not isinstance(folded, Stale):
            self._take(folded, fact)
        if DescribeTask in self.pending():
            self.describe()

    def pending(self) -> set[type]:
        """The kinds of action."""
        return {type(action) for action in next_actions(self.record, POLICY)}

    def verdict(self) -> Fact:
        """The verdict of a probe."""
        return answered(50, ADDRESS) if self.life.answers else silent(END, ADDRESS)

    def describe(self) -> None:
        """DescribeTasks shows the last snapshot."""
        last = replace(self.life.snapshots[-1], source=Source.DESCRIBED)
        folded = apply(self.record, last, POLICY)
        if not isinstance(folded, Stale):
            self._take(folded, last)

    def _take(self, folded: Record, fact: Fact) -> None:
        changed = folded.state is not self.record.state
        assert folded.task_version >= self.record.task_version
        assert not (changed and self.record.state.ended), "an end is an end"
        leaving = isinstance(fact, TaskObserved) and fact.desired_status == "STOPPED"
        assert not (changed and leaving and not folded.state.ended), "no way up for a stopping task"
        assert folded.state.ended or (folded.watch and folded.check_at), "a live record is in the index"
        self.record = folded

    def reconcile(self) -> None:
        """Four runs of the reconciler: enough for every life to end, or to be healthy."""
        for _ in range(4):
            self.describe()
            when = max(at(50), self.record.check_at or at(50))
            self.learn(TimePassed(ref=self.record.ref, at=when))
            if SendProbe in self.pending():
                self.learn(self.verdict())


def versions(shots: Sequence[TaskObserved]) -> tuple[TaskObserved, ...]:
    """The snapshots, numbered, all learnt at the same instant: that instant is accidental."""
    return tuple(replace(shot, version=number, at=at(10)) for number, shot in enumerate(shots, 1))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A task that runs, ends by itself, is interrupted, is stopped, or never starts; some with repeated snapshots."""
    shots = [observed(1, "PROVISIONING", attachments=(), containers=()), observed(1, "PENDING")]
    starts = draw(st.booleans())
    if not starts:
        ends = [observed(1, status, "STOPPED", **NOT_STARTED) for status in ("DEPROVISIONING", "STOPPED")]
        return Life(versions([*shots, *ends[draw(st.integers(0, 1)) :]]), State.FAILED)
    if draw(st.booleans()):
        shots.append(observed(1, attachments=(), containers=()))  # the address may lag
    shots += [observed(1)] * draw(st.integers(1, 2))
    how = draw(st.sampled_from(["runs", "exits", "stopped", "interrupted", "silent"]))
    if how == "runs":
        return Life(versions(shots), State.AGENT_HEALTHY)
    if how == "silent":
        return Life(versions(shots), State.FAILED, answers=False)
    if how == "interrupted":
        shots.append(observed(1, "RUNNING", "STOPPED", stop_code="SpotInterruption", stopping_at=at(40)))
    if how == "stopped":
        shots.append(observed(1, "STOPPING", "STOPPED", stop_code="UserInitiated", stopping_at=at(40)))
    code = {"interrupted": "SpotInterruption", "stopped": "UserInitiated"}.get(how, "EssentialContainerExited")
    exit_code = draw(st.sampled_from([0, 7, 137]))
    statuses = ("DEPROVISIONING", "STOPPED")[draw(st.integers(0, 1)) :]
    shots += [exited(1, status, exit_code, stop_code=code) for status in statuses]
    return Life(versions(shots), State.STOPPED, exit_code)


@st.composite
def deliveries(draw: st.DrawFn, life: Life) -> list[TaskObserved]:
    """Each snapshot no, one or two times, in any order."""
    copies = [shot for shot in life.snapshots for _ in range(draw(st.integers(0, 2)))]
    return list(draw(st.permutations(copies)))


def lived(life: Life, events: Sequence[TaskObserved], reported: Iterator[bool]) -> Record:
    """The record at the end. `reported` says for each event whether the prober has its verdict before the next one."""
    world = World(life, pending())
    for event in events:
        world.learn(event)
        if SendProbe in world.pending() and next(reported):
            world.learn(world.verdict())
    world.reconcile()
    return world.record


def what_counts(record: Record) -> dict[str, Any]:
    """What must agree, less what depends on the instant of a write.

    An agent that answered for a while leaves an instant behind, if there was time to probe it.
    """
    if record.state.ended:
        timings: dict[Instant, datetime] = {
            name: instant for name, instant in record.timings.items() if name is not Instant.HEALTHY
        }
        record = replace(record, timings=timings)
    return {name: value for name, value in what_must_agree(record).items() if name not in ACCIDENTAL}


@given(st.data())
def test_any_delivery_ends_as_in_order(data: st.DataObject) -> None:
    """State, error, stop, address, token and ECS's own instants: all as if every event had come once and in order."""
    life = data.draw(lives())
    in_order = lived(life, life.snapshots, iter(lambda: True, None))
    faulty = lived(life, data.draw(deliveries(life)), iter(lambda: data.draw(st.booleans()), None))
    assert what_counts(faulty) == what_counts(in_order)
    assert (faulty.state, faulty.stop.exit_code if faulty.stop else None) == (life.end, life.exit_code)


@given(lives())
def test_nothing_is_pending_at_the_end(life: Life) -> None:
    """Also when no event arrived at all: the reconciler alone brings a life to its end."""
    world = World(life, lived(life, (), iter(())))
    assert world.pending() <= {StopTask}
    assert world.record.state is life.end
    assert (world.record.agent_address is None) == world.record.state.ended
