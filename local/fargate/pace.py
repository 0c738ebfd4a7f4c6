"""How long each phase of a task takes, drawn from what real tasks took, with a seed and a speed.

Seconds at speed `real`, from captured lives of plain RunTask tasks on platform 1.4.0: RUNNING after 20 to 60 s,
DEPROVISIONING 10 to 11.3 s after the exit, STOPPED 13 to 22 s after that.
"""

from __future__ import annotations

import random
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """What is waited for, in the order of a life."""

    CONNECT = "connect"
    """From the request until the task's agent is connected."""
    ATTACH = "attach"
    """From there until the network interface is attached: PENDING."""
    PLACE = "place"
    """From there until the first image pull begins."""
    PULL = "pull"
    START = "start"
    """From the last pull until the first container starts."""
    NOTICE = "notice"
    """From the last exit until ECS shows it: DEPROVISIONING."""
    DETACH = "detach"
    """From there to STOPPED."""


_SECONDS: Final[dict[Phase, tuple[float, float]]] = {
    Phase.CONNECT: (4.5, 6),
    Phase.ATTACH: (3, 5),
    Phase.PLACE: (5.5, 15),
    Phase.PULL: (2, 10),
    Phase.START: (2, 11),
    Phase.NOTICE: (10, 11.3),
    Phase.DETACH: (12.6, 22),
}

_SLOWEST: Final = 10
FAST: Final = 0.02
"""The factor of `--speed fast`: tenths of a second for each phase."""


class Pace:
    """Draws durations. The same seed gives the same durations in the same order."""

    def __init__(self, factor: float, seed: int | None = None) -> None:
        self._factor = factor
        self._random = random.Random(seed)  # noqa: S311 - durations, no secret

    def seconds(self, phase: Phase) -> float:
        return self._random.uniform(*_SECONDS[phase]) * self._factor


def parse_speed(text: str) -> float:
    """`fast`, `real` or a factor (1 is real, 0.1 ten times faster). Raises `ValueError`."""
    factor = {"fast": FAST, "real": 1.0}.get(text)
    factor = float(text) if factor is None else factor
    if not 0 < factor <= _SLOWEST:
        raise ValueError("a speed is 'fast', 'real' or a factor above 0 and up to 10")
    return factor
