"""What AWS would count of one container's life and of an idle stack, from the functions' own handlers.

`docs.costs` makes money of it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.model.families import family_of
from docs.counted import schedules
from docs.functions_in_memory import Step, Usage, stack_in_memory
from tests.factories import CLUSTER


@dataclass(frozen=True, slots=True)
class Measured:
    """`life`: started, healthy, stopped, ended, in `steps`. `runs`: by schedule, one run with an empty table.

    `staying`: by schedule, what one run reads and writes more for a healthy container that it looks at.
    """

    life: Usage
    steps: tuple[Step, ...]
    runs: Mapping[str, Usage]
    staying: Mapping[str, Usage]


@cache
def measured() -> Measured:
    """Measured once for each process; every call gets the same."""
    runs = {}
    for name in schedules():
        with stack_in_memory() as stack:
            stack.run(name)
        runs[name] = stack.usage
    with stack_in_memory() as stack:
        stack.live()
    staying = {}
    for name in schedules():
        with stack_in_memory() as watched:
            watched.start()
            watched.definitions.add(family_of("sockerless", CLUSTER, {}), watched.clock.now())
            before = copy.copy(watched.usage)
            watched.clock.advance(3600)
            watched.run(name)
        staying[name] = Usage(
            reads=watched.usage.reads - before.reads - runs[name].reads,
            writes=watched.usage.writes - before.writes - runs[name].writes,
        )
    return Measured(stack.usage, tuple(stack.steps), runs, staying)
