"""The backend's wait in virtual time."""

from __future__ import annotations

import json

import pytest

from bench import waiting, writes
from bench.quantiles import quantile


def test_the_same_waits_cost_the_same() -> None:
    """Nothing depends on the machine."""
    assert waiting.alone(0.15, 5, waits=5) == waiting.alone(0.15, 5, waits=5)
    assert waiting.together(20) == waiting.together(20)


def test_a_known_image_costs_less() -> None:
    """The client has waited for some of its starts; one whose starts are alike costs least."""
    known, unknown, alike = (waiting.alone(*kind, waits=20) for kind in ((0.15, 5), (0.15, 0), (0.08, 5)))
    assert sum(alike.units) < sum(known.units) < sum(unknown.units)
    assert min(known.delays) > 0


def test_many_wait_together_by_few_calls() -> None:
    """Each outcome once, most within a few hundredths of a second, and many containers a call."""
    found = waiting.together(60)
    assert len(found.delays) == 60
    assert quantile(found.delays, 0.5) < 0.07
    assert found.calls < 60 * found.units[0]


def test_rows_say_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two for each number of waiters: its cost and its delay; one that fails says why."""
    monkeypatch.setattr(waiting, "ALONE", 3)
    monkeypatch.setattr(waiting, "CROWDS", (2, 3))
    result = waiting.measure(lambda _: None)
    assert [row.goal for row in result.rows] == ["at most 60 read units", "at most 50 ms of delay, p50"] * 3
    assert {row.point for row in result.rows} == {"4"}
    waits = json.loads(json.dumps(result.details))["waits"]
    assert [one["waiters"] for one in waits][-2:] == ["2 at once", "3 at once"]


def test_the_writes_of_a_life_are_rows() -> None:
    """Five of an item, and a read for each event."""
    rows = writes.measure(lambda _: None).rows
    assert [(row.goal, row.measured.split(",")[0].split(";")[0], row.passed) for row in rows] == [
        ("at most 5 item writes", "5", True),
        ("at most 1 item read", "1", True),
    ]
