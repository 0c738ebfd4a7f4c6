"""The rows of the latency benchmark, of minutes that were made up."""

from __future__ import annotations

import json

from bench import latency
from bench.rows import NEVER
from bench.virtual.minutes import Lived


def ours(lag: float, cpu_seconds: float = 1.0) -> Lived:
    lags = [lag] * 100
    return Lived(lags, {"proven": [lag / 2] * 100, "read": [lag / 2] * 100}, {}, cpu_seconds)


def theirs(lag: float, throttled: int = 0) -> Lived:
    return Lived([lag] * 100, {}, {"describes": 100, "throttled": throttled, "failed": 0})


def test_a_row_for_each_scale_and_share() -> None:
    """Ten times sooner passes. What is not names the published latency that no design can go below."""
    scales = {1: (ours(0.3), theirs(2.0)), 100: (ours(0.3), theirs(6.0))}
    rows = list(latency._rows(scales))
    assert [(row.passed, row.what.rpartition(" ")[2]) for row in rows] == [
        (False, "p50"),
        (False, "p99"),
        (True, "p50"),
        (True, "p99"),
    ]
    assert "1 start a minute" in rows[0].what
    assert "148 ms at p50" in rows[0].why
    assert "387 ms at p99" in rows[1].why
    assert rows[2].ratio == 2


def test_a_start_that_was_given_up_is_never_known() -> None:
    """There is no number for how many times sooner, and no infinity in the file."""
    scales = {1: (ours(0.3), theirs(2.0)), 10_000: (ours(0.3), theirs(NEVER))}
    *_, last = latency._rows(scales)
    assert (last.passed, last.ratio) == (True, None)
    assert last.measured == "300 ms; the polling start gave up"
    assert json.loads(json.dumps(latency._compared(*scales[10_000]), allow_nan=False))["polling"]["p50"] is None


def test_the_collapse_is_shown_against_one_start_alone() -> None:
    """Twice as late in the worst hundredth, and why: refused calls."""
    row = latency._collapse({1: (ours(0.3), theirs(3.0)), 100: (ours(0.3), theirs(15.0, throttled=23))})
    assert (row.passed, row.ratio) == (True, 2.5)
    assert "23% of its DescribeTasks refused" in row.measured


def test_no_start_is_lost_and_many_cost_no_more_each() -> None:
    """Every agent of the largest minute is found, and a start takes the processor as long as among a tenth of them."""
    few, many = ours(1, 5.0), ours(1, 125.0)
    few.counts["repeated_starts"] = many.counts["repeated_starts"] = 7
    found, steady = latency._engine({1: ours(1), 1_000: few, 10_000: many})
    assert (found.passed, found.measured) == (False, "100 of 10,000; 7 starts were throttled, and were sent again")
    assert (steady.passed, round(steady.ratio or 0, 2)) == (False, 0.8)
