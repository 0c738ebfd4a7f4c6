"""What a number of starts an hour takes of each quota of AWS, for docs/limits.md.

Units of a life come from `docs.measured`, how long functions run from `docs.costs`, calls a second from the local
Fargate, which throttles like ECS (ecs.md 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.launch.ecs_rules import smallest_size
from core.model.policy import Policy
from docs import costs
from docs.counted import default, event_sources
from docs.measured import measured
from docs.prices import HOURS, WAIT_SECONDS
from local.fargate.api.rates import RATES

STARTS: Final = (10, 1_000, 100_000)
"""An hour. A container lives for an hour, so as many are alive at a time."""
LIFE: Final = 3600.0

TASKS_A_CALL: Final = 100
"""Of DescribeTasks and ListTasks (ecs.md 6)."""
_ONE_PERCENT: Final = 0.01
CPU_UNITS: Final = 1024
"""Of one vCPU."""

# AWS's own numbers: Systems Manager endpoints and quotas; Lambda quotas; DynamoDB Developer Guide, "On-demand capacity
# mode", of a new table.
PARAMETERS: Final = 10_000
EXECUTIONS: Final = 1_000
WRITES, READS = 4_000, 12_000


@dataclass(frozen=True, slots=True)
class Limit:
    """A row: what is used, how much there is (a number, or whose it is), and the use at so many starts an hour."""

    what: str
    there_is: float | str
    used: Callable[[int], float]


def limits() -> list[Limit]:
    """Every limit that a rate of starts can meet."""
    used = measured().life
    [events] = [number for name, number in used.invocations.items() if name == "TaskStateFunction"]
    [batch] = [one["Properties"]["BatchSize"] for one in event_sources("SQS")]
    seconds = sum(number * costs.seconds(name) for name, number in used.invocations.items())
    silent = costs.seconds("AgentHealthFunction")
    return [
        Limit("RunTask on Fargate, a second", _rate("RunTask"), _a_second),
        Limit("RunTask and StopTask, a second", _rate("StopTask"), lambda starts: 2 * _a_second(starts)),
        Limit("RegisterTaskDefinition with `ssm`, a second", _rate("RegisterTaskDefinition"), _a_second),
        Limit("DescribeTasks and ListTasks of the reconciler, a second", _rate("DescribeTasks"), _looks_a_second),
        Limit("vCPU of tasks of the smallest size", "your quota", lambda starts: starts * _smallest_vcpu()),
        Limit("free addresses in `TaskSubnets`", "your subnets", float),
        Limit("parameters with `ssm`", PARAMETERS, float),
        Limit(
            "agents awaited at a time",
            batch * default("ProberMaximumConcurrency"),
            lambda starts: silent * _a_second(starts),
        ),
        Limit("Lambda executions at a time, at most", EXECUTIONS, lambda starts: seconds * _a_second(starts)),
        Limit("events to TaskStateFunction, a second", "thousands", lambda starts: events * _a_second(starts)),
        Limit("messages of the probe queue, a second", "no limit", _a_second),
        Limit("writes of the table, WRU a second", WRITES, lambda starts: used.writes * _a_second(starts)),
        Limit(
            "reads of the table with the backend's, RRU a second",
            READS,
            lambda starts: (used.reads + costs.wait_reads(WAIT_SECONDS)) * _a_second(starts),
        ),
    ]


def table() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows; what is more than there is stands in bold, with how much of it is used."""
    head = ("at so many starts an hour", "there is", *(f"{starts:,}" for starts in STARTS))
    rows = [(one.what, _spelt(one.there_is), *(_cell(one, starts) for starts in STARTS)) for one in limits()]
    logs = [measured().life.log_bytes * starts / 1e6 for starts in STARTS]
    money = [starts * costs.total(costs.life(LIFE)) + _standing() for starts in STARTS]
    rows.append(("logs of the functions, MB an hour", "no limit", *(f"{one:,.1f}" for one in logs)))
    rows.append(("cost of the stack an hour, without the tasks", "-", *(f"${one:,.2f}" for one in money)))
    return head, rows


def _cell(limit: Limit, starts: int) -> str:
    used = limit.used(starts)
    text = _spelt(used)
    if isinstance(limit.there_is, str):
        return text
    share = used / limit.there_is
    percent = f"{share:.0%}" if share >= _ONE_PERCENT else "<1%"
    return f"**{text} ({percent})**" if share > 1 else f"{text} ({percent})"


def _spelt(amount: float | str) -> str:
    if isinstance(amount, str):
        return amount
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.2g}"  # noqa: PLR2004


def _a_second(starts: int) -> float:
    return starts / 3600


def _looks_a_second(alive: int) -> float:
    """Each healthy container is described, and each task listed, once in so long."""
    return 2 * alive / TASKS_A_CALL / Policy().healthy_check


def _rate(operation: str) -> int:
    """Calls a second that AWS takes in the long run."""
    return min(rate.refill for rate in RATES if operation in rate.operations)


def _smallest_vcpu() -> float:
    return smallest_size(0, 0).cpu_units / CPU_UNITS


def _standing() -> float:
    return (costs.total(costs.standing()) + costs.total(costs.with_traffic())) / HOURS
