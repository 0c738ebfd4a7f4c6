"""The asking for an agent, as reconciler, queue and probers do it together: lost probes, hindered probers, clocks."""

from __future__ import annotations

from typing import Any

import pytest

from core.control.perform import Performer
from core.control.reconcile import Reconciler, Report
from core.control.settle import Settler
from core.machine.task_documents import observe_description
from core.model.facts import Fact, ProbeAborted, StopRequested
from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from tests.factories import ADDRESS, CLUSTER, CONTAINER_ID, REF, SETTINGS, answered, at, pending, silent
from tests.fakes import FakeEcs, MemoryStore, MemoryVault, RecordingQueue, SettableClock

DELIVERIES = 5
VISIBILITY = 360
"""Of the probes' queue (template.yaml): a message that fails comes again so often, so far apart."""


class World:
    """One container whose task runs and whose agent is asked since second 0."""

    def __init__(self, health_timeout: float = 60) -> None:
        self.policy = Policy(health_timeout=health_timeout)
        self.clock = SettableClock(at(0))
        self.store = MemoryStore()
        self.ecs = FakeEcs(self.clock, definitions={"a:1": "any"})
        self.queue = RecordingQueue()
        self.performs = Performer(
            lambda: self.ecs, lambda: self.queue, MemoryVault, self.clock, SETTINGS, "one"
        ).table()
        request = {
            "clientToken": "1",
            "cluster": CLUSTER,
            "taskDefinition": "a:1",
            "startedBy": f"sockerless/{CONTAINER_ID}/1",
            "overrides": {"containerOverrides": []},
        }
        self.task = self.ecs.run(request).task_arn
        self.store.save(pending(task_arn=self.task))
        self.ecs.walk(self.task, "RUNNING")
        running = observe_description(self.ecs.tasks[self.task], prefix="sockerless", at=self.clock())
        assert isinstance(running, Fact)
        self.learn(running, self.performs)

    def learn(self, fact: Fact, performs: Any = None) -> None:
        """As a function would; a prober performs nothing."""
        Settler(self.store, self.policy, performs or {}).settle(fact)

    def reconciler(self) -> Reconciler:
        return Reconciler(
            store=self.store,
            settler=Settler(self.store, self.policy, self.performs),
            ecs=self.ecs,
            clock=self.clock,
            policy=self.policy,
            prefix="sockerless",
            told=lambda _: None,
            failed=lambda error: pytest.fail(str(error)),
            time_left=lambda: 60.0,
        )

    def reconcile(self) -> Report:
        return self.reconciler().run()

    def taken(self) -> int:
        """How many probes were sent since the last time; the queue is empty then."""
        sent = len(self.queue.sent)
        self.queue.sent.clear()
        return sent

    def abort(self) -> None:
        """A prober cannot read the table."""
        self.learn(
            ProbeAborted(
                ref=REF,
                at=self.clock(),
                address=ADDRESS,
                last_error="The containers table could not be read.",
                remedy="Make the gateway endpoint.",
            )
        )

    @property
    def seconds(self) -> float:
        return (self.clock() - at(0)).total_seconds()

    @property
    def record(self) -> Record:
        record = self.store.load(CONTAINER_ID)
        assert record is not None
        return record


@pytest.mark.parametrize("health_timeout", [60, 30, 20, 10, 1, 240])
@pytest.mark.parametrize("phase", range(0, 60, 7))
def test_a_lost_probe_costs_no_container(health_timeout: float, phase: int) -> None:
    """Whatever the phase of the minute's schedule and the time-out: it is sent again, and the agent is asked."""
    world = World(health_timeout)
    assert world.taken() == 1  # and lost
    world.clock.advance(phase)

    while world.record.state is State.ENI_RESOLVED:
        world.reconcile()
        if world.taken():
            world.learn(answered(world.seconds))
        world.clock.advance(60)

    assert world.record.state is State.AGENT_HEALTHY
    assert world.seconds <= 60 + 2 * 60 + health_timeout / 2
    assert world.ecs.stopped == []


def test_a_prober_that_asks_again_has_time_to_hear_an_answer() -> None:
    """The deadline of the probe that is sent again lies a whole time-out ahead, not behind."""
    world = World(health_timeout=10)
    world.clock.advance(60)
    world.reconcile()

    probe = world.record.probe
    assert probe is not None
    assert probe.deadline == at(70)
    world.learn(silent(70.1))
    world.clock.advance(10.2)
    world.reconcile()
    assert world.record.error is not None
    assert world.record.error.code is ErrorCode.AGENT_UNREACHABLE
    assert "of 20 tries: connect timed out" in world.record.error.message
    assert [arn for arn, _ in world.ecs.stopped] == [world.task]


def test_a_route_that_is_missing_for_a_day_ends_nothing() -> None:
    """The task runs on, the item says why, a stop works, messages stay a handful; and the mended route is enough."""
    world = World()
    sent: list[float] = [0.0]
    world.taken()
    world.clock.advance(10)
    world.abort()
    for _ in range(24 * 60):
        world.reconcile()
        sent += [world.seconds] * world.taken()
        world.clock.advance(10)
        world.abort()
        world.clock.advance(50)
        alive = [one for one in sent if world.seconds - one < DELIVERIES * VISIBILITY]
        assert len(alive) <= 12

    waiting = world.record
    assert (waiting.state, waiting.probe and waiting.probe.remedy) == (State.ENI_RESOLVED, "Make the gateway endpoint.")
    assert world.ecs.stopped == []
    assert world.seconds - sent[-1] <= world.policy.probe_look_most + 60

    world.learn(answered(world.seconds))
    assert world.record.state is State.AGENT_HEALTHY


def test_a_container_that_no_prober_reaches_can_be_stopped() -> None:
    """As any other."""
    world = World()
    world.abort()
    world.learn(StopRequested(ref=REF, at=world.clock(), reason="enough"), world.performs)
    assert world.ecs.stopped == [(world.task, "enough")]


@pytest.mark.parametrize("ahead", [0.3, 30.0])
def test_a_silence_does_not_wait_for_the_clock_of_its_prober(ahead: float) -> None:
    """What the table's stream brings is due by itself, however far ahead the clock was that wrote it."""
    world = World()
    world.clock.advance(60)
    world.learn(silent(60 + ahead))  # written now, by another clock
    world.clock.advance(0.2)  # the stream's way

    report = world.reconciler().look_at([CONTAINER_ID])

    assert (report.due, report.healed, report.oldest) == (1, 1, 0)
    assert world.record.state is State.FAILED
    assert [arn for arn, _ in world.ecs.stopped] == [world.task]


def test_what_is_owed_nothing_is_not_asked_about() -> None:
    """The stream may bring a silence twice: the second time ECS is left alone."""
    world = World()
    world.clock.advance(60)
    world.learn(silent(60))
    world.reconciler().look_at([CONTAINER_ID])
    calls = len(world.ecs.calls)

    assert world.reconciler().look_at([CONTAINER_ID]).due == 0
    assert len(world.ecs.calls) == calls
