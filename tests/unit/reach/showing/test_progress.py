from __future__ import annotations

from dataclasses import replace

from core.model.failure import Cause, ErrorCode, Failure
from core.model.parts import Instant, Launch
from core.model.record import Record
from reach.showing.progress import PATIENCE, News, view
from tests.factories import at, pending
from tests.records import exited, failed, healthy, resolved

CAPACITY = Launch(at(10), Failure(ErrorCode.LAUNCH_FAILED, "Capacity\nis gone", "Later.", Cause.CAPACITY))


def drawn(record: Record | None, seconds: float) -> list[str]:
    return [line.plain for line in view(record, at(0), at(seconds), bar="=")]


def test_before_the_answer() -> None:
    """The first phase is open since the function was invoked."""
    [line] = drawn(None, 3)
    assert line.split()[:4] == ["RunTask", "3.0", "s", "still"]


def test_the_open_phase_grows() -> None:
    """With each view, and the state is below."""
    for seconds in (5, 7):
        *_, phase, state = drawn(pending(timings={Instant.CREATED: at(1)}), seconds)
        assert phase.split("  ")[1:2] == ["network + host + pull + start"]
        assert f" {seconds - 1}.0 s  still  " in phase
        assert state == "pending"


def test_a_long_phase_says_what_it_waits_for() -> None:
    """Not at once: most starts need no advice."""
    record = resolved()
    assert not any("security group" in line for line in drawn(record, 30 + PATIENCE - 1))
    assert any("security group lets" in line for line in drawn(record, 30 + PATIENCE + 1))


def test_a_healthy_container_has_no_open_phase() -> None:
    """Its time up is none of the start."""
    assert not any("still" in line or " up " in line for line in drawn(healthy(), 60))
    assert any("up" in line.split() for line in drawn(exited(), 60))


def test_a_launch_that_was_given_up() -> None:
    """It is above the phases of the next one, in one line."""
    shown = drawn(pending(launches=(CAPACITY,)), 12)
    assert shown[0] == "Launch 1 was given up: LaunchFailed (capacity): Capacity\\nis gone"


def test_news_are_told_once() -> None:
    """A phase when it has ended, a launch when it was given up; nothing twice."""
    news = News()
    records = [pending(), replace(pending(), launches=(CAPACITY,)), replace(resolved(), launches=(CAPACITY,)), failed()]
    assert [list(news.of(one, at(100))) for one in records[:2]] == [
        [],
        ["Launch 1 was given up: LaunchFailed (capacity): Capacity\\nis gone"],
    ]
    assert [line.partition(":")[0] for line in news.of(records[2], at(100))] == [
        "RunTask",
        "network + host + pull + start",
        "address",
    ]
    assert list(news.of(records[2], at(200))) == []


def test_news_of_a_failure() -> None:
    """The phase in which it failed, also one that took no time."""
    assert list(News().of(failed(), at(100)))[-1] == "agent: 0.0 s, failed"


def test_an_instant_that_comes_late_is_no_news() -> None:
    """Its phase was said with the next one."""
    news = News()
    assert len(list(news.of(resolved(), at(100)))) == 3
    late = resolved(timings={**resolved().timings, Instant.PULL_STARTED: at(12)})
    assert [line for line in news.of(late, at(100)) if line.startswith("network")] == []
