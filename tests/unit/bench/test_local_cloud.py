"""From what was measured on the laptop cloud to rows and tables, without measuring."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.local_cloud import tables
from bench.local_cloud.calls import Lives
from bench.local_cloud.results import Measured, document, rows
from bench.local_cloud.rounds import Round, Sample

POLLING = {"described": 1.0, "answered": 1.0}
REACH = {"agent-start": 0.1, "recorded": 0.01, "proven": 0.1, "read": 0.05}


def a_round(system: str, lag: float, stages: dict[str, float], *, busy: float = 0.2) -> Round:
    samples = tuple(Sample(system=system, round=1, lag=lag + step / 100, gap=0.002, stages=stages) for step in range(9))
    return Round(system=system, samples=samples, busy=busy)


def measured(*, reach: float = 0.15, pipeline: float = 0.15, describes: int = 0, busy: float = 0.2) -> Measured:
    """A run in which the polling start took 2 s in the median."""
    return Measured(
        options={"containers": 9, "rounds": 1, "seed": 1, "speed": 0.2},
        cold=Sample(system="reach", round=0, lag=2.5, gap=0.002, stages=REACH),
        rounds=(
            a_round("polling", 1.96, POLLING),
            a_round("reach", reach - 0.04, REACH, busy=busy),
            a_round("pipeline", pipeline - 0.04, REACH),
        ),
        cold_starts=0,
        lives=Lives(
            number=2,
            healthy_seconds=15,
            polling=Counter({"ecs.DescribeTasks": 14, "ecs.RunTask": 2}),
            reach_backend=Counter({"dynamodb.GetItem": 30}),
            reach_functions=Counter({"ecs.RunTask": 2, "dynamodb.PutItem": 16, "ecs.DescribeTasks": describes}),
            deliveries=8,
        ),
    )


@pytest.mark.parametrize(
    ("reach", "pipeline", "describes", "goals"),
    [
        (0.15, 0.15, 0, (True, True, True)),
        (0.25, 0.2, 0, (False, True, True)),
        (0.15, 0.09, 0, (True, False, True)),
        (0.15, 0.15, 2, (True, True, False)),
    ],
)
def test_goals_are_judged_by_what_was_measured(
    reach: float, pipeline: float, describes: int, goals: tuple[bool, ...]
) -> None:
    """Ten times faster in the median, 1.5 times the pipeline's at most, and no DescribeTasks in a normal life."""
    details = document(measured(reach=reach, pipeline=pipeline, describes=describes))
    assert tuple(row.passed for row in rows(details)) == goals


def test_ratios_are_of_the_same_run() -> None:
    """Medians of 2 s and 0.25 s are 8 times, and 0.25 s are 1.25 times 0.2 s."""
    lags = document(measured(reach=0.25, pipeline=0.2))["lag_ms"]
    assert lags["times_faster"]["p50"] == 8
    assert lags["times_the_pipeline"]["p50"] == pytest.approx(1.25)


def test_calls_are_those_of_one_life() -> None:
    """Counted over several lives, told for one."""
    life = document(measured())["calls_of_a_life"]
    assert life["polling"] == {"ecs.DescribeTasks": 7, "ecs.RunTask": 1}
    assert (life["reach_functions"]["dynamodb.PutItem"], life["events_delivered"]) == (8, 4)


def test_a_busy_machine_shows() -> None:
    """Times that were spent waiting for a processor are not believed."""
    assert document(measured())["quiet"]
    assert not document(measured(busy=0.9))["quiet"]


def test_tables_show_what_one_decides_by() -> None:
    """The lags, the stages and the calls of each system."""
    details = document(measured())
    shown = {grid(details).title: grid(details) for grid in (tables.lags, tables.stages, tables.calls)}
    assert len(shown) == 3
    assert all(len(row) == len(grid.head) for grid in shown.values() for row in grid.rows)
    assert "times faster" in {row[0] for row in tables.lags(details).rows}
