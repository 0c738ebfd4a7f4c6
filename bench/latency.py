"""From the agent listening to the backend knowing it, in virtual time: this stack against the seed's polling start.

Both start the same containers in the same simulated AWS (`bench.virtual`): the same times of tasks and agents, the same
token buckets, the published latencies of each hop. Nothing depends on the machine.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any, Final

from bench.plot import lines
from bench.quantiles import quantile
from bench.rows import NEVER, Result, Row, Say, at_least, at_most
from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.minutes import STARTS_AT_ONCE, Lived, polling, reach

GOAL: Final = 10.0
WORLDS: Final = {1: 400, 100: 5, 1_000: 1, 10_000: 1}
"""How many minutes are lived, by the starts in each: as many starts as a p99 needs."""
UNBOUNDED: Final = 4_000
"""Starts in the minute of a backend that knows no such bound."""
SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
AGENTS: Final = {ms: Hop("", ((0.5, ms), (0.99, ms + 1)), "") for ms in (1, 100, 300, 1_000, 5_000)}
"""Agents that listen so many milliseconds after their task shows as RUNNING."""
STEADY: Final = 2.0
"""Times as much as one of a tenth as many may take: the caches of a processor are shared, and hold less of more. What
grows with the square would take ten times as much."""
PLOT: Final = "measurements-latency.svg"
_SPAWN: Final = multiprocessing.get_context("spawn")


def measure(say: Say) -> Result:
    """Every scale, in as many processes as there are processors: about two minutes."""
    work: dict[tuple[str, int], Future[Lived]] = {}
    with ProcessPoolExecutor(mp_context=_SPAWN, initializer=gc.disable) as pool:
        # The longest first.
        work["unbounded", UNBOUNDED] = pool.submit(reach, [1], UNBOUNDED, at_once=UNBOUNDED)
        for starts, worlds in sorted(WORLDS.items(), reverse=True):
            for name, system in (("reach", reach), ("polling", polling)):
                work[name, starts] = pool.submit(system, range(worlds), starts)
        for ms, agent in AGENTS.items():
            for name, system in (("reach", reach), ("polling", polling)):
                work[f"{name} agent", ms] = pool.submit(system, range(WORLDS[1] // 2), 1, agent)
        names = {one: name for name, one in work.items()}
        lived = {}
        for one in as_completed(names):
            name, number = names[one]
            lived[name, number] = one.result()
            say(f"{name} {number:,}: {_ms(quantile(one.result().lags, SHARES['p50']))} in the median")
    scales = {starts: (lived["reach", starts], lived["polling", starts]) for starts in WORLDS}
    agents = {ms: (lived["reach agent", ms], lived["polling agent", ms]) for ms in AGENTS}
    details = {
        "scales": [
            {"starts": starts, "minutes": WORLDS[starts], **_compared(*both)} for starts, both in scales.items()
        ],
        "agents": [{"ms": ms, **_compared(*both)} for ms, both in agents.items()],
        "unbounded": {"starts": UNBOUNDED, **_spread(lived["unbounded", UNBOUNDED])},
        "starts_at_once": STARTS_AT_ONCE,
    }
    rows = (*_rows(scales), _collapse(scales), *_engine({starts: ours for starts, (ours, _) in scales.items()}))
    return Result(rows, details, {PLOT: _plot(scales)})


def _rows(scales: Mapping[int, tuple[Lived, Lived]]) -> Iterable[Row]:
    for starts, (ours, theirs) in scales.items():
        for name, share in SHARES.items():
            if name == "p90":
                continue
            mine, other = quantile(ours.lags, share), quantile(theirs.lags, share)
            times = other / mine
            proven, read = quantile(ours.stages["proven"], share), quantile(ours.stages["read"], share)
            event = dict(hops.EVENT.quantiles)[share]
            yield at_least(
                GOAL,
                "times sooner",
                times,
                point="1",
                what=f"agent listening to the backend knowing it, {starts:,} {'start' if starts == 1 else 'starts'} "
                f"a minute, {name}",
                measured=f"{_ms(mine)}; the polling start gave up"
                if times == NEVER
                else f"{times:.1f} x: {_ms(mine)} against {_ms(other)}",
                why=f"EventBridge alone takes {event:g} ms at {name} (published), a tenth of the polling start's is "
                f"{_ms(other / GOAL)}; from listening to the verdict {_ms(proven)}, from there to the read {_ms(read)}",
            )


def _collapse(scales: Mapping[int, tuple[Lived, Lived]]) -> Row:
    alone, crowd = scales[1][1], scales[100][1]
    one, many = quantile(alone.lags, SHARES["p99"]), quantile(crowd.lags, SHARES["p99"])
    refused = crowd.counts["throttled"] / crowd.counts["describes"]
    return at_least(
        2,
        "times as late as alone",
        many / one,
        point="1",
        what="the polling start's collapse at 100 starts a minute, p99",
        measured=f"{many / one:.1f} x: {_ms(many)} against {_ms(one)}; {refused:.0%} of its DescribeTasks refused",
        why="the bucket of DescribeTasks holds",
    )


def _engine(ours: Mapping[int, Lived]) -> Iterable[Row]:
    """Whether core and simulated AWS carry the most starts, and what each takes of the processor then."""
    most, fewer = max(ours), sorted(ours)[-2]
    found, repeated = len(ours[most].lags), ours[most].counts["repeated_starts"]
    each, before = (ours[starts].cpu_seconds / starts for starts in (most, fewer))
    yield at_least(
        most,
        "agents found",
        found,
        point="9",
        what=f"{most:,} starts in a minute through core and simulated AWS",
        measured=f"{found:,} of {most:,}; {repeated:,.0f} starts were throttled, and were sent again",
        why="ECS takes 20 RunTask a second",
    )
    yield at_most(
        STEADY,
        "times the processor time of a start",
        each / before,
        point="9",
        what=f"starts through core and simulated AWS: {most:,} against {fewer:,}",
        measured=f"{each / before:.2f} x: {each * 1e3:.1f} ms, {before * 1e3:.1f} ms",
        why="more items and threads than the processor's caches hold",
    )


def _compared(ours: Lived, theirs: Lived) -> dict[str, Any]:
    return {"reach": _spread(ours), "polling": _spread(theirs)}


def _spread(lived: Lived) -> dict[str, Any]:
    """Milliseconds; None for never."""
    return {
        **{name: _json(quantile(lived.lags, share)) for name, share in SHARES.items()},
        "stages": {
            stage: {name: _json(quantile(seconds, share)) for name, share in SHARES.items()}
            for stage, seconds in lived.stages.items()
        },
        **({"cpu_seconds": round(lived.cpu_seconds, 1)} if lived.cpu_seconds else {}),
        "counts": {name: round(count, 3) for name, count in lived.counts.items()},
    }


def _plot(scales: Mapping[int, tuple[Lived, Lived]]) -> str:
    series = {}
    for title, side in (("this stack", 0), ("polling start", 1)):
        for starts, both in scales.items():
            points = [(percent, quantile(both[side].lags, percent / 100)) for percent in range(2, 101, 2)]
            series[f"{title}, {starts:,}"] = [(percent, lag) for percent, lag in points if lag != NEVER]
    return lines(
        "From the agent listening to the backend knowing it, by starts a minute",
        x_title="percent of starts",
        y_title="s",
        series=series,
    )


def _json(seconds: float) -> float | None:
    return None if seconds == NEVER else round(seconds * 1000, 1)


def _ms(seconds: float) -> str:
    """`188 ms`, `24.5 s`, or `never`."""
    if seconds == NEVER:
        return "never"
    return f"{seconds * 1000:.0f} ms" if seconds < GOAL else f"{seconds:.0f} s"
