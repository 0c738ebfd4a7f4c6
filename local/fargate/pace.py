"""The duration of each phase of a task, drawn at random from those of real tasks, with a seed and a speed.

Seconds at speed `real`, from captured lives of plain RunTask tasks on platform 1.4.0: RUNNING after 20 to 60 s,
DEPROVISIONING 10 to 11.3 s after the exit, STOPPED 13 to 22 s after that.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Final


class Phase(Enum):
    """The phases in the order of a life; the value is the shortest and the longest time in seconds."""

    CONNECT = (4.5, 6)
    """From the request until the task's agent is connected."""
    ATTACH = (3, 5)
    """From there until the network interface is attached: PENDING."""
    PLACE = (5.5, 15)
    """From there until the first image pull begins."""
    PULL = (2, 10)
    START = (2, 11)
    """From the last pull until the first container starts."""
    NOTICE = (10, 11.3)
    """From the last exit until ECS shows it: DEPROVISIONING."""
    DETACH = (12.6, 22)
    """From there to STOPPED."""


_SLOWEST: Final = 10
FAST: Final = 0.02
"""The factor of `--speed fast`: tenths of a second for each phase."""


class Pace:
    """Draws durations. The same seed gives the same durations in the same order."""

    def __init__(self, factor: float, seed: int | None = None) -> None:
        self._factor = factor
        self._random = random.Random(seed)  # noqa: S311 - durations, no secret

    def seconds(self, phase: Phase) -> float:
        return self._random.uniform(*phase.value) * self._factor


def parse_speed(text: str) -> float:
    """`fast`, `real` or a factor (1 is real, 0.1 ten times faster). Raises `ValueError`."""
    factor = {"fast": FAST, "real": 1.0}.get(text)
    factor = float(text) if factor is None else factor
    if not 0 < factor <= _SLOWEST:
        raise ValueError("a speed is 'fast', 'real' or a factor above 0 and up to 10")
    return factor
