"""Lives come and go for long, with a fifth of all events lost, doubled and late: none is lost, and nothing grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Final

import pytest

from reach.doctor.deployed import FUNCTIONS
from tests.chaos.lives import STORM, members
from tests.chaos.storm import weather
from tests.chaos.workers import Sample, Workers, grown
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack

CHECK_AFTER: Final = 4.0
"""Seconds."""
WAVE: Final = 44
"""Containers whose ends are looked at together: four of each kind."""


def test_a_leak_is_seen_and_noise_is_not() -> None:
    """A worker that keeps something for each life rises; not one that goes up and down, or makes a client once."""

    def leaks(mib: Callable[[float], float], descriptors: Callable[[float], int] = lambda _: 0) -> bool:
        saw = [Sample(at, 100 + at % 7 + mib(at), 12 + int(at) % 5 + descriptors(at)) for at in range(0, 600, 2)]
        return grown("AgentHealthFunction", 1, saw).leaks

    assert not leaks(lambda _: 0)
    assert not leaks(lambda at: 9 * (at > 250), lambda at: 9 * (at > 350))
    assert leaks(lambda at: at / 200)
    assert leaks(lambda at: 9 * (at > 250) + at / 200)
    assert leaks(lambda _: 0, lambda at: int(at) // 100)


def test_a_long_run_loses_no_life_and_leaks_nothing(
    stack: Stack, pytestconfig: pytest.Config, tell: Callable[[str], None]
) -> None:
    """Everybody ends as announced; memory and descriptors of every function's worker are flat in the second half."""
    until = time.monotonic() + 60 * pytestconfig.getoption("minutes")
    workers, lives = Workers(stack.cloud.layout), 0
    with workers.watched():
        for wave in count(1):
            crowd = members(1000 * pytestconfig.getoption("seed") + wave, WAVE, STORM)
            run = weather(stack, crowd, window=min(WAVE, pytestconfig.getoption("window")), check_after=CHECK_AFTER)
            lives += len(crowd)
            tell(f"wave {wave}: {run.summary}")
            assert (*run.problems, *run.trouble) == ()
            if time.monotonic() > until:
                break
    found = workers.growth()
    for one in found:
        tell(str(one))
    tell(f"{lives} lives in {workers.seconds / 60:.1f} minutes, none lost")
    assert {one.function for one in found} == {*FUNCTIONS}
    assert [one for one in found if one.leaks] == []
    assert [stack.queues.dead_letters(queue) for queue in DEAD_LETTER_QUEUES] == [[], []]
