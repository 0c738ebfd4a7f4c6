"""What every benchmark returns: rows of one table, the figures behind them, and plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Say = Callable[[str], None]
"""Takes a line of progress."""

NEVER: Final = float("inf")
"""A time that has not come when the measuring ends."""


class CannotMeasure(Exception):
    """Something that is needed does not run: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio`: how many times the goal is reached, so 1 or more passes; None without a number.

    `why`: the measured limit that explains a row that does not pass; it must not be empty then.
    """

    point: str
    what: str
    goal: str
    measured: str
    ratio: float | None
    passed: bool
    why: str = ""

    def __post_init__(self) -> None:
        if not self.passed and not self.why:
            raise ValueError(f"{self.what} does not reach {self.goal}, and no limit is named that explains it.")


@dataclass(frozen=True, slots=True)
class Result:
    """`details` are JSON values for the documents, `plots` are SVG texts by the name of their file in docs/."""

    rows: tuple[Row, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    plots: Mapping[str, str] = field(default_factory=dict)


Benchmark = Callable[[Say], Result]


def at_least(  # noqa: PLR0913 - a row has so many members
    limit: float, unit: str, value: float, *, point: str, what: str, measured: str, why: str = ""
) -> Row:
    """A row of a value that has to be large. `why` is left out where it passes."""
    ratio = value / limit
    return Row(point, what, f"at least {limit:g} {unit}", measured, _told(ratio), ratio >= 1, "" if ratio >= 1 else why)


def at_most(  # noqa: PLR0913
    limit: float, unit: str, value: float, *, point: str, what: str, measured: str, why: str = ""
) -> Row:
    """A row of a value that has to be small. `why` is left out where it passes."""
    ratio = limit / value if value else NEVER
    return Row(point, what, f"at most {limit:g} {unit}", measured, _told(ratio), ratio >= 1, "" if ratio >= 1 else why)


def _told(ratio: float) -> float | None:
    """JSON has no infinity."""
    return None if ratio == NEVER else round(ratio, 3)
