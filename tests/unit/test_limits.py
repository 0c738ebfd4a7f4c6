"""docs/limits.md: the use of each quota follows the code and the template, and what exceeds one is shown."""

from __future__ import annotations

import re

import pytest

from docs import limits
from docs.limits import STARTS, Limit
from docs.measured import measured
from local.fargate.api.rates import RATES

ROWS = {one.what: one for one in limits.limits()}


def test_use_grows_with_the_starts() -> None:
    """Ten times as many starts take ten times as much of each limit."""
    assert {round(one.used(1_000) / one.used(100), 6) for one in ROWS.values()} == {10}


@pytest.mark.parametrize(("there_is", "cell"), [(20, "**28 (139%)**"), (40, "28 (69%)"), ("yours", "28")])
def test_what_exceeds_its_limit_stands_out(there_is: float | str, cell: str) -> None:
    """In bold, and only then; without a number there is no share."""
    assert limits._cell(Limit("", there_is, lambda starts: starts / 3600), 100_000) == cell


def test_rates_are_those_that_the_local_fargate_throttles_by() -> None:
    """RunTask stands in two buckets, and the smaller one counts."""
    runs = [rate.refill for rate in RATES if "RunTask" in rate.operations]
    assert len(runs) == 2
    assert ROWS["RunTask on Fargate, a second"].there_is == min(runs)


def test_units_are_those_of_a_measured_life() -> None:
    """Writes of a life, times the starts of a second."""
    row = ROWS["writes of the table, WRU a second"]
    assert row.used(3600) == measured().life.writes


def test_every_row_has_a_cell_for_each_rate() -> None:
    """The table is whole, and each amount is a number."""
    head, rows = limits.table()
    assert len(rows) == len(ROWS) + 2
    for row in rows:
        assert len(row) == len(head) == 2 + len(STARTS)
        assert all(re.match(r"[$*]*[\d,.]+", cell) for cell in row[2:]), row
