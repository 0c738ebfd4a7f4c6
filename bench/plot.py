"""Plots as SVG. Two plots of the same figures are the same file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

Point = tuple[float, float]

_NEEDLESS: Final = re.compile(r"<!--.*?-->|<script.*?</script>", re.DOTALL)
_CHANCE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def lines(title: str, *, x_title: str, y_title: str, series: Mapping[str, Iterable[Point]], **options: Any) -> str:
    """A line for each series, on a logarithmic scale upwards. `options` are pygal's."""
    # Here, because pygal leaves a finder of its own behind that Python's import warns of ever after.
    import pygal  # noqa: PLC0415
    from pygal.style import CleanStyle  # noqa: PLC0415

    chart = pygal.XY(
        title=title,
        x_title=x_title,
        y_title=y_title,
        logarithmic=True,
        dots_size=2,
        width=900,
        height=460,
        legend_at_bottom=True,
        style=CleanStyle,
        js=(),
        **options,
    )
    for name, points in series.items():
        chart.add(name, list(points))
    # It stands alone: no script, no comment, and no identifier that chance has made.
    return _CHANCE.sub("plot", _NEEDLESS.sub("", str(chart.render(is_unicode=True)))) + "\n"
