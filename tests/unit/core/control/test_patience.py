"""The waiting of one start: random, longer with each try, and over before its caller gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.run_task import FIRST_PAUSE, LONGEST_PAUSE, SECONDS, Patience
from tests.fakes import SettableClock


class Time(SettableClock):
    """A clock that only sleeping advances."""

    def patience(self, random: float = 0.5) -> Patience:
        self.chance = random
        return Patience(self, SECONDS)


@given(st.floats(0, 1), st.integers(0, 10_000))
def test_pauses_grow_and_are_bounded(random: float, number: int) -> None:
    """Starts that were throttled together do not come back together, and none waits for ever between two tries."""
    time = Time()
    assert time.patience(random).pause(number)
    assert FIRST_PAUSE / 2 <= time.monotonic() <= min(FIRST_PAUSE * 2 ** min(number, 16), LONGEST_PAUSE)


def test_patience_is_for_all_the_waiting() -> None:
    """However it is divided; it ends before its time is over, without waiting in vain."""
    time = Time()
    patience = time.patience()
    tries = 0
    while patience.pause(tries):
        tries += 1
    assert SECONDS - LONGEST_PAUSE <= time.monotonic() <= SECONDS
    before = time.monotonic()
    assert not patience.wait(LONGEST_PAUSE)
    assert time.monotonic() == before


@pytest.mark.parametrize("random", [0.0, 1.0])
def test_pauses_differ(random: float) -> None:
    """Half of a pause is by chance."""
    time = Time()
    time.patience(random).pause(0)
    assert time.monotonic() == FIRST_PAUSE * (0.5 + random / 2)
