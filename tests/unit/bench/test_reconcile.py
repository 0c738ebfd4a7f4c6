"""The safety net's benchmark, on few containers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import reconcile
from bench.rows import NEVER
from tests.factories import POLICY


@pytest.mark.parametrize("containers", [150, 300])
def test_each_container_is_looked_at_once_in_its_interval(containers: int) -> None:
    """A quarter of an hour: a write for each, and a page of a hundred for each read of the table and of ECS."""
    found = reconcile._measured(containers, 15)
    assert found.looks == found.calls["PutItem"] == containers
    assert found.calls["DescribeTasks"] == found.calls["BatchGetItem"] == 15
    assert found.calls["Query"] == 15 * 4
    assert (found.leak_listed, found.leak_stopped) == (containers, None)
    assert found.most_reads == 1


def test_the_leak_finder_lists_as_far_as_its_reads_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page of new tasks is a list and a description: with 6 reads it comes to 300 tasks, and says so."""
    monkeypatch.setattr(reconcile, "POLICY", replace(POLICY, reconcile_calls=6))
    found = reconcile._measured(500, 2)
    assert (found.leak_listed, found.leak_stopped, found.leak_reads) == (300, "limit", 6)


def test_rows_compare_the_largest_with_the_smallest() -> None:
    """Time, calls, memory, and whether a run comes to everything."""
    small, large = reconcile._measured(100, 2), reconcile._measured(400, 2)
    rows = reconcile._rows([small, large])
    assert {row.point for row in rows} == {"9"}
    assert [row.goal.split()[2] for row in rows] == ["2", "2", "32", "240"]
    assert all(row.ratio is not None and 0 < row.ratio < NEVER for row in rows)
