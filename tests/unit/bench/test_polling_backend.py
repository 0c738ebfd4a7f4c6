from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.polling_backend import PollingBackend, StartFailed, Ticker, Time, interface_ip

ARN = "arn:aws:ecs:us-east-1:123456789012:task/default/0f6a1c52"
IP = "10.0.1.47"


@dataclass
class FakeTime:
    """Time that passes only while somebody sleeps."""

    now: float = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


class FakeWorld:
    """A task that runs, and an agent that answers, from an instant on; what was asked when, from the beginning on."""

    def __init__(self, time: FakeTime, *, runs_after: float, answers_after: float = 0, ends_after: float = 1e9) -> None:
        self._time = time
        self._begun = time.now
        self._runs_after = runs_after
        self._answers_after = answers_after
        self._ends_after = ends_after
        self.described: list[float] = []
        self.asked: list[float] = []

    def describe(self, task_arn: str) -> dict[str, Any]:
        assert task_arn == ARN
        now = self._time.now - self._begun
        self.described.append(now)
        status = "STOPPED" if now >= self._ends_after else "RUNNING" if now >= self._runs_after else "PENDING"
        return {"tasks": [task(status)]}

    def healthy(self, address: str) -> bool:
        assert address == f"{IP}:9111"
        self.asked.append(self._time.now - self._begun)
        return self.asked[-1] >= self._answers_after


def task(status: str) -> dict[str, Any]:
    """As DescribeTasks shows it: the network interface comes second, as it may."""
    details = [{"name": "subnetId", "value": "subnet-1"}, {"name": "privateIPv4Address", "value": IP}]
    return {
        "lastStatus": status,
        "attachments": [
            {"type": "Service Connect", "details": []},
            {"type": "ElasticNetworkInterface", "details": details},
        ],
    }


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def backend(world: FakeWorld, time: FakeTime) -> PollingBackend:
    return PollingBackend(world.describe, world.healthy, Time(time.sleep, time.monotonic))


def ticks(time: FakeTime, number: int, sleep: Callable[[float], object] | None = None) -> list[float]:
    """The instants of so many ticks of two seconds."""
    ticker = Ticker(2, time.monotonic)
    carried_out = PollingBackend(lambda _: {}, bool, Time(sleep or time.sleep, time.monotonic)).carried_out
    return [carried_out(ticker.wait()) for _ in range(number)]


def test_a_ticker_ticks_after_its_interval(time: FakeTime) -> None:
    """The first tick comes one interval after the beginning, and the next ones on that grid."""
    assert ticks(time, 3) == [102, 104, 106]


def test_a_ticker_keeps_one_missed_tick(time: FakeTime) -> None:
    """Whoever comes late gets one tick at once, and is back on the grid with the next."""
    late = iter([7.5, 0.0, 0.5, 2.0])
    assert ticks(time, 3, lambda _: time.sleep(next(late))) == [107.5, 108, 110]


def test_a_ticker_sleeps_again_after_waking_early(time: FakeTime) -> None:
    """A sleep that ends early makes no tick early."""
    halves = iter([0.5, 1.0])
    assert ticks(time, 1, lambda seconds: time.sleep(seconds * next(halves))) == [102]


def test_the_start_asks_every_two_seconds_and_then_every_second(time: FakeTime) -> None:
    """The seed's schedule: DescribeTasks at 2, 4, 6 s, then GET /health one second after RUNNING was found."""
    world = FakeWorld(time, runs_after=4.5, answers_after=7.2)
    resolved: list[str] = []
    assert backend(world, time).wait_until_healthy(ARN, resolved.append) == f"{IP}:9111"
    assert world.described == [2, 4, 6]
    assert world.asked == [7, 8]
    assert resolved == [f"{IP}:9111"]


def test_the_life_asks_every_five_seconds_until_the_end(time: FakeTime) -> None:
    """The exit is found by asking, at the first tick after it."""
    world = FakeWorld(time, runs_after=0, ends_after=12)
    backend(world, time).follow(ARN)
    assert world.described == [5, 10, 15]


def test_a_refused_call_is_made_again_at_the_next_tick(time: FakeTime) -> None:
    """An error of DescribeTasks ends nothing."""
    world = FakeWorld(time, runs_after=0)
    refusals = [ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeTasks")]

    def describe(task_arn: str) -> dict[str, Any]:
        if refusals:
            raise refusals.pop()
        return world.describe(task_arn)

    PollingBackend(describe, world.healthy, Time(time.sleep, time.monotonic)).wait_until_healthy(ARN)
    assert (world.described, world.asked) == ([4], [5])


@pytest.mark.parametrize(
    ("world", "seconds"),
    [
        ({"runs_after": 1e9}, 300),
        ({"runs_after": 0, "answers_after": 1e9}, 62),
        ({"runs_after": 1, "ends_after": 1}, 2),
    ],
    ids=["never runs", "never answers", "stopped"],
)
def test_a_start_that_fails_says_so(time: FakeTime, world: dict[str, float], seconds: float) -> None:
    """Neither the start nor the agent is waited for beyond the seed's time-outs, and a stopped task not at all."""
    with pytest.raises(StartFailed):
        backend(FakeWorld(time, **world), time).wait_until_healthy(ARN)
    assert time.now - 100 == seconds


def test_a_task_without_a_network_interface_has_no_address() -> None:
    """Other attachments are none."""
    assert interface_ip({"attachments": [{"type": "Service Connect", "details": []}]}) is None
    assert interface_ip({}) is None
