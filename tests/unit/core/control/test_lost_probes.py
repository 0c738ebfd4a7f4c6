"""Probing an agent, as reconciler, queue and probers do it together: lost probes, hindered probers, clocks."""

from __future__ import annotations

import pytest

from core.control.background_run import RunReport
from core.control.reconciler import reconcile
from core.machine.task_documents import observe_description
from core.model.facts import ProbeAborted, StopRequested, TaskObserved
from core.model.failure import ErrorCode
from core.model.policy import Policy
from core.model.state import State
from tests.factories import ADDRESS, CLUSTER, CONTAINER_ID, REF, answered, at, pending, silent
from tests.world import World

DELIVERIES = 5
VISIBILITY = 360
"""Of the probes' queue (template.yaml): a message that fails comes again so often, so far apart."""


class Probed(World):
    """One container whose task runs and whose agent is probed since second 0."""

    def __init__(self, health_timeout: float = 60) -> None:
        super().__init__(policy=Policy(health_timeout=health_timeout))
        self.ecs.definitions["a:1"] = "any"
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
        running = observe_description(self.ecs.tasks[self.task], prefix="sockerless", at=self.clock.now())
        assert isinstance(running, TaskObserved)
        self.settle(running)

    def reconcile_one(self, container_id: str) -> RunReport:
        return reconcile(self, lambda: 60.0, [container_id])

    def taken(self) -> int:
        """How many probes were sent since the last time; the queue is empty then."""
        sent = len(self.queue.sent)
        self.queue.sent.clear()
        return sent

    def abort(self) -> None:
        """A prober cannot read the table."""
        self.write(
            ProbeAborted(
                ref=REF,
                at=self.clock.now(),
                address=ADDRESS,
                last_error="The containers table could not be read.",
                remedy="Make the gateway endpoint.",
            )
        )


@pytest.mark.parametrize("health_timeout", [60, 30, 20, 10, 1, 240])
@pytest.mark.parametrize("phase", range(0, 60, 7))
def test_a_lost_probe_costs_no_container(health_timeout: float, phase: int) -> None:
    """Whatever the phase of the minute's schedule and the time-out: it is sent again, and the agent is probed."""
    world = Probed(health_timeout)
    assert world.taken() == 1  # and lost
    world.clock.advance(phase)

    while world.record().state is State.ENI_RESOLVED:
        world.reconcile()
        if world.taken():
            world.write(answered(world.seconds()))
        world.clock.advance(60)

    assert world.record().state is State.AGENT_HEALTHY
    assert world.seconds() <= 60 + 2 * 60 + health_timeout / 2
    assert world.ecs.stopped == []


def test_a_prober_that_asks_again_has_time_to_hear_an_answer() -> None:
    """The deadline of the probe that is sent again lies a whole time-out ahead, not behind."""
    world = Probed(health_timeout=10)
    world.clock.advance(60)
    world.reconcile()

    probe = world.record().probe
    assert probe is not None
    assert probe.deadline == at(70)
    world.write(silent(70.1))
    world.clock.advance(10.2)
    world.reconcile()
    error = world.record().error
    assert error is not None
    assert error.code is ErrorCode.AGENT_UNREACHABLE
    assert "of 20 tries: connect timed out" in error.message
    assert [arn for arn, _ in world.ecs.stopped] == [world.task]


def test_a_route_that_is_missing_for_a_day_ends_nothing() -> None:
    """The task runs on, the item says why, a stop works, messages stay a handful; and the mended route is enough."""
    world = Probed()
    sent: list[float] = [0.0]
    world.taken()
    world.clock.advance(10)
    world.abort()
    for _ in range(24 * 60):
        world.reconcile()
        sent += [world.seconds()] * world.taken()
        world.clock.advance(10)
        world.abort()
        world.clock.advance(50)
        alive = [one for one in sent if world.seconds() - one < DELIVERIES * VISIBILITY]
        assert len(alive) <= 12

    waiting = world.record()
    assert (waiting.state, waiting.probe and waiting.probe.remedy) == (State.ENI_RESOLVED, "Make the gateway endpoint.")
    assert world.ecs.stopped == []
    assert world.seconds() - sent[-1] <= world.policy.probe_check_most + 60

    world.write(answered(world.seconds()))
    assert world.record().state is State.AGENT_HEALTHY


def test_a_container_that_no_prober_reaches_can_be_stopped() -> None:
    """As any other."""
    world = Probed()
    world.abort()
    world.settle(StopRequested(ref=REF, at=world.clock.now(), reason="enough"))
    assert world.ecs.stopped == [(world.task, "enough")]


@pytest.mark.parametrize("ahead", [0.3, 30.0])
def test_a_silence_does_not_wait_for_the_clock_of_its_prober(ahead: float) -> None:
    """What the table's stream brings is due by itself, however far ahead the clock was that wrote it."""
    world = Probed()
    world.clock.advance(60)
    world.write(silent(60 + ahead))  # written now, by another clock
    world.clock.advance(0.2)  # the stream's way

    report = world.reconcile_one(CONTAINER_ID)

    assert (report.counts["due"], report.counts["healed"], report.counts["oldest_due_seconds"]) == (1, 1, 0)
    assert world.record().state is State.FAILED
    assert [arn for arn, _ in world.ecs.stopped] == [world.task]


def test_what_is_owed_nothing_is_not_asked_about() -> None:
    """The stream may bring a silence twice: the second time ECS is left alone."""
    world = Probed()
    world.clock.advance(60)
    world.write(silent(60))
    world.reconcile_one(CONTAINER_ID)
    calls = len(world.ecs.calls)

    assert world.reconcile_one(CONTAINER_ID).counts["due"] == 0
    assert len(world.ecs.calls) == calls
