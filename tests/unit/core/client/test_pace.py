"""How long a wait pauses: seldom where little is expected, often where the change is likely, never too often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.client.pace import ANSWER, START, Expected, before_the_address, before_the_answer

KNOWN = Expected(40, 0.15, 10)
QUICK = Expected(0.06, 0.5, 10)
SLOW = Expected(5, 0.3, 10)


def reads(seconds: float, start: Expected, answer: Expected) -> int:
    """Of a wait that lasts so long, without the time that reads take."""
    elapsed, number = 0.0, 1
    while (elapsed := elapsed + before_the_address(elapsed, start, answer)) < seconds:
        number += 1
    return number


EXPECTED = st.builds(Expected, st.floats(0.001, 3600), st.floats(0.08, 3), st.integers(0, 20))


@given(st.floats(0, 1e6), EXPECTED, EXPECTED)
def test_no_pause_is_too_short_or_too_long(elapsed: float, start: Expected, answer: Expected) -> None:
    """A twelfth of a second to two seconds before the address, a 25th to two seconds after it."""
    assert 0.08 <= before_the_address(elapsed, start, answer) <= 2
    assert 0.04 <= before_the_answer(elapsed, answer) <= 2


@pytest.mark.parametrize(("answer", "shortest"), [(0.01, 0.08), (0.06, 0.12), (0.1, 0.2), (5, 0.25)])
def test_the_address_is_seen_before_the_answer(answer: float, shortest: float) -> None:
    """Where half of all starts are over, every twice the time from the address to the answer, within bounds."""
    assert before_the_address(40, KNOWN, Expected(answer, 1, 3)) == pytest.approx(shortest)


@pytest.mark.parametrize(("answer", "shortest"), [(0.01, 0.04), (3, 0.06), (60, 0.1)])
def test_the_answer_is_looked_for_often(answer: float, shortest: float) -> None:
    """Fifty times in the time that it usually takes, within bounds."""
    assert before_the_answer(answer, Expected(answer, 0.5, 3)) == pytest.approx(shortest)


def test_a_pause_fits_what_is_likely() -> None:
    """Long at first, shorter towards the usual time, and slowly longer after it, up to a second."""
    pauses = [before_the_address(seconds, KNOWN, QUICK) for seconds in (1, 20, 30, 35, 40)]
    assert pauses[0] == 2
    assert pauses == sorted(pauses, reverse=True)
    late = [before_the_address(seconds, KNOWN, QUICK) for seconds in (40, 50, 70, 85, 95, 101, 1000)]
    assert late == sorted(late)
    assert late[-2:] == [1, 1]


def test_no_pause_reaches_far_into_what_is_likely() -> None:
    """The pace at the end of a pause counts, where it is quicker."""
    narrow = Expected(40, 0.08, 10)
    elapsed = 30.0
    while elapsed < 40:
        pause = before_the_address(elapsed, narrow, QUICK)
        assert pause <= 2 * max(before_the_address(elapsed + pause, narrow, QUICK), 0.12)
        elapsed += pause


@pytest.mark.parametrize("seconds", [1, 2, 5, 10, 20, 30])
def test_what_is_not_known_is_found_within_a_tenth_of_its_time(seconds: float) -> None:
    """Or a quarter of a second: a first start may take as long as it likes."""
    assert before_the_address(seconds, START, ANSWER) <= max(0.25, seconds / 10)


def test_a_wider_spread_costs_more() -> None:
    """Reads of a wait of 40 s: what is less certain is looked for longer."""
    assert [reads(40, Expected(40, spread, 10), QUICK) for spread in (0.08, 0.15, 0.3)] == [51, 75, 123]
    assert reads(40, KNOWN, SLOW) == 43
    assert reads(40, START, ANSWER) == 106


def test_an_answer_that_comes_late_costs_little() -> None:
    """A minute of silence, where a tenth of a second is usual."""
    elapsed, number = 0.0, 0
    while elapsed < 60:
        elapsed += before_the_answer(elapsed, QUICK)
        number += 1
    assert number < 150
