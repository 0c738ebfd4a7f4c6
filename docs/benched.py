"""What docs/measurements.md shows of bench/results.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bench import results
from bench.cold_start import LONG, REASONS
from bench.local_cloud import tables
from bench.registry import MODULES
from bench.virtual.hops import HOPS

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Head and rows."""


def goals() -> Table:
    """Every row of every benchmark; what explains a failure stands in the last column."""
    measured = results.read()
    rows: list[tuple[str, ...]] = [
        (
            one.point,
            one.what,
            one.goal,
            one.measured,
            "" if one.ratio is None else f"{one.ratio:.2f}",
            "pass" if one.passed else f"**fail**: {one.why}",
        )
        for name in MODULES
        if name in measured
        for one in results.rows(measured[name])
    ]
    return ("point", "what", "goal", "measured", "of the goal", ""), rows


def machines() -> Table:
    """When and on what each benchmark ran."""
    rows: list[tuple[str, ...]] = []
    for name, one in results.read().items():
        machine = one["machine"]
        described = (
            f"{machine['processors']} x {machine['processor']}, {machine['memory_gib']:g} GiB, {machine['system']}, "
            f"Python {machine['python']}"
        )
        rows.append((f"`--only {name}`", one["at"][:10], f"{one['seconds']} s", described))
    return ("benchmark", "on", "took", "machine"), rows


def hops() -> Table:
    """The latencies that virtual time is made of."""
    return ("hop", "ms", "source"), [
        (one.what, ", ".join(f"{ms:,g} (p{share * 100:g})" for share, ms in one.quantiles), one.source) for one in HOPS
    ]


def latency() -> Table:
    """Both systems at every scale: p50, p90, p99."""
    rows: list[tuple[str, ...]] = []
    for one in _details("latency")["scales"]:
        polled = one["polling"]["counts"]
        rows.append(
            (
                f"{one['starts']:,}",
                _quantiles(one["reach"]),
                _quantiles(one["reach"]["stages"]["proven"]),
                f"{one['reach']['counts']['read_units'] / one['starts'] / one['minutes']:.0f}",
                _quantiles(one["polling"]),
                f"{polled['throttled'] / polled['describes']:.0%}",
                f"{polled['failed'] / one['starts'] / one['minutes']:.0%}",
            )
        )
    head = ("starts a minute", "this stack", "of it until the verdict", "RRU a start", "polling start")
    return (*head, "of its DescribeTasks refused", "of its starts given up"), rows


def agents() -> Table:
    """Both systems by how long an agent needs."""
    return ("agent listens after RUNNING", "this stack", "polling start", "times sooner, p50 and p99"), [
        (
            f"{one['ms']:,} ms",
            _quantiles(one["reach"]),
            _quantiles(one["polling"]),
            " and ".join(f"{one['polling'][share] / one['reach'][share]:.1f}" for share in ("p50", "p99")),
        )
        for one in _details("latency")["agents"]
    ]


def bound() -> str:
    """What a backend without a bound on its starts does to itself, in a sentence."""
    found = _details("latency")
    one, counts = found["unbounded"], found["unbounded"]["counts"]
    return (
        f"{one['starts']:,} starts in a minute of a backend that sends them all at once: {counts['concurrency']:,.0f} "
        f"concurrent executions, {counts['TaskStateFunction throttled']:,.0f} throttled deliveries of events, and "
        f"{_quantiles(one)} ms (p50, p90, p99) from the agent listening to the backend knowing it. With "
        f"{found['starts_at_once']} under way at most it is as the table says."
    )


def steps() -> Table:
    """What each event of a life reads and writes."""
    head = ("event", "function", "reads of the item", "writes", "WRU", "WRU of the index", "bytes of the item after it")
    rows: list[tuple[str, ...]] = [
        (
            one["what"],
            one["function"].removesuffix("Function"),
            f"{one['calls'].get('read of an item', 0)}: {one['reads']:g} RRU",
            f"{one['calls'].get('write of an item', 0)}",
            f"{one['writes']}",
            f"{one['index']}",
            f"{one['item_bytes']:,}",
        )
        for one in _details("writes")["steps"]
    ]
    return head, rows


def waits() -> Table:
    """What the backend's wait costs, and how late it is."""
    head = ("containers", "RRU of each", "calls of each", "ms late, p50 / p90 / p99")
    return head, [
        (one["waiters"], f"{one['units']:g}", f"{one['calls']:g}", _quantiles(one))
        for one in _details("waiting")["waits"]
    ]


def reconcile() -> Table:
    """The safety net by the number of containers."""
    head = ("containers", "minutes", "looks", "calls", "ms of a look", "MiB of a run", "leak finder: tasks listed")
    return head, [
        (
            f"{one['containers']:,}",
            f"{one['minutes']}",
            f"{one['looks']:,}",
            ", ".join(f"{number:,} {call}" for call, number in one["calls"].items()),
            f"{one['cpu_ms_of_a_look']:.2f}",
            f"{one['peak_mib_of_a_run']:.1f}",
            f"{one['leak_finder']['listed']:,} with {one['leak_finder']['reads']} reads"
            + (f" (stopped: {one['leak_finder']['stopped']})" if one["leak_finder"]["stopped"] else ""),
        )
        for one in _details("reconcile")["sizes"]
    ]


def cold_starts() -> Table:
    """The steps of a cold start, and the bare function's beside them; CPU milliseconds."""
    head = (
        "function",
        "imports",
        "clients",
        "first event",
        "second event",
        "bare function, to its first answer",
        "times",
    )
    rows: list[tuple[str, ...]] = []
    for one in _details("cold-start")["functions"]:
        ours, bare = one["ours"], one["bare"]
        first = sum(bare[step] for step in ("imports", "clients", "first event"))
        steps = (ours[step] for step in ("imports", "clients", "first event", "second event"))
        rows.append((one["function"], *(f"{1000 * seconds:.0f}" for seconds in (*steps, first)), f"{one['ratio']:.2f}"))
    return head, rows


def imports() -> Table:
    """Packages that take long to import, by function, with the reason of each."""
    measured = _details("cold-start")["functions"]
    long = dict.fromkeys(name for one in measured for name, seconds in one["imports"].items() if seconds > LONG)
    return ("package", *(one["function"].removesuffix("Function") for one in measured), "why"), [
        (name, *(f"{1000 * one['imports'].get(name, 0):.0f}" for one in measured), REASONS.get(name, ""))
        for name in long
    ]


def handlers() -> Table:
    """What an event costs each function, and its calls alone; CPU milliseconds."""
    return ("event", "function", "calls", "the function", "the calls alone", "times"), [
        (
            one["scene"],
            one["function"],
            ", ".join(one["calls"]),
            f"{one['handler_ms']:.2f}",
            f"{one['bare_ms']:.2f}",
            f"{one['ratio']:.2f}",
        )
        for one in _details("handler-cpu")["functions"]
    ]


def prober() -> Table:
    """What a worker takes for its agents, and a bare loop for the same."""
    head = ("agents", "CPU of a probe", "of a refused try", "last verdict after all listen", "memory at the peak")
    return head, [
        (
            f"{one['agents']:,}",
            _against(one["probe_us"]),
            _against(one["refusal_us"]) if one["refusal_us"] else "",
            f"{one['last_verdict_ms']:,.0f} ms",
            f"{one['peak_mb']:.0f} MB",
        )
        for one in _details("prober")["workers"]
    ]


def early() -> Table:
    """What early probes change, by the starts a minute."""
    head = (
        "starts",
        "ms late without, average / p50 / p99",
        "with",
        "prober seconds a start",
        "invocations a start",
        "price",
        "delay",
    )
    return head, [
        (
            one["what"],
            *(" / ".join(f"{one[side][name]:,.0f}" for name in ("mean", "p50", "p99")) for side in ("off", "on")),
            f"{one['prober_seconds']['off']:.2f} to {one['prober_seconds']['on']:.2f}",
            f"{one['off']['invocations']:.1f} to {one['on']['invocations']:.1f}",
            f"${sum(one['added_dollars'].values()):+.2f}: {one['cost']:+.0%}",
            f"{-one['gain']:+.0%}",
        )
        for one in _details("early-probe")["scales"]
    ]


def local_cloud(grid: Callable[[Any], tables.Grid]) -> Table:
    """A table of the run on the laptop cloud."""
    found = grid(_details("local-cloud"))
    return found.head, list(found.rows)


def parts(table: Callable[[tuple[str, ...], Iterable[tuple[str, ...]]], str]) -> dict[str, Callable[[], str]]:
    """The parts of docs/measurements.md by name, each a table that `table` writes."""
    made: dict[str, Callable[[], Table]] = {
        "goals": goals,
        "machines": machines,
        "latency": latency,
        "agents": agents,
        "hops": hops,
        "steps": steps,
        "waits": waits,
        "reconcile": reconcile,
        "cold-starts": cold_starts,
        "imports": imports,
        "handlers": handlers,
        "prober": prober,
        "early": early,
        **{f"local-{grid.__name__}": partial(local_cloud, grid) for grid in (tables.lags, tables.stages, tables.calls)},
    }
    return {name: partial(_written, table, one) for name, one in made.items()} | {"bound": bound}


def _written(table: Callable[[tuple[str, ...], Iterable[tuple[str, ...]]], str], made: Callable[[], Table]) -> str:
    return table(*made())


def _quantiles(spread: Any) -> str:
    return " / ".join("never" if spread[name] is None else f"{spread[name]:,.0f}" for name in ("p50", "p90", "p99"))


def _against(cpu: Any) -> str:
    return f"{cpu['prober']} µs against {cpu['bare']}: {cpu['times']:.1f} x"


def _details(name: str) -> Any:
    return results.read()[name]["details"]
