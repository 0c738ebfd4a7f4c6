"""How long each function runs for one start, in virtual time: what Lambda bills."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from bench.virtual.reach import Reach
from bench.virtual.world import World, containers

STARTS: Final = 50


@cache
def durations() -> Mapping[str, float]:
    """Seconds of one invocation on the average, without cold starts, by the function's name."""
    stack = Reach(World(1, containers(1, STARTS)), STARTS)
    stack.run()
    return {name: function.seconds for name, function in stack.functions.items()}
