"""Minutes of starts, lived by either system: what `bench.latency` compares."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.rows import NEVER
from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.polling import Polling
from bench.virtual.reach import History, Reach, units_written
from bench.virtual.waits import Backend
from bench.virtual.world import World, containers
from core.launch.settings import Settings
from core.model.state import State
from tests.factories import SETTINGS

STARTS_AT_ONCE: Final = 300
"""Starts that the backend has under way (limits.md "Many starts at once")."""
EARLIER: Final = 20
"""Starts of the image that the backend has waited for before."""
_BEFORE: Final = -1


@dataclass
class Lived:
    """What came of some minutes: seconds from listening to known, by start; `counts` summed over the minutes.

    `cpu_seconds`: what the world took of the processor, without the waits.
    """

    lags: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    cpu_seconds: float = field(default=0.0, compare=False)

    def add(self, lags: Iterable[float], stages: Mapping[str, Iterable[float]], counts: Mapping[str, float]) -> None:
        """One minute more."""
        self.lags += lags
        for name, seconds in stages.items():
            self.stages.setdefault(name, []).extend(seconds)
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


def reach(  # noqa: PLR0913 - each has a usual value
    seeds: Iterable[int],
    starts: int,
    agent: Hop = hops.AGENT,
    *,
    at_once: int = STARTS_AT_ONCE,
    settings: Settings = SETTINGS,
    task: Hop = hops.TASK,
    earlier: int = EARLIER,
) -> Lived:
    """This stack, a minute for each seed, and one backend, which has waited for starts of the image before."""
    lived, backend, known = Lived(), Backend(starts), dict[str, float]()
    before = World(_BEFORE, containers(_BEFORE, earlier, agent, task))
    backend.waited(before, _run(Reach(before, at_once, settings, known)))
    for seed in seeds:
        world = World(seed, containers(seed, starts, agent, task))
        stack = Reach(world, at_once, settings, known)
        begun = time.process_time()
        histories = _run(stack)
        lived.cpu_seconds += time.process_time() - begun
        waits = backend.waited(world, histories)
        proven = [
            next(at for at, item in histories[one.name].items if item["state"]["S"] == State.AGENT_HEALTHY)
            - one.listening_at
            for one in world.containers
        ]
        counts = {
            "reads": waits.reads,
            "read_units": waits.units,
            "repeated_starts": stack.refused,
            "messages": stack.queue.sent,
            "start times read": stack.start_times.reads,
            "start times written": stack.start_times.writes,
            "write_units": sum(units_written(history) for history in histories.values()),
        }
        for name, function in stack.functions.items():
            counts |= {
                f"{name} invocations": function.invocations,
                f"{name} cold": function.cold_starts,
                f"{name} throttled": function.throttled,
                f"{name} seconds": function.billed,
            }
        lags = [waits.lags[one.name] for one in world.containers]
        read = [lag - before for lag, before in zip(lags, proven, strict=True)]
        lived.add(lags, {"proven": proven, "read": read}, counts)
        lived.counts["concurrency"] = max(lived.counts.get("concurrency", 0), stack.account.most)
    return lived


def polling(seeds: Iterable[int], starts: int, agent: Hop = hops.AGENT) -> Lived:
    """The polling start, a minute for each seed."""
    lived = Lived()
    for seed in seeds:
        world = World(seed, containers(seed, starts, agent))
        backend = Polling(world)
        backend.run()
        lags = [backend.known_at[one.name] - one.listening_at for one in world.containers]
        counts = {"describes": backend.describes, "throttled": backend.throttled, "failed": lags.count(NEVER)}
        lived.add(lags, {}, counts)
    return lived


def _run(stack: Reach) -> Mapping[str, History]:
    stack.run()
    return stack.histories
