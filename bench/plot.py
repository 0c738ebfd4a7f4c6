"""The plot: how many of a hundred starts were known within a time, for both systems, as an SVG."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bench.quantiles import quantile
from bench.tables import SYSTEMS

_NEEDLESS: Final = re.compile(r"<!--.*?-->|<script.*?</script>", re.DOTALL)
_CHANCE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STEP: Final = 2


def plot(results: Mapping[str, Any]) -> str:
    """Percent of starts across, milliseconds upwards on a logarithmic scale; a line for the floor."""
    # Here, because pygal leaves a finder of its own behind that Python's import warns of ever after.
    import pygal  # noqa: PLC0415
    from pygal.style import CleanStyle  # noqa: PLC0415

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
        js=(),
    )
    for system, name in SYSTEMS.items():
        lags = [lag for one in results["rounds"] if one["system"] == system for lag in one["lag_ms"]]
        chart.add(name, [(percent, quantile(lags, percent / 100)) for percent in range(_STEP, 101, _STEP)])
    floor = results["floor_ms"]["after_listening"]
    chart.add("floor after listening (GET /health, PutItem, GetItem)", [(0, floor), (100, floor)], show_dots=False)
    svg = str(chart.render(is_unicode=True))
    # It stands alone, and two plots of the same results are the same file.
    return _CHANCE.sub("plot", _NEEDLESS.sub("", svg)) + "\n"
