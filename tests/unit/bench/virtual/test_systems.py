"""Both systems in the simulated AWS."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bench.quantiles import quantile
from bench.rows import NEVER
from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.minutes import Lived, polling, reach
from bench.virtual.polling import Polling
from bench.virtual.reach import Reach
from bench.virtual.world import World, containers
from core.model.state import State
from local.fargate.api.errors import AwsError

AT_ONCE = Hop("", ((0.5, 0.001), (0.99, 0.002)), "")


def median(lived: Lived) -> float:
    return quantile(lived.lags, 0.5)


def test_the_same_seed_lives_the_same_minute() -> None:
    """Threads take their turns by the simulated clock, so nothing depends on the machine; another seed differs."""
    assert reach([3], 20) == reach([3], 20)
    assert polling([3], 20) == polling([3], 20)
    assert reach([3], 20).lags != reach([4], 20).lags


def test_both_systems_meet_the_same_containers() -> None:
    """The times of a task and of its agent are drawn before a system begins, and are not drawn again."""
    ours, theirs = World(5, containers(5, 30)), World(5, containers(5, 30))
    Reach(ours, 30).run()
    Polling(theirs).run()
    drawn = [
        [(one.name, one.asked_at, one.provisioning, one.agent) for one in world.containers] for world in (ours, theirs)
    ]
    assert drawn[0] == drawn[1]
    for world in (ours, theirs):
        assert all(
            one.listening_at == pytest.approx(one.ran_at + one.provisioning + one.agent) for one in world.containers
        )


def test_an_accounts_buckets_are_ecss() -> None:
    """RunTask: 20 at once, then 20 a second (ecs.md 6)."""
    world = World(1, containers(1, 60))
    taken: list[int] = []

    def burst() -> None:
        before = sum(one.ran_at < NEVER for one in world.containers)
        for container in world.containers:
            if container.ran_at == NEVER:
                with suppress(AwsError):
                    world.run_task(container)
        taken.append(sum(one.ran_at < NEVER for one in world.containers) - before)

    for instant in (0.0, 0.5, 10.0):
        world.after(instant, burst)
    world.scheduler.run(until=20)
    assert taken == [20, 10, 20]


def test_every_start_passes_every_state_in_its_item() -> None:
    """The core's own writes: recorded, launched, resolved, healthy, in order of their instants."""
    world = World(2, containers(2, 10))
    stack = Reach(world, 10)
    stack.run()
    for history in stack.histories.values():
        states = [item["state"]["S"] for _, item in history.items]
        assert states[0] == State.PENDING
        assert states[-1] == State.AGENT_HEALTHY
        instants = [at for at, _ in history.items]
        assert instants == sorted(instants)
        assert world.by_name[history.items[0][1]["container_id"]["S"]].listening_at < instants[-1]


def test_the_polling_start_alone_takes_its_intervals() -> None:
    """It finds RUNNING within 2 s and the agent one second after that, so half of its starts take some two seconds."""
    alone = polling(range(40), 1)
    assert 1.5 < median(alone) < 2.5
    assert max(alone.lags) < 3.5
    assert alone.counts["throttled"] == 0


def test_the_polling_start_collapses_at_a_hundred_starts_a_minute() -> None:
    """Two reads a second are taken of each three that it makes: the slowest start is several times as late as alone."""
    crowd, alone = polling([1], 100), polling(range(40), 1)
    assert crowd.counts["throttled"] > 0.1 * crowd.counts["describes"]
    assert quantile(crowd.lags, 0.99) > 2 * quantile(alone.lags, 0.99)


def test_this_stack_is_as_quick_at_a_hundred_starts_a_minute() -> None:
    """It asks ECS for nothing."""
    crowd, alone = reach([1], 100), reach(range(40), 1)
    assert median(crowd) < 1.5 * median(alone)
    assert 10 * median(crowd) < median(polling([1], 100))


def test_an_agent_that_listens_at_once_waits_for_the_whole_path_of_the_event() -> None:
    """Nothing of the path lies before the agent listens then."""
    event = dict(hops.EVENT.quantiles)[0.5] / 1000
    assert median(reach(range(40), 1, AT_ONCE)) > event
    assert median(reach(range(40), 1, AT_ONCE)) > median(reach(range(40), 1))
