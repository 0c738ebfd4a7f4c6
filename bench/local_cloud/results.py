"""What was measured, as JSON values, and the rows that follow from it. Times are milliseconds in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from bench.polling_backend import DESCRIBE_INTERVAL, LIFE_INTERVAL
from bench.quantiles import quantile, ratio_of_medians
from bench.rows import Row, at_least, at_most

if TYPE_CHECKING:
    from collections import Counter

    from bench.local_cloud.calls import Lives
    from bench.local_cloud.rounds import Round, Sample

GOAL: Final = 10.0
"""Times faster in the median."""
BARE_GOAL: Final = 1.5
"""Times the bare pipeline's median."""
SYSTEMS: Final = ("polling", "reach", "pipeline")
SHARES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
HOUR: Final = 3600
QUIET: Final = 0.6
"""Processors busier than this are waited for, and the times say more about them than about the systems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of the benchmark."""

    options: Mapping[str, Any]
    cold: Sample
    rounds: Sequence[Round]
    cold_starts: int
    lives: Lives


def document(measured: Measured) -> dict[str, Any]:
    """JSON values: what was measured, and what follows from it."""
    samples = [sample for one in measured.rounds for sample in one.samples]
    polling, reach, pipeline = (_lags(samples, system) for system in SYSTEMS)
    times = ratio_of_medians(polling, reach, measured.options["seed"])
    over = ratio_of_medians(reach, pipeline, measured.options["seed"])
    lives = measured.lives
    return {
        "options": dict(measured.options),
        "lag_ms": {
            "polling": _spread(polling),
            "reach": _spread(reach),
            "pipeline": _spread(pipeline),
            "times_the_pipeline": {
                "p50": round(over.value, 3),
                "p50_95_percent": [round(over.low, 3), round(over.high, 3)],
            },
            "times_faster": {
                "p50": round(times.value, 2),
                "p50_95_percent": [round(times.low, 2), round(times.high, 2)],
                **{
                    name: round(quantile(polling, share) / quantile(reach, share), 2)
                    for name, share in SHARES.items()
                    if name != "p50"
                },
            },
            "observer_gap": _ms(max(sample.gap for sample in samples)),
        },
        "stages_ms": {system: _stages(samples, system) for system in SYSTEMS},
        "cold": {
            "first_start_lag_ms": _ms(measured.cold.lag),
            "first_start_stages_ms": {name: _ms(value) for name, value in measured.cold.stages.items()},
            "workers_started_while_measuring": measured.cold_starts,
        },
        "processors_busy": {
            system: round(mean(one.busy for one in measured.rounds if one.system == system), 2) for system in SYSTEMS
        }
        | {"busiest_round": round(max(one.busy for one in measured.rounds), 2)},
        "quiet": all(one.busy <= QUIET for one in measured.rounds),
        "calls_of_a_life": {
            "lives": lives.number,
            "healthy_seconds": lives.healthy_seconds,
            "polling": _each(lives.polling, lives.number),
            "reach_backend": _each(lives.reach_backend, lives.number),
            "reach_functions": _each(lives.reach_functions, lives.number),
            "events_delivered": round(lives.deliveries / lives.number, 1),
            "polling_describe_tasks_per_hour_by_design": round(HOUR / LIFE_INTERVAL),
            "polling_describe_tasks_per_start_by_design": f"one for each {DESCRIBE_INTERVAL:g} s until RUNNING",
        },
        "rounds": [
            {
                "system": one.system,
                "busy": round(one.busy, 2),
                "lag_ms": [_ms(sample.lag) for sample in one.samples],
                "stages_ms": [{name: _ms(value) for name, value in sample.stages.items()} for sample in one.samples],
            }
            for one in measured.rounds
        ],
    }


def rows(details: Mapping[str, Any]) -> tuple[Row, ...]:
    """What was aimed at, of `document`."""
    lags, life = details["lag_ms"], details["calls_of_a_life"]
    times, bare, stages = lags["times_faster"], lags["times_the_pipeline"], details["stages_ms"]
    describes = sum(life[kind].get("ecs.DescribeTasks", 0) for kind in ("reach_backend", "reach_functions"))
    return (
        at_least(
            GOAL,
            "times sooner",
            times["p50"],
            point="2",
            what="laptop cloud: agent listening to the backend knowing it, against the polling start, p50",
            measured=f"{times['p50']:g} x: {lags['reach']['p50']:.0f} ms against {lags['polling']['p50']:.0f} ms",
            why=f"the bare pipeline takes {lags['pipeline']['p50']:.0f} ms of the local AWS's Python; "
            f"processors busy for {details['processors_busy']['reach']:.0%}",
        ),
        at_most(
            BARE_GOAL,
            "times the bare pipeline",
            bare["p50"],
            point="2",
            what="laptop cloud: agent listening to the backend knowing it, against a bare pipeline, p50",
            measured=f"{bare['p50']:.2f} x ({bare['p50_95_percent'][0]:.2f} to {bare['p50_95_percent'][1]:.2f}): "
            f"{lags['reach']['p50']:.0f} ms against {lags['pipeline']['p50']:.0f} ms",
            why=f"to the verdict {stages['reach']['proven']['p50']:.0f} ms against "
            f"{stages['pipeline']['proven']['p50']:.0f} ms, from there to the read "
            f"{stages['reach']['read']['p50']:.0f} ms against {stages['pipeline']['read']['p50']:.0f} ms",
        ),
        at_most(
            0,
            "DescribeTasks",
            describes,
            point="2",
            what="laptop cloud: DescribeTasks of one life, backend and functions together",
            measured=f"{describes:g} a life; the polling start {life['polling']['ecs.DescribeTasks']:g}",
            why="an event was late, and a function asked ECS instead",
        ),
    )


def _lags(samples: Sequence[Sample], system: str) -> list[float]:
    return [sample.lag for sample in samples if sample.system == system]


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "samples": len(seconds),
        "min": _ms(min(seconds)),
        **{name: _ms(quantile(seconds, share)) for name, share in SHARES.items()},
        "max": _ms(max(seconds)),
    }


def _stages(samples: Sequence[Sample], system: str) -> dict[str, Any]:
    own = [sample.stages for sample in samples if sample.system == system]
    names = dict.fromkeys(name for stages in own for name in stages)
    return {name: _spread([stages[name] for stages in own if name in stages]) for name in names}


def _each(calls: Counter[str], lives: int) -> dict[str, float]:
    return {name: round(count / lives, 1) for name, count in sorted(calls.items()) if count}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
