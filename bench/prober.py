"""What the prober takes of a processor, beside a bare asyncio loop that asks the same agents; its lag and its memory.

Each number of agents has a worker process of its own, so that its memory is its own. Both sides are measured by turns
in that process, in CPU seconds, so a busy machine slows both.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.prober_processes import Measured, Moment, Pair, agents, worker
from bench.rows import Result, Row, Say, at_most
from core.model.policy import Policy

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

AGENTS: Final = (1, 10, 100, 1000)
TIMES: Final = 3.0
"""Of a bare loop's CPU."""
ROUNDS: Final = 3
"""Of which the best counts for the lag: what else runs on the machine only adds to it."""
LISTENING_AFTER: Final = 2.0
"""Seconds from the first try to the agents listening, all at once."""
MEMORY: Final = 128.0
"""MB."""
_SPAWN: Final = multiprocessing.get_context("spawn")


def measure(say: Say) -> Result:
    """About a minute."""
    found: list[Measured] = []
    lags: list[float] = []
    for count in AGENTS:
        one, lag = _measured(count)
        found.append(one)
        lags.append(lag)
        say(f"{count:,} agents: {_ratio(one.probes):.2f} times a bare loop, the last verdict {lag * 1000:.0f} ms late")
    return Result(tuple(_rows(found, lags)), {"workers": [_document(*both) for both in zip(found, lags, strict=True)]})


def _measured(count: int) -> tuple[Measured, float]:
    """By a worker of so many agents, and the seconds from the agents listening to the last verdict."""
    to_worker, worker_end = _SPAWN.Pipe()
    with ExitStack() as ending:
        prober = _begun(ending, worker, count, worker_end)
        lags = [_lag(ending, to_worker) for _ in range(ROUNDS)]
        to_worker.send(None)
        found: Measured = to_worker.recv()
        prober.join()
    return found, min(lags)


def _lag(ending: ExitStack, to_worker: Connection) -> float:
    to_agents, agents_end = _SPAWN.Pipe()
    _begun(ending, agents, agents_end)
    to_worker.send(to_agents.recv())
    to_worker.recv()
    to_agents.send(LISTENING_AFTER)
    listening: float = to_agents.recv()
    moments: list[Moment] = to_worker.recv()
    return lag_of(listening, moments)


def lag_of(listening: float, moments: Sequence[Moment]) -> float:
    """Seconds until the last moment, without those in which the machine had no processor for the worker."""
    last, kept = moments[-1]
    before = max((moment for moment in moments if moment[0] <= listening), default=moments[0])
    return last - listening - (kept - before[1])


def _begun(ending: ExitStack, target: Callable[..., None], *arguments: Any) -> SpawnProcess:
    """A process that ends with the stack. Its end of the pipe is its own, so that its death shows as EOFError."""
    process = _SPAWN.Process(target=target, args=arguments, daemon=True)
    process.start()
    arguments[-1].close()
    ending.callback(process.join)
    ending.callback(process.kill)
    return process


def _rows(found: Sequence[Measured], lags: Sequence[float]) -> Iterable[Row]:
    for one in found:
        yield at_most(
            TIMES,
            "times the CPU of a bare asyncio loop",
            _ratio(one.probes),
            point="7",
            what=f"prober: a probe to its verdict, {_agents(one)} in one worker",
            measured=f"{_ratio(one.probes):.2f} x: {_both(one.probes)}",
            why=f"a verdict is two requests, a read and a write of the record; a bare loop takes {_both(one.probes)}",
        )
    refused = next(one for one in found if one.refusals)
    yield at_most(
        TIMES,
        "times the CPU of a bare asyncio loop",
        _ratio(refused.refusals),
        point="7",
        what=f"prober: a try that is refused, {_agents(refused)} in one worker",
        measured=f"{_ratio(refused.refusals):.2f} x: {_both(refused.refusals)}",
        why="the error is put into words with each try",
    )
    worst, last = max(zip(lags, found, strict=True), key=lambda both: both[0])
    yield at_most(
        Policy().probe_interval,
        "s from the agents listening to the last verdict",
        worst,
        point="7",
        what=f"prober: agents of one worker that listen in the same moment, {min(AGENTS)} to {max(AGENTS):,}",
        measured=f"{worst * 1000:.0f} ms with {_agents(last)}",
        why=f"{_agents(last)} take {last.agents * median(probe for _, probe in last.probes):.1f} s of CPU, the agents' "
        "own process not counted",
    )
    largest = max(found, key=lambda one: one.peak_bytes)
    yield at_most(
        MEMORY,
        "MB at the peak",
        largest.peak_bytes / 1e6,
        point="7",
        what=f"prober: memory of one worker, {min(AGENTS)} to {max(AGENTS):,} agents",
        measured=f"{largest.peak_bytes / 1e6:.0f} MB, the function's imports in it",
        why="each probe is two tasks of the loop",
    )


def _document(one: Measured, lag: float) -> dict[str, Any]:
    return {
        "agents": one.agents,
        **{f"{name}_us": _microseconds(pairs) for name, pairs in (("probe", one.probes), ("refusal", one.refusals))},
        "last_verdict_ms": round(lag * 1000, 1),
        "peak_mb": round(one.peak_bytes / 1e6, 1),
    }


def _microseconds(pairs: Sequence[Pair]) -> dict[str, float] | None:
    """Medians, and that of the pairs' ratios."""
    if not pairs:
        return None
    bare, prober = (median(side) * 1e6 for side in zip(*pairs, strict=True))
    return {"bare": round(bare), "prober": round(prober), "times": round(_ratio(pairs), 2)}


def _ratio(pairs: Sequence[Pair]) -> float:
    return median(prober / bare for bare, prober in pairs)


def _both(pairs: Sequence[Pair]) -> str:
    bare, prober = (median(side) * 1e6 for side in zip(*pairs, strict=True))
    return f"{prober:.0f} µs against {bare:.0f}"


def _agents(one: Measured) -> str:
    return f"{one.agents:,} {'agent' if one.agents == 1 else 'agents'}"
