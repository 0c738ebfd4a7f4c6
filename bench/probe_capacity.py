"""How many probes does one worker of the prober hold? Memory, CPU and lag of N simultaneous probes in one process.

The worker runs the engine and the HTTP adapter as AgentHealthFunction does, with the imports of the function and
with Lambda's 1,024 descriptors, against agents in another process. Records come from memory: DynamoDB is not in it.
`--cpu-share` lets the worker run for that share of every 20 ms only, as a function with little memory has it
(Lambda: 1,769 MB are one vCPU, so 256 MB are 0.145 of one).

    PYTHONPATH=src python -m bench.probe_capacity --probes 1000 --cpu-share 0.145 --json capacity.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from bench.probe_processes import agents, worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SPAWN: Final = multiprocessing.get_context("spawn")
PERIOD: Final = 0.02

SCENARIOS: Final = {
    "ready": "every agent answers at once",
    "late": "all refuse, then listen in the same moment",
    "refused": "nothing ever listens",
    "stuck": "connections are accepted and never answered",
}


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Of one scenario. Lag: milliseconds from the moment an agent listens to the moment its verdict is reported."""

    scenario: str
    probes: int
    seconds: float
    tries: int
    cpu_seconds: float
    cpu_us_per_try: float
    lag_p50_ms: float | None
    lag_p99_ms: float | None
    imported_mib: float
    peak_mib: float
    most_descriptors: int
    outcomes: dict[str, int]
    last_errors: dict[str, int]


def measure(scenario: str, *, probes: int, timeout: float, share: float) -> Measurement:
    """One scenario in processes of its own, so that its memory is its own."""
    to_agents, agents_end = SPAWN.Pipe()
    to_worker, worker_end = SPAWN.Pipe()
    server = SPAWN.Process(target=agents, args=(scenario, timeout / 2, agents_end), daemon=True)
    server.start()
    prober = SPAWN.Process(target=worker, args=(scenario, probes, timeout, to_agents.recv(), worker_end), daemon=True)
    prober.start()
    try:
        to_worker.recv()
        to_agents.send("go")
        listening = None if scenario == "late" else to_agents.recv()
        to_worker.send("go")
        _throttle(prober.pid or 0, share, to_worker)
        found: dict[str, Any] = to_worker.recv()
        listening = listening or to_agents.recv()
    finally:
        prober.kill()
        server.kill()
        prober.join()
        server.join()
    since = max(listening, found.pop("began"))
    lags = sorted((instant - since) * 1000 for instant in found.pop("answered"))
    percent = quantiles(lags, n=100) if len(lags) > 1 else None
    return Measurement(
        lag_p50_ms=round(percent[49], 1) if percent else None,
        lag_p99_ms=round(percent[98], 1) if percent else None,
        **found,
    )


def _throttle(pid: int, share: float, until_readable: Connection) -> None:
    """Lets the process run for `share` of each period until it has something to say."""
    while share < 1 and not until_readable.poll(share * PERIOD):
        os.kill(pid, signal.SIGSTOP)
        time.sleep((1 - share) * PERIOD)
        os.kill(pid, signal.SIGCONT)


def main() -> None:
    """Runs the scenarios, prints a table, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=1000, help="simultaneous probes in the worker (1000)")
    parser.add_argument("--timeout", type=float, default=10, help="seconds until a silent agent's verdict (10)")
    parser.add_argument("--cpu-share", type=float, default=1, help="of one CPU, for the worker (1)")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements there, too")
    asked = parser.parse_args()
    measured = [
        measure(scenario, probes=asked.probes, timeout=asked.timeout, share=asked.cpu_share)
        for scenario in asked.scenario or SCENARIOS
    ]
    print(f"{asked.probes} probes in one process, {asked.cpu_share:g} of a CPU, deadline after {asked.timeout:g} s")
    print("scenario   tries  wall s   cpu s  us/try  lag p50  lag p99   peak MiB  (imports)  descriptors  ended")
    for one in measured:
        lags = [f"{lag:8.0f}" if lag is not None else "       -" for lag in (one.lag_p50_ms, one.lag_p99_ms)]
        print(
            f"{one.scenario:8} {one.tries:7} {one.seconds:7.2f} {one.cpu_seconds:7.2f} {one.cpu_us_per_try:7} "
            f"{lags[0]} {lags[1]} {one.peak_mib:10.1f} {one.imported_mib:10.1f} {one.most_descriptors:12}  "
            f"{one.outcomes} {one.last_errors or ''}"
        )
    if asked.json:
        scenarios = [asdict(one) for one in measured]
        result = {"cpu_share": asked.cpu_share, "timeout": asked.timeout, "scenarios": scenarios}
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
