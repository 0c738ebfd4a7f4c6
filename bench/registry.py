"""The benchmarks by name, in the order of the table. Each is `measure` of its module, imported when it is run."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from bench.rows import Benchmark

MODULES: Final = {
    "latency": "bench.latency",
    "local-cloud": "bench.local_cloud.run",
    "writes": "bench.writes",
    "waiting": "bench.waiting",
    "cost": "bench.cost",
    "cold-start": "bench.cold_start",
    "handler-cpu": "bench.handler_cpu",
    "prober": "bench.prober",
    "early-probe": "bench.early_probe",
    "reconcile": "bench.reconcile",
}


def benchmark(name: str) -> Benchmark:
    """Raises `KeyError` for a name that is not there."""
    return cast("Benchmark", import_module(MODULES[name]).measure)
