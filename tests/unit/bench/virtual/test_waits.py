"""The backend's waits, lived on what a container's item was."""

from __future__ import annotations

from random import Random

import pytest

from bench.virtual.reach import Reach
from bench.virtual.waits import Backend, HistoryReader, Waited, WaitersClock
from bench.virtual.world import World, containers
from core.model.state import State


def lived(seed: int, starts: int) -> tuple[World, Reach, Waited]:
    """A minute, and its waits by a backend that has seen none before."""
    world = World(seed, containers(seed, starts))
    stack = Reach(world, starts)
    stack.run()
    return world, stack, Backend(1).waited(world, stack.histories)


def test_a_wait_ends_after_the_write_that_it_waits_for() -> None:
    """Never before it, and by the client's own pace soon after it."""
    world, stack, waits = lived(6, 12)
    assert waits.lags.keys() == world.by_name.keys()
    for name, lag in waits.lags.items():
        written = stack.histories[name].items[-1][0] - world.by_name[name].listening_at
        assert written < lag < written + 2.1


def test_every_read_is_counted() -> None:
    """A start is waited for from its answer to its agent, and each of these reads is paid for."""
    world, stack, waits = lived(6, 1)
    [history] = stack.histories.values()
    [lag] = waits.lags.values()
    [container] = world.containers
    seconds = container.listening_at + lag - history.waits_from
    assert waits.reads > 1
    assert 0.5 * waits.reads <= waits.units <= waits.reads
    assert waits.reads < seconds / 0.01


def test_waits_change_nothing() -> None:
    """Lived again, they find the same."""
    world, stack, waits = lived(7, 5)
    again = Backend(1).waited(world, stack.histories)
    assert (again.reads, again.units) == (waits.reads, waits.units)
    assert again.lags == pytest.approx(waits.lags)


def test_an_eventually_consistent_read_is_half_as_dear_and_a_moment_behind() -> None:
    """It may miss a write of the last moment, and shows every older one."""
    _, stack, _ = lived(8, 1)
    [(name, history)] = stack.histories.items()
    clock = WaitersClock(Random(1))  # noqa: S311 - repeatable, not secret
    reader = HistoryReader(clock)
    reader.begin(stack.histories)
    last = history.items[-1][0]

    def shows_last(*, consistent: bool, after: float) -> set[bool]:
        """What fifty reads show, so long after the last write."""
        shown = set()
        for _ in range(50):
            clock.seconds = last + after
            record = reader.load(name, consistent=consistent)
            shown.add(record is not None and record.state is State.AGENT_HEALTHY)
        return shown

    assert shows_last(consistent=True, after=0) == {True}
    assert shows_last(consistent=False, after=0) == {True, False}
    assert shows_last(consistent=False, after=1) == {True}
    assert (reader.reads, reader.units) == (150, 100)


def test_a_backend_learns_from_its_starts() -> None:
    """It finds the agents of the same minute sooner when it has waited for other starts of the image."""
    world, stack, first = lived(9, 20)
    backend = Backend(1)
    for seed in (10, 11):
        other, others, _ = lived(seed, 20)
        backend.waited(other, others.histories)
    later = backend.waited(world, stack.histories)
    assert sum(later.lags.values()) < sum(first.lags.values())
