"""Many starts at once of an image that ECS has never seen, under AWS's token buckets, on a clock of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.control.run_task import SECONDS
from core.control.start import start_container
from core.model.errors import Refused
from core.model.failure import Cause, Failure
from core.model.record import Record
from core.model.state import State
from core.ports import Turn
from local.fargate.api.rates import Rates
from tests.exploration.scheduler import Scheduler, Worker
from tests.fakes import MemoryRegistrations, MemoryStore
from tests.unit.local.fargate.harness import ecs_client
from tests.unit.local.starts import control_plane, function, request

EPOCH = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Taking:
    """A client whose calls take their time; others are made meanwhile."""

    def __init__(self, client: Any, seconds: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._client, self._seconds, self._sleep = client, seconds, sleep

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def taking(**parameters: Any) -> Any:
            self._sleep(self._seconds())
            try:
                return call(**parameters)
            finally:
                self._sleep(self._seconds())

        return taking


class Slow(MemoryRegistrations):
    """The turns, with a table that answers after some milliseconds."""

    def __init__(self, sleep: Callable[[float], object]) -> None:
        super().__init__()
        self._sleep = sleep

    def claim(self, family: str, now: datetime) -> Turn:
        self._sleep(0.005)
        return super().claim(family, now)


class Clock:
    """`core.ports.Clock` on a clock that starts share."""

    def __init__(self, time: Scheduler, chance: Random) -> None:
        self.sleep, self.random, self._time = time.pause, chance.random, time

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._time.now)

    def monotonic(self) -> float:
        return self._time.now


class Burst:
    """So many starts within a second, each in a function of its own."""

    def __init__(self, directory: Path, seed: int, starts: int, shapes: int = 1, patience: float = SECONDS) -> None:
        chance = Random(seed)  # noqa: S311  # repeatable, not secret
        time = Scheduler(chance)
        store, turns = MemoryStore(), Slow(time.pause)
        self.records: list[Record] = []
        self.refused: list[Failure] = []
        self.seconds: list[float] = []
        with control_plane(directory, rates=Rates(lambda: time.now)) as server:
            client = Taking(ecs_client(server.endpoint), lambda: chance.uniform(0.02, 0.2), time.pause)

            def start(number: int) -> None:
                began = time.now
                ports = function(server, store, turns, client=client, clock=Clock(time, chance))
                try:
                    record = start_container(
                        ports, request(number, number % shapes), f"start-{number}", seconds=patience
                    )
                except Refused as refused:
                    self.refused.append(refused.failure)
                else:
                    self.records.append(record)
                self.seconds.append(time.now - began)

            for number in range(starts):
                time.after(chance.random(), Worker(f"start-{number}", partial(start, number), 0, inf))
            time.run(until=3600)
            self.definitions = server.ecs.list_task_definitions()["taskDefinitionArns"]
            self.tasks = server.local.tasks()


@pytest.mark.parametrize("seed", range(5))
def test_a_burst_of_a_new_image_registers_it_once_or_twice(tmp_path: Path, seed: int) -> None:
    """Fifty starts: none is refused, none uses up a launch for its waiting, and each has one task."""
    burst = Burst(tmp_path, seed, 50)

    assert burst.refused == []
    assert 1 <= len(burst.definitions) <= 2
    assert {record.state for record in burst.records} == {State.PENDING}
    assert {record.attempt for record in burst.records} == {1}
    assert {record.task_arn for record in burst.records} == {task["arn"] for task in burst.tasks}
    assert len(burst.tasks) == 50
    assert max(burst.seconds) < SECONDS


def test_many_new_images_at_once_take_turns_at_registering(tmp_path: Path) -> None:
    """Thirty are more than the bucket holds, so the rest wait; still none is registered more often than twice."""
    burst = Burst(tmp_path, 1, 60, shapes=30)

    assert burst.refused == []
    assert 30 <= len(burst.definitions) <= 60
    assert {record.attempt for record in burst.records} == {1}
    assert max(burst.seconds) < SECONDS


def test_what_is_too_much_is_refused_as_throttled(tmp_path: Path) -> None:
    """Two hundred starts cannot all have their turn in four seconds: the rest may come again, and runs nothing."""
    burst = Burst(tmp_path, 1, 200, patience=4)

    assert burst.refused
    assert {(failure.cause, failure.transient) for failure in burst.refused} == {(Cause.THROTTLED, True)}
    assert len(burst.tasks) == len(burst.records) == 200 - len(burst.refused)
    assert {record.attempt for record in burst.records} == {1}
