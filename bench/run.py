"""One run of the benchmark, on a local cloud of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.calls import count_lives, until_stopped
from bench.floor import Floor
from bench.idle import measure_idle
from bench.latency import Round, container_id, one_round
from bench.observer import Observer
from bench.polling_backend import PORT
from bench.results import Measured, machine
from bench.systems import Polling, Reach
from bench.tables import SYSTEMS
from local.cloud.cloud import LocalCloud
from local.cloud.layout import ROOT, Layout
from local.cloud.sam import STACK_NAME
from local.fargate.client import LocalFargate

SPEED: Final = 0.2
"""Of the local Fargate: tasks run after 3.4 to 9.4 s. Slow enough that it is left to chance where between two of its
ticks the polling backend meets a task, as on Fargate with its 20 to 60 s; fast enough for a hundred starts."""
FLOOR_TIMES: Final = 10
"""In each turn."""
_WARM_UPS: Final = 2
_SPAWNED: Final = f"Lambda worker spawned for {STACK_NAME}-".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much is measured. `parameters` are the stack's, over those of the local cloud."""

    containers: int
    rounds: int
    lives: int
    healthy_seconds: float
    idle: int
    seed: int
    parameters: Mapping[str, str]


def run(options: Options, say: Callable[[str], None]) -> Measured:
    """Everything. Raises `CloudError`, `Unusable`, `StartFailed`; nothing is left running then either."""
    begun = time.monotonic()
    layout = Layout(ROOT / ".local" / "bench")
    log = layout.logs / "ministack.log"
    with (
        LocalCloud(layout, parameters=options.parameters, speed=str(SPEED), say=say) as cloud,
        Observer(PORT) as observer,
        Floor(cloud) as floor,
    ):
        polling, reach = Polling(cloud), Reach(cloud)

        def starts(system: Polling | Reach, number: int, containers: int) -> Round:
            return one_round(system, observer, number=number, containers=containers, seed=options.seed)

        say("first start, every function cold")
        cold = starts(reach, 0, 1)
        say("warm-up, not counted")
        starts(polling, 0, 1)
        for warm_up in range(1, _WARM_UPS + 1):
            starts(reach, -warm_up, options.containers)
        standing = reach.start(container_id(options.seed, "floor"))
        agent = reach.wait(standing).address
        floor.warm_up()
        workers = _spawned(log)
        rounds: list[Round] = []
        for number in range(1, options.rounds + 1):
            for system in (polling, reach):
                say(f"round {number} of {options.rounds}: {SYSTEMS[system.name]}")
                rounds.append(starts(system, number, options.containers))
            floor.measure(FLOOR_TIMES, agent)
        cold_starts = _spawned(log) - workers
        reach.stop(standing)
        until_stopped(LocalFargate(cloud.ecs_endpoint))
        say(f"calls of {options.lives} lives in each system")
        lives = count_lives(cloud, (polling, reach), number=options.lives, healthy_seconds=options.healthy_seconds)
        say(f"calls of {options.idle} idle containers in a simulated hour")
        idle = measure_idle(cloud, containers=options.idle, seed=options.seed)
        say("stopping")
    return Measured(
        machine=machine(),
        options={
            "containers": options.containers,
            "rounds": options.rounds,
            "seed": options.seed,
            "speed": SPEED,
            "parameters": dict(options.parameters),
        },
        seconds=time.monotonic() - begun,
        cold=cold.samples[0],
        rounds=tuple(rounds),
        cold_starts=cold_starts,
        floor=floor.samples,
        lives=lives,
        idle=idle,
    )


def _spawned(log: Path) -> int:
    """Workers of the stack's functions that the local AWS has started so far."""
    return log.read_bytes().count(_SPAWNED)
