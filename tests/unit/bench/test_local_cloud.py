"""From what was measured on the laptop cloud to rows and tables, without measuring."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.local_cloud import tables
from bench.local_cloud.calls import Lives
from bench.local_cloud.floor import PIECES
from bench.local_cloud.results import Measured, document, rows
from bench.local_cloud.rounds import Round, Sample

POLLING = {"described": 1.0, "answered": 1.0}
REACH = {"agent-start": 0.1, "recorded": 0.01, "proven": 0.1, "read": 0.05}


def a_round(system: str, lag: float, stages: dict[str, float], *, busy: float = 0.2) -> Round:
    samples = tuple(Sample(system=system, round=1, lag=lag + step / 100, gap=0.002, stages=stages) for step in range(9))
    return Round(system=system, samples=samples, busy=busy)


def measured(*, reach: float = 0.15, describes: int = 0, busy: float = 0.2) -> Measured:
    """A run in which the polling start took 2 s in the median."""
    return Measured(
        options={"containers": 9, "rounds": 1, "seed": 1, "speed": 0.2},
        cold=Sample(system="reach", round=0, lag=2.5, gap=0.002, stages=REACH),
        rounds=(a_round("polling", 1.96, POLLING), a_round("reach", reach - 0.04, REACH, busy=busy)),
        cold_starts=0,
        floor={piece: [0.002, 0.003, 0.004] for piece in PIECES},
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
    ("reach", "describes", "goals"), [(0.15, 0, (True, True)), (0.25, 0, (False, True)), (0.15, 2, (True, False))]
)
def test_goals_are_judged_by_what_was_measured(reach: float, describes: int, goals: tuple[bool, bool]) -> None:
    """Ten times faster in the median, and no DescribeTasks in a normal life."""
    assert tuple(row.passed for row in rows(document(measured(reach=reach, describes=describes)))) == goals


def test_ratios_are_of_the_same_run() -> None:
    """Medians of 2 s and 0.25 s are 8 times; the floor is the sum of the calls that are left."""
    results = document(measured(reach=0.25))
    assert results["lag_ms"]["times_faster"]["p50"] == 8
    assert results["floor_ms"]["after_listening"] == 9
    assert results["floor_ms"]["reach_over_after_listening"] == pytest.approx(250 / 9, abs=0.01)


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
    """The lags of both, the stages, the floor, and the calls of both."""
    details = document(measured())
    shown = {grid(details).title: grid(details) for grid in (tables.lags, tables.stages, tables.floor, tables.calls)}
    assert len(shown) == 4
    assert all(len(row) == len(grid.head) for grid in shown.values() for row in grid.rows)
    assert "times faster" in {row[0] for row in tables.lags(details).rows}
