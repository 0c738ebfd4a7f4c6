"""Early probes: sent when the agent is about to answer, learnt from the starts before, never what a start hangs on."""

from __future__ import annotations

import pytest

from core.control.settle import settle_event
from core.control.settle_verdict import SAMPLE, settle_verdict
from core.model.actions import SendProbe
from core.model.errors import CallFailed
from core.model.policy import Policy
from core.model.record import Settled, Unknown
from core.model.state import State
from tests.factories import ADDRESS, CONTAINER_ID, answered, observed, pending
from tests.fakes import MemoryStartTimes
from tests.world import World

FAMILY = "sockerless-2f9c1d7e"
MESSAGE = (CONTAINER_ID, 1, ADDRESS)


def world(known: float | None, *, early: bool = True, seconds: float = 9) -> World:
    """A container whose task is PENDING, and what is known of the starts of its definition."""
    times = MemoryStartTimes({} if known is None else {FAMILY: known}, otherwise=None)
    return World(pending(), policy=Policy(early_probe=early), start_times=times, seconds=seconds)


def test_an_early_probe_waits_until_the_agent_is_about_to_answer() -> None:
    """PENDING after 9 s, agents usually answer 30 s after the task was created: SQS holds the message back."""
    one = world(30)
    one.settle(observed(2, "PENDING"))
    assert (one.queue.sent, one.queue.delays) == ([MESSAGE], [21])


def test_no_early_probe_while_no_start_is_known() -> None:
    """The event of RUNNING brings the probe, at once, and its answer teaches the first figure."""
    one = world(None)
    one.settle(observed(2, "PENDING"))
    assert one.queue.sent == []
    one.settle(observed(3))
    assert (one.queue.sent, one.queue.delays) == ([MESSAGE], [0])
    settle_verdict(one, answered(40.5), None)
    assert one.start_times.seconds == {FAMILY: pytest.approx(32)}


def test_the_event_of_running_brings_a_probe_all_the_same() -> None:
    """The early one may have gone lost, or not have begun."""
    one = world(300)
    one.settle(observed(2, "PENDING"))
    one.settle(observed(3))
    assert one.queue.delays == [291, 0]


def test_a_function_that_dies_before_the_message_loses_nothing() -> None:
    """The record is saved, the start times could not be read: the event comes again, is stale, and sends."""
    one = world(30)
    with pytest.raises(CallFailed):
        settle_event(one.having(start_times=_Gone()), observed(2, "PENDING"))
    assert one.record().early_address == ADDRESS
    again = one.settle(observed(2, "PENDING"))
    assert again.ignored is not None
    assert one.queue.sent == [MESSAGE]


class _Gone(MemoryStartTimes):
    def usual(self, family: str) -> float | None:
        raise CallFailed("GetItem", "InternalServerError", "try again", transient=True)


@pytest.mark.parametrize(("chance", "writes"), [(SAMPLE - 0.01, True), (SAMPLE, False)])
def test_few_starts_are_written_down(chance: float, *, writes: bool) -> None:
    """Once a figure is known, one start in eight changes it."""
    one = world(20)
    one.clock.chance = chance
    one.settle(observed(2, "PENDING"))
    settled = settle_verdict(one.performing({SendProbe}), answered(40.5), one.record())
    assert isinstance(settled, Settled)
    assert settled.record.state is State.AGENT_HEALTHY
    assert (one.start_times.seconds[FAMILY] != 20) is writes


def test_a_stack_without_early_probes_learns_nothing() -> None:
    """Nothing is read or written for them."""
    one = world(None, early=False)
    one.settle(observed(3))
    settle_verdict(one.having(start_times=_Gone()), answered(40.5), None)
    assert one.record().state is State.AGENT_HEALTHY


def test_a_verdict_that_changes_nothing_teaches_nothing() -> None:
    """A second prober's answer, and one about a container that is gone."""
    one = world(None)
    one.settle(observed(3))
    settle_verdict(one, answered(40.5), None)
    one.start_times.seconds.clear()
    settle_verdict(one, answered(41), None)
    gone = World(policy=one.policy, start_times=one.start_times)
    assert isinstance(settle_verdict(gone, answered(41), None), Unknown)
    assert one.start_times.seconds == {}
