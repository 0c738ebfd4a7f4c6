"""The cost of a million lives as a row."""

from __future__ import annotations

import json

from bench import cost
from docs import costs


def test_a_row_for_each_length_of_life() -> None:
    """A longer life costs more; what is too dear names its largest components; the polling start stands beside it."""
    result = cost.measure(lambda _: None)
    assert [row.point for row in result.rows] == ["5"] * len(costs.LIVES)
    ratios = [row.ratio or 0 for row in result.rows]
    assert ratios == sorted(ratios, reverse=True)
    for row, seconds in zip(result.rows, costs.LIVES.values(), strict=True):
        dollars = costs.MILLION * costs.total(costs.life(seconds))
        assert row.measured.startswith(f"${dollars:.2f}; the polling start $0 and ")
        assert row.passed == (dollars <= cost.GOAL) == (not row.why)


def test_the_details_are_the_units() -> None:
    """They are JSON, and times their prices they make the sum."""
    details = json.loads(json.dumps(cost.measure(lambda _: None).details))
    for one in details["lives"]:
        lines = costs.life(costs.LIVES[one["healthy_for"]])
        assert one["units_of_a_life"].keys() == {line.what for line in lines}
        assert one["dollars_of_a_million"] == round(1e6 * costs.total(lines), 2)
