"""The waiting of one start: random, longer with each try, and over before its caller gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.patience import FIRST_PAUSE, LONGEST_PAUSE, SECONDS, Patience


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self, random: float = 0.5) -> Patience:
        return Patience(monotonic=lambda: self.now, sleep=self.sleep, random=lambda: random)


@given(st.floats(0, 1), st.integers(0, 10_000))
def test_pauses_grow_and_are_bounded(random: float, number: int) -> None:
    """Starts that were throttled together do not come back together, and none waits for ever between two tries."""
    time = Time()
    assert time.patience(random).pause(number)
    assert FIRST_PAUSE / 2 <= time.now <= min(FIRST_PAUSE * 2 ** min(number, 16), LONGEST_PAUSE)


def test_patience_is_for_all_the_waiting() -> None:
    """However it is divided; it ends before its time is over, without waiting in vain."""
    time = Time()
    patience = time.patience()
    tries = 0
    while patience.pause(tries):
        tries += 1
    assert SECONDS - LONGEST_PAUSE <= time.now <= SECONDS
    before = time.now
    assert not patience.wait(LONGEST_PAUSE)
    assert time.now == before


@pytest.mark.parametrize("random", [0.0, 1.0])
def test_pauses_differ(random: float) -> None:
    """Half of a pause is by chance."""
    time = Time()
    time.patience(random).pause(0)
    assert time.now == FIRST_PAUSE * (0.5 + random / 2)
