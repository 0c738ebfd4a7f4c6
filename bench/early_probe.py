"""What early probes gain and cost, in virtual time: the same starts with `EarlyProbe` on and off.

The start times of one image are assumed to spread by `SPREAD` (of their logarithm), because nothing is published; and
to spread as those of the published tasks, of several images, as the worst case. The rule for the default: `EarlyProbe`
is on if it takes a larger share off the average delay than it adds to the price of a life.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from math import exp
from statistics import NormalDist, fmean
from typing import Any, Final

from bench.quantiles import quantile
from bench.rows import Result, Row, Say, at_least
from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.minutes import Lived, reach
from docs import costs
from docs.counted import memory
from docs.measured import measured
from tests.factories import SETTINGS

ON: Final = replace(SETTINGS, early_probe=True)
SPREAD: Final = 0.15
_P50: Final = dict(hops.TASK.quantiles)[0.5]
IMAGE: Final = Hop(
    "", ((0.5, _P50), (0.99, _P50 * exp(SPREAD * NormalDist().inv_cdf(0.99)))), "assumed (docs/measurements.md)"
)
WORLDS: Final = {(1, True): 200, (1, False): 200, (100, True): 4, (1000, True): 1}
"""How many minutes are lived, by the starts in each and whether they are all of one image."""
EARLIER: Final = 200
"""Starts of the image before, with which the start times are learnt."""
SHARES: Final = {"p50": 0.5, "p99": 0.99}
LIFE: Final = 60.0
"""Seconds for which a container is healthy, of the life that is compared."""
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Compared:
    """Without early probes and with them."""

    starts: int
    one_image: bool
    off: Lived
    on: Lived

    @property
    def gain(self) -> float:
        """The share that is taken off the average delay; negative where it becomes longer."""
        return 1 - fmean(self.on.lags) / fmean(self.off.lags)

    @property
    def added(self) -> Mapping[str, float]:
        """Dollars for a million lives, by what they are for."""
        return {name: dollars - _dollars(self.off)[name] for name, dollars in _dollars(self.on).items()}

    @property
    def cost(self) -> float:
        """The share that is added to the price of a life."""
        return sum(self.added.values()) / (costs.MILLION * costs.total(costs.life(LIFE)))

    @property
    def seconds(self) -> tuple[float, float]:
        """Of the prober for each start, without and with."""
        off, on = (one.counts["AgentHealthFunction seconds"] / len(one.lags) for one in (self.off, self.on))
        return off, on


def measure(say: Say) -> Result:
    """Some minutes, in as many processes as there are processors."""
    work: dict[tuple[int, bool], list[Future[Lived]]] = {}
    with ProcessPoolExecutor(mp_context=_SPAWN, initializer=gc.disable) as pool:
        for (starts, one_image), worlds in WORLDS.items():
            task = IMAGE if one_image else hops.TASK
            work[starts, one_image] = [
                pool.submit(reach, range(worlds), starts, settings=settings, task=task, earlier=EARLIER)
                for settings in (SETTINGS, ON)
            ]
        found = []
        for (starts, one_image), both in work.items():
            one = Compared(starts, one_image, *(future.result() for future in both))
            found.append(one)
            say(f"{_what(one)}: {one.gain:.0%} off the delay, {one.cost:.0%} on top of the price")
    return Result(tuple(_rows(found)), {"scales": [_document(one) for one in found]})


def _rows(found: Iterable[Compared]) -> Iterable[Row]:
    for one in found:
        largest = max(one.added, key=lambda name: one.added[name])
        off, on = one.seconds
        yield at_least(
            1,
            "% off the average delay for each % on top of the price of a life",
            one.gain / one.cost,
            point="8",
            what=f"early probes, {_what(one)}",
            measured=f"{-one.gain:+.0%} of the delay, {one.cost:+.0%} of the price: {_ms(one.off)} to {_ms(one.on)} "
            f"(p50), ${sum(one.added.values()):+.2f} for a million lives",
            why=f"so EarlyProbe is off by default. Start times spread, so a prober waits {on:.1f} s a start instead "
            f"of {off:.2f}: {largest} ${one.added[largest]:+.2f}"
            + ("; and a prober that waits is not there for others" if one.gain < 0 else ""),
        )


def _dollars(lived: Lived) -> dict[str, float]:
    """For a million lives: what differs with early probes."""
    starts, counts = len(lived.lags), lived.counts
    functions = [name.removesuffix(" invocations") for name in counts if name.endswith(" invocations")]
    invocations = sum(counts[f"{name} invocations"] for name in functions)
    life = measured().life
    logs = invocations * life.log_bytes / life.invocations.total() / 1e9
    lines = (
        costs.Line("requests", invocations, "request"),
        costs.Line(
            "Lambda time",
            sum(counts[f"{name} seconds"] * memory(name) / 1024 for name in functions),
            "time",
        ),
        costs.Line("writes", counts["write_units"] + counts["start times written"], "write"),
        # An event reads its item, and so does a batch of the prober's for each message.
        costs.Line(
            "reads of the functions",
            counts["TaskStateFunction invocations"] + counts["messages"] + counts["start times read"] / 2,
            "read",
        ),
        costs.Line("reads of the backend", counts["read_units"], "read"),
        costs.Line("SQS", 3 * counts["messages"], "queue"),
        costs.Line("logs", logs, "log"),
    )
    return {line.what: costs.MILLION * line.dollars / starts for line in lines}


def _document(one: Compared) -> dict[str, Any]:
    off, on = one.seconds
    return {
        "starts": one.starts,
        "what": _what(one),
        **{name: _spread(lived) for name, lived in (("off", one.off), ("on", one.on))},
        "prober_seconds": {"off": round(off, 3), "on": round(on, 3)},
        "added_dollars": {name: round(dollars, 2) for name, dollars in one.added.items()},
        "gain": round(one.gain, 3),
        "cost": round(one.cost, 3),
    }


def _spread(lived: Lived) -> dict[str, float]:
    """Milliseconds; each per start."""
    counts, starts = lived.counts, len(lived.lags)
    return {
        "mean": round(fmean(lived.lags) * 1000, 1),
        **{name: round(quantile(lived.lags, share) * 1000, 1) for name, share in SHARES.items()},
        "invocations": round(sum(count for name, count in counts.items() if name.endswith(" invocations")) / starts, 2),
        "start times written": round(counts["start times written"] / starts, 2),
    }


def _what(one: Compared) -> str:
    of = f"one image (spread {SPREAD:g})" if one.one_image else "several images (published times)"
    return f"{one.starts:,} {'start' if one.starts == 1 else 'starts'} a minute of {of}"


def _ms(lived: Lived) -> str:
    return f"{quantile(lived.lags, SHARES['p50']) * 1000:,.0f} ms"
