"""The deployed stack against the polling start of the seed and a bare pipeline, on a local cloud in real time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.local_cloud.calls import count_lives, until_stopped
from bench.local_cloud.observer import Observer
from bench.local_cloud.pipeline.deployed import Pipeline
from bench.local_cloud.results import Measured, document, rows
from bench.local_cloud.rounds import Round, one_round
from bench.local_cloud.systems import Polling, Reach, System
from bench.local_cloud.tables import SYSTEMS
from bench.plot import lines
from bench.polling_backend import PORT, StartFailed
from bench.quantiles import quantile
from bench.rows import CannotMeasure, Result, Say
from local.cloud.cloud import LocalCloud
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError
from local.cloud.sam import STACK_NAME
from local.fargate.client import LocalFargate

SPEED: Final = 0.2
"""Of the local Fargate: tasks run after 3.4 to 9.4 s. Slow enough that it is left to chance where between two of its
ticks the polling backend meets a task, as on Fargate with its 20 to 60 s; fast enough for a hundred starts."""
_WARM_UPS: Final = 2
_SPAWNED: Final = f"Lambda worker spawned for {STACK_NAME}-".encode()


CONTAINERS: Final = 10
"""Started together in a round."""
ROUNDS: Final = 5
"""Of each system, in turn."""
LIVES: Final = 3
"""Containers of each system whose calls are counted."""
HEALTHY_SECONDS: Final = 15.0
"""For which these stay healthy."""
SEED: Final = 1
PLOT: Final = "measurements-local-cloud.svg"


def measure(say: Say) -> Result:
    """About five minutes. Raises `CannotMeasure`; nothing is left running then either."""
    try:
        details = document(_run(say))
    except (CloudError, StartFailed) as error:
        raise CannotMeasure(str(error)) from error
    return Result(rows(details), details, {PLOT: _plot(details)})


def _run(say: Say) -> Measured:
    layout = Layout(ROOT / ".local" / "bench")
    log = layout.logs / "ministack.log"
    with (
        LocalCloud(layout, speed=str(SPEED), say=say) as cloud,
        Observer(PORT) as observer,
    ):
        polling, reach, pipeline = Polling(cloud), Reach(cloud), Pipeline(cloud)

        def starts(system: System, number: int, containers: int) -> Round:
            return one_round(system, observer, number=number, containers=containers, seed=SEED)

        say("first start, every function cold")
        cold = starts(reach, 0, 1)
        say("warm-up, not counted")
        starts(polling, 0, 1)
        for warm_up in range(1, _WARM_UPS + 1):
            for warmed in (reach, pipeline):
                starts(warmed, -warm_up, CONTAINERS)
        workers = _spawned(log)
        rounds: list[Round] = []
        for number in range(1, ROUNDS + 1):
            for system in (polling, reach, pipeline):
                say(f"round {number} of {ROUNDS}: {SYSTEMS[system.name]}")
                rounds.append(starts(system, number, CONTAINERS))
        cold_starts = _spawned(log) - workers
        until_stopped(LocalFargate(cloud.ecs_endpoint))
        say(f"calls of {LIVES} lives in each system")
        lives = count_lives(cloud, (polling, reach), number=LIVES, healthy_seconds=HEALTHY_SECONDS)
        say("stopping")
    return Measured(
        options={"containers": CONTAINERS, "rounds": ROUNDS, "seed": SEED, "speed": SPEED},
        cold=cold.samples[0],
        rounds=tuple(rounds),
        cold_starts=cold_starts,
        lives=lives,
    )


def _plot(details: Mapping[str, Any]) -> str:
    """How many of a hundred starts were known within a time, for each system."""
    series = {}
    for system, name in SYSTEMS.items():
        lags = [lag for one in details["rounds"] if one["system"] == system for lag in one["lag_ms"]]
        series[name] = [(percent, quantile(lags, percent / 100)) for percent in range(2, 101, 2)]
    return lines(
        "From the agent listening to the backend knowing it", x_title="percent of starts", y_title="ms", series=series
    )


def _spawned(log: Path) -> int:
    """Workers of the stack's functions that the local AWS has started so far."""
    return log.read_bytes().count(_SPAWNED)
