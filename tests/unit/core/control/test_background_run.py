"""The limit of a run: never faster than its rate, never more than its most, and over when AWS says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.background_run import RateLimit, RateLimitedEcs, RateLimitedOutput, limited
from core.model.errors import CallFailed, RunStopped
from core.model.failure import Cause
from tests.factories import ADDRESS, CLUSTER, REF
from tests.fakes import FakeEcs, MemoryOutput, SettableClock
from tests.world import World

THROTTLED = CallFailed("X", "ThrottlingException", "Rate exceeded", cause=Cause.THROTTLED, transient=True)
DENIED = CallFailed("X", "AccessDeniedException", "not authorized", cause=Cause.PERMISSION)


@dataclass
class Time(SettableClock):
    """A clock that only sleeping advances, as finely as a float."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def limit(self, rate: float = 5, most: int = 100, time_left: Callable[[], float] = lambda: 60.0) -> RateLimit:
        return RateLimit(clock=self, rate=rate, most=most, time_left=time_left)


def take(limit: RateLimit, calls: int = 1) -> None:
    with limit.call(calls):
        pass


def test_a_second_of_calls_at_once_and_then_the_rate() -> None:
    """The first five calls wait for nothing, every other one for its fifth of a second."""
    time = Time()
    limit = time.limit(rate=5)
    for _ in range(8):
        take(limit)
    assert time.slept == pytest.approx([0.2, 0.2, 0.2])
    assert limit.spent == 8


def test_what_was_not_used_is_not_saved_up() -> None:
    """After an hour without a call there are as many calls at once as at the beginning."""
    time = Time()
    limit = time.limit(rate=2)
    time.seconds = 3600
    for _ in range(3):
        take(limit)
    assert time.slept == [0.5]


@given(
    rate=st.floats(0.5, 20),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 2)), min_size=1, max_size=60),
)
def test_no_second_sees_more_than_the_rate_allows(rate: float, steps: list[tuple[float, int]]) -> None:
    """Whatever the pauses between them: in any stretch of time, a second's worth and the rate times its length."""
    time = Time()
    limit = time.limit(rate=rate, most=1000)
    made: list[tuple[float, int]] = []
    for pause, calls in steps:
        time.seconds += pause
        take(limit, calls)
        made.append((time.seconds, calls))
    for index, (begin, first) in enumerate(made):
        total = 0
        for end, calls in made[index:]:
            total += calls
            assert total <= max(rate, first) + rate * (end - begin) + 1e-6


def test_the_most_of_a_run() -> None:
    """Two calls do not fit into the last one; the last one does."""
    limit = Time().limit(most=3)
    take(limit, 2)
    with pytest.raises(RunStopped, match="limit"):
        take(limit, 2)
    take(limit)
    with pytest.raises(RunStopped, match="limit"):
        take(limit)


@pytest.mark.parametrize(("left", "allowed"), [(-0.1, False), (0.0, True), (60.0, True)])
def test_no_call_after_the_end_of_the_run(left: float, allowed: bool) -> None:
    """A run that has to end makes no call any more."""
    limit = Time().limit(time_left=lambda: left)
    if allowed:
        take(limit)
    else:
        with pytest.raises(RunStopped, match="time"):
            take(limit)
    assert limit.spent == allowed


def test_no_call_waits_beyond_the_end_of_the_run() -> None:
    """A call whose turn comes too late is not made, and nothing is slept for it."""
    time = Time()
    limit = time.limit(rate=1, time_left=lambda: 0.5)
    take(limit)
    with pytest.raises(RunStopped) as spent:
        take(limit)
    assert (spent.value.why, time.slept) == ("time", [])


@pytest.mark.parametrize(("error", "ends"), [(THROTTLED, True), (DENIED, False)])
def test_a_throttled_call_is_the_last(error: CallFailed, ends: bool) -> None:
    """The error is the caller's to report; after another error the next call is made."""
    limit = Time().limit()
    with pytest.raises(CallFailed), limit.call():
        raise error
    if ends:
        with pytest.raises(RunStopped, match="throttled"):
            take(limit)
    else:
        take(limit)


def test_reads_and_changes_are_counted_apart() -> None:
    """As ECS does; listing by startedBy is a read for running tasks, and another one for stopped tasks."""
    time = Time()
    tasks = RateLimitedEcs(FakeEcs(definitions={"a:1": "arn"}), reads=time.limit(), changes=time.limit())
    tasks.run(
        {
            "clientToken": "1",
            "cluster": CLUSTER,
            "taskDefinition": "a:1",
            "startedBy": "x",
            "overrides": {"containerOverrides": []},
        }
    )
    [arn] = tasks.running(CLUSTER).task_arns
    assert [task["taskArn"] for task in tasks.describe(CLUSTER, [arn]).tasks] == [arn]
    assert tasks.find(CLUSTER, "x") == (arn,)
    tasks.stop(CLUSTER, arn, "enough")
    assert tasks.running(CLUSTER).task_arns == ()
    assert tasks.find(CLUSTER, "x", stopped=True) == (arn,)
    tasks.register({"family": "b"})
    assert (tasks.reads.spent, tasks.changes.spent) == (5, 3)


def test_reads_of_output_are_limited() -> None:
    """Each is one read; beyond the limit no call is made."""
    output = MemoryOutput({("task", "main"): ["only"]})
    limited = RateLimitedOutput(output, Time().limit(most=1))
    assert limited.last_lines("task", "main", 2) == ("only",)
    with pytest.raises(RunStopped, match="limit"):
        limited.last_lines("task", "main", 2)
    assert len(output.calls) == 1


class Failing:
    """A vault and a queue at once, whose every call fails."""

    def __init__(self, error: CallFailed) -> None:
        self.error = error
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_: object) -> Any:
            self.calls += 1
            raise self.error

        return call


UNANSWERED = CallFailed("X", "ReadTimeoutError", "Read timeout", transient=True)


@pytest.mark.parametrize(("error", "then"), [(UNANSWERED, RunStopped), (THROTTLED, RunStopped), (DENIED, CallFailed)])
def test_a_service_that_does_not_answer_is_called_no_more(error: CallFailed, then: type[Exception]) -> None:
    """In this run, and each service for itself. A refusal may concern one container."""
    vault, queue = Failing(error), Failing(error)
    _, _, own_vault, own_queue = limited(World().having(vault=vault, queue=queue), lambda: 60.0)
    with pytest.raises(CallFailed):
        own_vault.put("name", "token")
    with pytest.raises(CallFailed):
        own_queue.send(REF, ADDRESS)
    with pytest.raises(then):
        own_vault.erase("name")
    with pytest.raises(then):
        list(own_vault.names("prefix"))
    with pytest.raises(then):
        own_queue.send(REF, ADDRESS)
    assert (vault.calls, queue.calls) == ((1, 1) if then is RunStopped else (3, 2))
