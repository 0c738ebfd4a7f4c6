"""The AWS calls of one container's life, counted while it is lived: start, healthy for a while, stopped, ended.

Three counters that see different things, so that nothing is counted twice: the SDK's own hooks in the backend, the
local Fargate's count of ECS calls, and the local AWS's CloudTrail for the calls of functions.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.local_cloud.rounds import container_id
from bench.local_cloud.trail import Trail
from bench.rows import CannotMeasure
from local.fargate.client import LocalFargate

if TYPE_CHECKING:
    from bench.local_cloud.systems import Polling, Reach, System
    from local.cloud.cloud import LocalCloud

END_SECONDS: Final = 60.0
LATE_SECONDS: Final = 1.0
"""What follows from a task's end has ended by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Calls of all lives together, by `service.Operation`.

    `deliveries`: events that went to a function; AWS makes and charges these, without a call of anybody's.
    """

    number: int
    healthy_seconds: float
    polling: Counter[str]
    reach_backend: Counter[str]
    reach_functions: Counter[str]
    deliveries: int


def count_lives(cloud: LocalCloud, systems: tuple[Polling, Reach], *, number: int, healthy_seconds: float) -> Lives:
    """Lives that many containers in each system, all at the same time. No other task may be about to end."""
    polling, reach = systems
    fargate = LocalFargate(cloud.ecs_endpoint)
    known = {task["arn"] for task in fargate.tasks()}
    with Trail(cloud) as trail, ThreadPoolExecutor(2 * number) as pool:
        polling.calls.clear()
        reach.calls.clear()
        fargate.reset_calls()
        lives = [
            pool.submit(_live, system, fargate, container_id("life", system.name, index), healthy_seconds)
            for index in range(number)
            for system in systems
        ]
        for life in lives:
            life.result()
        time.sleep(LATE_SECONDS)
    ecs = Counter({f"ecs.{name}": count for name, count in fargate.calls().items()})
    return Lives(
        number=number,
        healthy_seconds=healthy_seconds,
        polling=Counter(polling.calls),
        reach_backend=Counter(reach.calls),
        # What the polling backend did not ask of ECS, our functions did.
        reach_functions=trail.functions() + (ecs - polling.calls),
        deliveries=_delivered(fargate, known),
    )


def _live(system: System, fargate: LocalFargate, name: str, healthy_seconds: float) -> None:
    started = system.start(name)
    system.wait(started)
    with ThreadPoolExecutor(1) as pool:
        # A backend that polls does so from now on.
        following = pool.submit(system.follow, started)
        time.sleep(healthy_seconds)
        system.stop(started)
        until_stopped(fargate, name)
        following.result()
    system.inspect(started)


def until_stopped(fargate: LocalFargate, name: str = "") -> None:
    """Returns when the tasks of that container have stopped; of all containers, without a name."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        own = [task for task in fargate.tasks() if name in (task["started_by"] or "")]
        if own and all(task["last_status"] == "STOPPED" for task in own):
            return
        time.sleep(0.2)
    raise CannotMeasure(f"Tasks of container {name or '(any)'} did not stop within {END_SECONDS:g} s.")


def _delivered(fargate: LocalFargate, known: set[str]) -> int:
    """Events of new tasks that went to a function."""
    new = [one for one in fargate.deliveries() if not known.intersection(one["event"]["resources"])]
    return sum(one["copies"] * len(one["targets"]) for one in new)
