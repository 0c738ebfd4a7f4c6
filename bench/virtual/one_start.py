"""What one start takes in virtual time, on average: how long each function is billed, how much the backend reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from bench.virtual.minutes import Lived, reach

STARTS: Final = 100


@cache
def _lived() -> Lived:
    return reach([1], STARTS)


def durations() -> Mapping[str, float]:
    """Seconds of one invocation, without cold starts, by the function's name."""
    counts = _lived().counts
    return {
        name.removesuffix(" seconds"): seconds / counts[name.replace(" seconds", " invocations")]
        for name, seconds in counts.items()
        if name.endswith(" seconds")
    }


def read_units() -> float:
    """RRU of the backend's wait, of an image that it has started before."""
    return _lived().counts["read_units"] / STARTS
