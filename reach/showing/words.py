"""Texts, durations and styles as every view spells them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from rich.text import Text

from core.model.state import State

SHORT: Final = 12
"""Digits of an id that are shown, as Docker does."""
STYLES: Final = {State.AGENT_HEALTHY: "green", State.FAILED: "red", State.STOPPED: "dim"}
"""Of the states; those of a start are yellow."""

_TENTHS: Final = 9.95
"""Below it a tenth of a second is of interest."""
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def plain(text: str) -> str:
    """One line that cannot steer a terminal: what is not printable is spelt as Python's escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def printable(line: str) -> str:
    """A line that a container printed: `plain`, but a tab is a blank or more."""
    return plain(line.expandtabs())


def style_of(state: State) -> str:
    """The colour of a state, on a terminal."""
    return STYLES.get(state, "yellow")


def duration(seconds: float) -> str:
    """`0.3 s`, `12 s`, `3 min 5 s`, `2 h 4 min`, `3 d 1 h`: two units at most."""
    if seconds < _TENTHS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def command(entrypoint: Sequence[str], cmd: Sequence[str]) -> str:
    """The container's command as a shell would take it, in one line."""
    return plain(shlex.join([*entrypoint, *cmd]))


def shortened(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def table(rows: Sequence[Sequence[str]], styles: Iterable[str]) -> list[Text]:
    """Lines whose columns begin at the same places; `styles` has one for each row. The last column is not padded."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    spelt = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [Text(line, style=style) for line, style in zip(spelt, styles, strict=True)]
