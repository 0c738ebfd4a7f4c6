"""The tables of what was measured on the laptop cloud, without a form: `docs.benched` has them in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SYSTEMS: Final = {"polling": "polling start", "reach": "this stack", "pipeline": "bare pipeline"}
STAGES: Final = {
    "agent-start": "RUNNING to the agent listening: the agent's own start",
    "recorded": "RUNNING to the address in the item: event, function, write",
    "proven": "listening to the verdict in the item: queue, probe, write",
    "read": "verdict in the item to the backend that polls it",
    "described": "listening to the address found by DescribeTasks",
    "answered": "address found to GET /health answered",
}
SHARES: Final = ("p50", "p95", "p99")
_KINDS: Final = ("polling", "reach_backend", "reach_functions")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the first column is words, the others are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def lags(results: Mapping[str, Any]) -> Grid:
    """Each system, and the stack against both others."""
    lag, times = results["lag_ms"], results["lag_ms"]["times_faster"]
    low, high = times["p50_95_percent"]
    bare = lag["times_the_pipeline"]
    bare_low, bare_high = bare["p50_95_percent"]
    return Grid(
        "From the agent listening to the backend knowing it",
        ("ms", *SHARES),
        (
            *((words, *(f"{lag[name][share]:.0f}" for share in SHARES)) for name, words in SYSTEMS.items()),
            (
                "times faster",
                f"{times['p50']:.1f} ({low:.1f} to {high:.1f})",
                f"{times['p95']:.1f}",
                f"{times['p99']:.1f}",
            ),
            ("times the bare pipeline", f"{bare['p50']:.2f} ({bare_low:.2f} to {bare_high:.2f})", "", ""),
        ),
    )


def stages(results: Mapping[str, Any]) -> Grid:
    """Where the time goes, for each system."""
    return Grid(
        "Where the time goes",
        ("ms", "min", "p50", "p99"),
        tuple(
            (f"{SYSTEMS[name]}: {STAGES[stage]}", *(f"{spread[share]:.0f}" for share in ("min", "p50", "p99")))
            for name, found in results["stages_ms"].items()
            for stage, spread in found.items()
        ),
    )


def calls(results: Mapping[str, Any]) -> Grid:
    """The calls of one life."""
    life = results["calls_of_a_life"]
    made = sorted({call for kind in _KINDS for call in life[kind]})
    events = f"{life['events_delivered']:g}"
    return Grid(
        f"Calls of one life: started, healthy for {life['healthy_seconds']:g} s, stopped, ended",
        ("call", "polling start", "this stack: backend", "this stack: functions"),
        (
            *((call, *(f"{life[kind][call]:g}" if call in life[kind] else "-" for kind in _KINDS)) for call in made),
            ("events delivered to a function", "-", "-", events),
        ),
    )
