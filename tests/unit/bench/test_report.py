"""The whole way from what was measured to what people read, without measuring."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench import report
from bench.calls import Lives
from bench.floor import PIECES
from bench.idle import Idle
from bench.latency import Round, Sample
from bench.results import Measured, document, machine

if TYPE_CHECKING:
    from pathlib import Path

POLLING = {"described": 1.0, "answered": 1.0}
REACH = {"agent-start": 0.1, "recorded": 0.01, "proven": 0.1, "read": 0.05}


def rounds(system: str, lag: float, stages: dict[str, float], *, busy: float = 0.2) -> Round:
    samples = tuple(Sample(system=system, round=1, lag=lag + step / 100, gap=0.002, stages=stages) for step in range(9))
    return Round(system=system, samples=samples, busy=busy)


def measured(*, reach: float = 0.15, describes: int = 0, busy: float = 0.2) -> Measured:
    """A run in which the polling start took 2 s in the median."""
    return Measured(
        machine=machine(),
        options={"containers": 9, "rounds": 1, "seed": 1, "speed": 0.2, "parameters": {}},
        seconds=200.4,
        cold=Sample(system="reach", round=0, lag=2.5, gap=0.002, stages=REACH),
        rounds=(rounds("polling", 1.96, POLLING), rounds("reach", reach - 0.04, REACH, busy=busy)),
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
        idle=Idle(containers=1000, calls=Counter({"ecs.DescribeTasks": 71}), looked_at=3600, healed=0),
    )


@pytest.mark.parametrize(
    ("reach", "describes", "goals"), [(0.15, 0, (True, True)), (0.25, 0, (False, True)), (0.15, 2, (True, False))]
)
def test_goals_are_judged_by_what_was_measured(reach: float, describes: int, goals: tuple[bool, bool]) -> None:
    """Ten times faster in the median, and no DescribeTasks in a normal life."""
    assert tuple(document(measured(reach=reach, describes=describes))["goals"].values()) == goals


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


def test_a_busy_machine_is_told() -> None:
    """Times that were spent waiting for a processor are not believed."""
    assert document(measured())["quiet"]
    results = document(measured(busy=0.9))
    assert not results["quiet"]
    terminal = io.StringIO()
    report.show(Console(file=terminal, width=120), results)
    assert "busy: run it again" in terminal.getvalue()


def test_everything_is_written(tmp_path: Path) -> None:
    """The file reads back as it was, the plot is XML without chance in it, the page has every table."""
    results = document(measured())
    written = report.write(results, tmp_path / "some.json", tmp_path / "docs" / "page.md")
    again = report.write(results, tmp_path / "other.json", tmp_path / "docs" / "page.md")
    assert json.loads(written[0].read_text()) == results
    assert ET.fromstring(written[1].read_text()).tag.endswith("svg")  # noqa: S314 - our own
    assert written[1].read_text() == again[1].read_text()
    page = written[2].read_text()
    assert sum(line.startswith("| --- ") for line in page.splitlines()) == 5
    assert not {"{", "}"} & set(page)


def test_the_terminal_shows_every_table() -> None:
    """The figures that one decides by are there."""
    terminal = io.StringIO()
    report.show(Console(file=terminal, width=120), document(measured()))
    for words in ("times faster", "Where the time goes", "GET /health", "Calls of one life", "1,000 idle", "720,000"):
        assert words in terminal.getvalue()
