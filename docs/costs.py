"""What the stack costs: units that are counted, times list prices. Everything that docs/operations.md says of money.

Units come from the template (alarms, schedules, sizes of functions, retentions), from `docs.measured` (a life and idle
runs through the functions' own handlers), from virtual time (how long a start's functions run), and from `ASSUMED`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from bench.polling_backend import DESCRIBE_INTERVAL, LIFE_INTERVAL
from bench.virtual.one_start import durations, read_units
from core.model.failure import Cause, ErrorCode
from core.model.policy import Policy
from docs.counted import default, event_sources, memory, resources, runs_a_month, schedules, watched
from docs.measured import measured
from docs.prices import (
    ASSUMED,
    DAYS,
    HOURS,
    KEY_REQUESTS_AN_HOUR,
    POLLERS,
    POLLS_A_MINUTE,
    PRICES,
    WAIT_SECONDS,
)
from docs.waiting import wait_units

LIVES: Final = {"1 minute": 60.0, "1 hour": 3600.0}
"""Of which the cost is told: how long a container is healthy."""
FEW: Final = 20
"""Fewer units are shown with their fractions."""
MILLION: Final = 1_000_000
REFUSALS: Final = {ErrorCode.INVALID_REQUEST, ErrorCode.ALREADY_RUNNING, ErrorCode.NOT_FOUND}
"""Codes of answers; no record has them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what is paid for, how many units of it, and at which price."""

    what: str
    amount: float
    price: str

    @property
    def dollars(self) -> float:
        """The product."""
        price = PRICES[self.price]
        return self.amount * price.dollars / price.per


def standing() -> list[Line]:
    """A month of the stack in which nothing happens."""
    idle, runs = (
        measured().runs,
        {name: runs_a_month(one["ScheduleExpression"]) for name, (_, one) in schedules().items()},
    )
    total = sum(runs.values())
    logs = sum(runs[name] * used.log_bytes for name, used in idle.items()) / 1e9
    always = set().union(*(used.metrics for used in idle.values()))
    polls = len(event_sources("SQS")) * POLLERS * POLLS_A_MINUTE * 60 * HOURS
    return [
        Line(f"metrics that are always sent: {_named(always)}", len(always), "metric"),
        Line(
            "alarms, by the metrics that they look at",
            sum(map(watched, resources("AWS::CloudWatch::Alarm"))),
            "alarm",
        ),
        Line("the dashboard", len(resources("AWS::CloudWatch::Dashboard")), "dashboard"),
        Line(f"idle polling of the probe queue: {POLLERS} pollers, {POLLS_A_MINUTE} times a minute", polls, "queue"),
        Line("runs of the schedules", total, "schedule"),
        Line("the functions they invoke: requests", total, "request"),
        Line(
            "the functions they invoke: time",
            sum(runs[name] * _gigabyte_seconds(used.invocations) for name, used in idle.items()),
            "time",
        ),
        Line("their reads of the index", sum(runs[name] * used.reads for name, used in idle.items()), "read"),
        Line("their logs", logs, "log"),
        Line("their logs, kept", logs * default("LogRetentionDays") / DAYS, "kept log"),
        Line("the table's key (AWS managed): one caller", KEY_REQUESTS_AN_HOUR * HOURS, "key"),
    ]


def with_traffic() -> list[Line]:
    """What comes to `standing` for a month in every hour of which containers are started."""
    more = measured().life.metrics - set().union(*(used.metrics for used in measured().runs.values()))
    callers = len(measured().life.invocations) + 1
    return [
        Line(f"metrics of containers that live and end well: {_named(more)}", len(more), "metric"),
        Line(
            f"the table's key: {callers} callers more, the backend among them",
            callers * KEY_REQUESTS_AN_HOUR * HOURS,
            "key",
        ),
    ]


def life(healthy_seconds: float) -> list[Line]:
    """One container: started, healthy for so long, stopped by the backend, ended, forgotten."""
    used = measured().life
    invoked = ", ".join(
        f"{number} {name.removesuffix('Function')}" for name, number in sorted(used.invocations.items())
    )
    kept = used.item_bytes / 1e9 * default("RecordRetentionDays") / DAYS
    logs = used.log_bytes / 1e9
    writes, reads = looks(healthy_seconds)
    return [
        Line(f"Lambda requests: {invoked}", used.invocations.total(), "request"),
        Line("Lambda time, the prober's waiting in it", _gigabyte_seconds(used.invocations), "time"),
        Line("DynamoDB: writes, with those of the index", used.writes, "write"),
        Line("DynamoDB: reads of the functions", used.reads, "read"),
        Line("DynamoDB: reads of the backend, which waits for the agent", read_units(), "read"),
        Line("DynamoDB: writes of the reconciler's looks", writes, "write"),
        Line("DynamoDB: reads of the three schedules", reads, "read"),
        Line("DynamoDB: the item, kept", kept, "table"),
        Line("DynamoDB: the item, in point-in-time recovery", kept, "recovery"),
        Line("SQS: send, receive, delete", used.messages, "queue"),
        Line("logs of the functions", logs, "log"),
        Line("logs of the functions, kept", logs * default("LogRetentionDays") / DAYS, "kept log"),
    ]


def looks(healthy_seconds: float) -> tuple[float, float]:
    """WRU and RRU of the safety net for a container that is healthy for so long.

    The reconciler's first look comes after half an interval to one and a half (`core.machine.schedule`).
    """
    first = {"EveryMinute": Policy().healthy_check / 2}
    every = {name: HOURS * 3600 / runs_a_month(one["ScheduleExpression"]) for name, (_, one) in schedules().items()} | {
        "EveryMinute": Policy().healthy_check
    }
    often = {name: max(0.0, healthy_seconds - first.get(name, 0)) / seconds for name, seconds in every.items()}
    used = measured().staying
    return (
        sum(often[name] * one.writes for name, one in used.items()),
        sum(often[name] * one.reads for name, one in used.items()),
    )


def staying() -> list[Line]:
    """A month of one container that stays healthy: the safety net looks at it again and again."""
    writes, reads = looks(HOURS * 3600)
    return [
        Line("DynamoDB: writes of the reconciler", writes, "write"),
        Line("DynamoDB: reads of the three schedules", reads, "read"),
    ]


def polling_describes(healthy_seconds: float) -> float:
    """DescribeTasks that a polling start makes for one life. AWS charges nothing for them, and bounds their rate."""
    return WAIT_SECONDS / DESCRIBE_INTERVAL + healthy_seconds / LIFE_INTERVAL


def lives() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A million lives by component, of each of `LIVES`; the polling start beside them. Head and rows."""
    tables = [life(seconds) for seconds in LIVES.values()]
    rows = [
        (same[0].what, str(PRICES[same[0].price]), *(f"{_amount(one)}: ${MILLION * one.dollars:.2f}" for one in same))
        for same in zip(*tables, strict=True)
    ]
    sums = (f"**${MILLION * total(lines):.2f}**" for lines in tables)
    polled = (f"{polling_describes(seconds):,.0f} DescribeTasks a life: $0.00" for seconds in LIVES.values())
    head = ("what", "price", *(f"healthy for {name}: units of a life, a million lives" for name in LIVES))
    return head, [*rows, ("**sum**", "", *sums), ("the polling start instead", "free, 20 a second", *polled)]


def wait_reads(seconds: float) -> int:
    """RRU of `core.client`'s wait for a start of so many seconds, of an image that it knows."""
    return round(wait_units(seconds))


def unhappy_metrics() -> tuple[str, ...]:
    """Names of metrics that neither an idle stack nor a life without trouble sends."""
    sources = (Path(__file__).parents[1] / "src" / "handlers").glob("*.py")
    pattern = r'(?:\bcount\(|\badd_metric\(|\bsingle_metric\(\s*name=)"(\w+)"'
    named = {name for file in sources for name in re.findall(pattern, file.read_text())}
    sent = measured().life.metrics.union(*(used.metrics for used in measured().runs.values()))
    return tuple(sorted(named - {name for name, *_ in sent}))


def facts() -> str:
    """What a reader asks of the tables, in sentences with their figures."""
    metric, used = PRICES["metric"].dollars, measured().life
    idle, busy = total(standing()), total(standing()) + total(with_traffic())
    silent = Line("", memory("AgentHealthFunction") / 1024 * Policy().health_timeout, "time").dollars
    codes, causes = len(ErrorCode) - len(REFUSALS), len(Cause)
    return f"""\
- A stack without containers costs ${idle:.2f} a month, and ${busy:.2f} when some are started in every hour, without
  their lives.
- The largest item of a life has {used.item_bytes:,} bytes, its logs have {used.log_bytes / 1000:.0f} KB. A container
  that stays healthy for a month costs ${total(staying()):.3f} more.
- An agent that never answers keeps its prober for {Policy().health_timeout:g} s: ${silent:.5f}, less when it shares
  the invocation with others.
- {_words(unhappy_metrics())} are sent when something is amiss. CloudWatch charges a metric for the
  hours in which it gets data: ${metric / HOURS:.4f} an hour for each set of dimensions, ${metric:.2f} for a month.
  `Failed` has up to {codes * causes} sets ({codes} codes x {causes} causes), and pays for those that occur: a kind of
  failure that shows in ten hours of a month costs ${10 * metric / HOURS:.3f}. That is worth it, because the kind is
  what an operator looks for first."""


def seconds(function: str) -> float:
    """Of one invocation."""
    return {**ASSUMED, **durations()}[function]


def total(lines: Iterable[Line]) -> float:
    """Dollars."""
    return sum(line.dollars for line in lines)


def prices_table() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows."""
    return ("price", "page"), [(str(one), f"aws.amazon.com/{one.page}") for one in PRICES.values()]


def table(lines: list[Line], period: str, digits: int) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows, with the sum in the last one."""
    rows = [(one.what, _amount(one), str(PRICES[one.price]), f"${one.dollars:.{digits}f}") for one in lines]
    return ("what", "count", "price", period), [*rows, ("**sum**", "", "", f"**${total(lines):.{digits}f}**")]


def _amount(line: Line) -> str:
    """Bytes in whole KB or MB: a page that changed with each letter of a log line would tell nobody more."""
    unit = PRICES[line.price].unit
    if unit.startswith("GB-month"):
        return f"{_size(line.amount)}-month"
    if unit.startswith("GB of"):
        return _size(line.amount)
    whole = not unit.startswith("GB-s") and (line.amount >= FEW or line.amount == int(line.amount))
    return f"{line.amount:,.0f}" if whole else f"{line.amount:,.2f}"


def _size(gigabytes: float) -> str:
    for one, unit in ((1e-3, "MB"), (1e-6, "KB")):
        if gigabytes >= one:
            return f"{gigabytes / one:,.0f} {unit}"
    return "< 1 KB"


def _named(metrics: Iterable[tuple[str, ...]]) -> str:
    """Each name once; the values of its own dimension beside it."""
    values: dict[str, list[str]] = {}
    for name, *dimensions in sorted(metrics):
        values.setdefault(name, []).extend(
            one.partition("=")[2] for one in dimensions if not one.startswith("service=")
        )
    return _words(f"{name} ({', '.join(own)})" if own else name for name, own in values.items())


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" if "(" not in name else "`" + name.replace(" (", "` (") for name in names)


def _gigabyte_seconds(invocations: Mapping[str, int]) -> float:
    return sum(prod((number, seconds(name), memory(name) / 1024)) for name, number in invocations.items())
