"""The plot: how many of a hundred starts were known within a time, for both systems, as an SVG."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pygal
from pygal.style import CleanStyle

from bench.quantiles import quantile

NAMES: Final = {"polling": "polling start", "reach": "this stack"}
_COMMENTS: Final = re.compile(r"<!--.*?-->")
_IDS: Final = re.compile(r"chart-[0-9a-f-]{36}")


def plot(results: Mapping[str, Any]) -> str:
    """Percent of starts across, milliseconds upwards on a logarithmic scale; a line for the floor."""
    chart = pygal.XY(
        title="From the agent listening to the backend knowing it",
        x_title="percent of starts",
        y_title="ms",
        logarithmic=True,
        dots_size=2,
        width=900,
        height=460,
        legend_at_bottom=True,
        style=CleanStyle,
        xrange=(0, 100),
        js=(),  # the SVG stands alone
    )
    for system, name in NAMES.items():
        lags = [one["lag_ms"] for one in results["samples"] if one["system"] == system]
        chart.add(name, [(percent, quantile(lags, percent / 100)) for percent in range(1, 101)])
    floor = results["floor_ms"]["after_listening"]
    chart.add("floor after listening (GET /health, PutItem, GetItem)", [(0, floor), (100, floor)], show_dots=False)
    svg = str(chart.render(is_unicode=True))
    # Chance and the date in it would make every file differ from the last for no reason.
    return _IDS.sub("chart", _COMMENTS.sub("", svg)) + "\n"
