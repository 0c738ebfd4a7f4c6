from __future__ import annotations

import pytest

from core.model.parts import Instant, Step
from core.model.record import Record
from core.model.state import State, Trigger
from reach.showing.phases import Course, phases
from tests.factories import at, pending
from tests.records import complete, exited, failed, healthy, resolved

WHOLE = dict(zip(list(Instant)[:7], map(at, (1, 11, 12, 22, 24, 25, 27)), strict=True))


def shown_of(record: Record, seconds: float = 100) -> list[tuple[str, float, Course]]:
    """Name, seconds, course of each phase."""
    return [(one.name, round(one.seconds, 3), one.course) for one in phases(record, at(seconds))]


def names(record: Record) -> list[str]:
    return [name for name, _, _ in shown_of(record)]


def end(to: State, trigger: Trigger, seconds: float) -> tuple[Step, ...]:
    return (*resolved().history, Step(at(seconds), State.ENI_RESOLVED, to, trigger))


def test_a_healthy_container() -> None:
    """A phase for each instant, and the time since the agent's answer."""
    assert shown_of(healthy(timings=WHOLE)) == [
        ("RunTask", 1, Course.DONE),
        ("network", 10, Course.DONE),
        ("host", 1, Course.DONE),
        ("pull", 10, Course.DONE),
        ("start", 2, Course.DONE),
        ("address", 1, Course.DONE),
        ("agent", 2, Course.DONE),
        ("up", 73, Course.OPEN),
    ]


def test_what_ecs_does_not_show_is_named_with_the_next() -> None:
    """No time is counted for a phase whose instants are not known."""
    assert shown_of(resolved())[1] == ("network + host + pull + start", 28.4, Course.DONE)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        (0, "RunTask"),
        (1, "network + host + pull + start"),
        (3, "pull + start"),
        (4, "start"),
        (5, "address"),
        (6, "agent"),
    ],
)
def test_a_start_is_in_a_phase_after_the_last_instant(known: int, name: str) -> None:
    """The open phase has the names of those that the container may be in: ECS shows them when its task runs."""
    timings = dict(list(WHOLE.items())[:known])
    assert shown_of(pending(timings=timings))[-1][::2] == (name, Course.OPEN)


def test_the_phase_in_which_it_failed() -> None:
    """The phase that had begun has failed, at the transition."""
    record = failed(history=end(State.FAILED, Trigger.AGENT_UNREACHABLE, 90))
    assert shown_of(record)[-1] == ("agent", 60, Course.FAILED)


def test_a_task_that_failed_before_it_ran() -> None:
    """The failure is when ECS began to stop the task, not when its event arrived; then comes the stop."""
    timings = {Instant.CREATED: at(1), Instant.PULL_STARTED: at(12), Instant.STOPPING: at(20), Instant.STOPPED: at(35)}
    record = failed(timings=timings, history=end(State.FAILED, Trigger.TASK_FAILED, 36))
    assert shown_of(record)[-2:] == [("pull", 8, Course.FAILED), ("stop", 15, Course.DONE)]


def test_a_launch_without_a_task_has_no_stop() -> None:
    """RunTask failed: nothing is left to stop."""
    record = failed(task_arn=None, timings={}, history=end(State.FAILED, Trigger.LAUNCH_FAILED, 2))
    assert shown_of(record) == [("RunTask", 2, Course.FAILED)]


def test_a_container_that_ran_and_ended() -> None:
    """Its end and its task's end are two: Fargate shows the second one later."""
    assert shown_of(exited(timings={**exited().timings, **WHOLE}))[-2:] == [
        ("up", 12, Course.DONE),
        ("stop", 16, Course.DONE),
    ]


def test_a_short_command_was_up() -> None:
    """It ran, although its agent never answered."""
    assert names(exited())[-2:] == ["up", "stop"]


def test_a_container_on_its_way_out() -> None:
    """Its stop has begun and is not over."""
    record = healthy(timings={**healthy().timings, Instant.STOPPING: at(60)})
    assert shown_of(record)[-2:] == [("up", 28, Course.DONE), ("stop", 40, Course.OPEN)]


def test_an_end_without_an_instant_of_the_task_is_not_open_for_ever() -> None:
    """Of a lost task ECS shows no end. The stop is open while the item says that work is left."""
    timings = {Instant.CREATED: at(1)}
    lost = failed(timings=timings, history=end(State.FAILED, Trigger.TASK_LOST, 90))
    assert "stop" not in names(lost)
    assert shown_of(failed(timings=timings, history=lost.history, watch="shard-1"))[-1] == ("stop", 10, Course.OPEN)


def test_another_launch_begins_anew() -> None:
    """The launches that were given up are no phase of the current one."""
    assert phases(complete(), at(100))[0].begin == complete().launches[-1].at


def test_an_instant_that_is_later_than_the_next() -> None:
    """ECS's clock and ours differ, and an early probe is answered before ECS dates the start. No phase is negative."""
    timings = {Instant.CREATED: at(-1), Instant.STARTED: at(40), Instant.RESOLVED: at(20), Instant.HEALTHY: at(30)}
    shown = shown_of(healthy(timings=timings))
    assert all(seconds >= 0 for _, seconds, _ in shown)
    assert [seconds for _, seconds, _ in shown] == [0, 20, 0, 10, 70]


def test_an_address_that_was_found_after_the_end() -> None:
    """The events arrive after the exit: the life is not longer than it was."""
    timings = {Instant.CREATED: at(1), Instant.STARTED: at(5), Instant.EXECUTION_STOPPED: at(6), Instant.STOPPED: at(9)}
    shown = shown_of(exited(timings={**timings, Instant.RESOLVED: at(20)}))
    assert sum(seconds for _, seconds, _ in shown) == 9


def test_json_says_no_end_of_an_open_phase() -> None:
    """Now is not an instant of the item."""
    *_, agent, up = [one.document() for one in phases(healthy(), at(100))]
    assert agent["end"] == up["begin"] == "2026-11-23T10:00:32.000Z"
    assert (up["end"], up["course"], up["seconds"]) == (None, "open", 68)
