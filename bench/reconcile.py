"""The safety net over up to a hundred thousand live containers: calls, processor time and memory, all linear.

ReconcileFunction's run of every minute, and that of every quarter of an hour that finds leaked tasks, as they are, on a
table in memory under the real adapter, by a clock that is set. ECS shows every task as it was. Processor time is this
process's own, so it is the ratio between two sizes that says something.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from boto3.dynamodb.types import TypeSerializer

from bench.rows import CannotMeasure, Result, Row, Say, at_most
from bench.table import Table
from core.adapters.dynamodb import DynamoStore
from core.control.background_run import RunReport, limited
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.control.reconciler import reconcile
from core.machine.schedule import schedule
from core.model.identity import Ref, started_by
from core.ports import Described, TaskPage
from core.storage.item import to_item
from handlers.reconcile import RUN_SECONDS
from tests.factories import CLUSTER, POLICY, at
from tests.fakes import SettableClock
from tests.records import healthy
from tests.world import PortsInMemory

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from core.ports import Ecs, Observer

SIZES: Final = {1_000: 15, 10_000: 15, 100_000: 3}
"""Containers, and minutes of which every run is made: each container is looked at once in a quarter of an hour."""
TRACED: Final = 10
"""Seconds of due records in the run whose memory is traced, which makes it several times as slow."""
STEADY: Final = 2.0
"""Times as much as one of a hundredth as many may take: the caches of a processor are shared, and hold less of more.
What grows with the square would take a hundred times as much."""
MEMORY: Final = 32
"""MiB over what was there before: an eighth of the function's."""
_TASK: Final = CLUSTER.replace(":cluster/", ":task/") + "/"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """Of the runs at one size. `looks`: records that were compared with ECS.

    `cpu_of_a_look`: seconds, in the run in which it was least: other processes only make it more. `most_reads`:
    DescribeTasks of the busiest run. `leak_reads`: calls of the leak finder's run.
    """

    containers: int
    minutes: int
    looks: int
    calls: Counter[str]
    cpu_of_a_look: float
    most_reads: int
    peak_bytes: int
    leak_reads: int
    leak_listed: int
    leak_stopped: str | None

    @property
    def calls_of_a_look(self) -> float:
        """Of all services, without the Queries that find nothing due."""
        return sum(number for name, number in self.calls.items() if name != "Query") / self.looks


class _Silent:
    """`core.ports.Observer` that keeps nothing: a hundred thousand records would be kept otherwise."""

    def settled(self, settled: object) -> None: ...

    def failed(self, error: Exception) -> None:
        raise CannotMeasure(str(error)) from error

    def task_leaked(self, ref: Ref, task_arn: str, why: str) -> None:
        raise CannotMeasure(f"{task_arn} of {ref.container_id} leaked: {why}")


@dataclass(slots=True)
class _UnchangingEcs:
    """What of `core.ports.Ecs` such a run calls. The task's ARN ends with the beginning of its container's id."""

    names: Sequence[str]
    calls: Counter[str] = field(default_factory=Counter)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        self.calls["DescribeTasks"] += 1
        return Described(tuple(cast("TaskTypeDef", _task(cluster, arn)) for arn in task_arns), ())

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:  # noqa: ARG002 - the port's signature
        self.calls["ListTasks"] += 1
        begin = int(after or 0)
        arns = tuple(f"{_TASK}{name[:32]}" for name in self.names[begin : begin + _PAGE])
        return TaskPage(arns, str(begin + _PAGE) if begin + _PAGE < len(self.names) else None)


def measure(say: Say) -> Result:
    """Every size, in turn. Raises `CannotMeasure`."""
    measured = []
    for containers, minutes in SIZES.items():
        say(f"{containers:,} containers, {minutes} minutes of them")
        measured.append(_measured(containers, minutes))
    return Result(_rows(measured), {"sizes": [_document(one) for one in measured]})


def _measured(containers: int, minutes: int) -> Measured:
    names = [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" * 4 for number in range(1, containers + 1)]
    table = _filled(names)
    gc.freeze()  # the garbage collector does not go through a hundred thousand entries that are the table's
    clock = SettableClock(at(POLICY.healthy_check))
    unchanging = _UnchangingEcs(names)
    store = DynamoStore("containers", cast("Any", table))
    looks, most, cpu = 0.0, 0, list[float]()
    for minute in range(1, minutes + 1):
        clock.instant = at(POLICY.healthy_check) + timedelta(minutes=minute)
        reads, begun = unchanging.calls.total(), time.process_time()
        due = _run(store, unchanging, clock).counts["due"]
        cpu.append((time.process_time() - begun) / due)
        looks += due
        most = max(most, unchanging.calls.total() - reads)
    calls = table.calls + unchanging.calls
    clock.advance(TRACED)
    tracemalloc.start()
    _run(store, unchanging, clock)
    # What is left at the end are the items that the run has written.
    written, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    unchanging.calls.clear()
    leaks = find_leaked_tasks(_ports(store, unchanging, clock), CLUSTER, Listing())
    gc.unfreeze()
    return Measured(
        containers=containers,
        minutes=minutes,
        looks=int(looks),
        calls=calls,
        cpu_of_a_look=min(cpu),
        most_reads=most,
        peak_bytes=peak - written,
        leak_reads=unchanging.calls.total(),
        leak_listed=int(leaks.counts["listed"]),
        leak_stopped=leaks.stopped,
    )


def _run(store: DynamoStore, ecs: _UnchangingEcs, clock: SettableClock) -> RunReport:
    report = reconcile(_ports(store, ecs, clock), _time_left(clock))
    if report.errors or report.stopped:
        raise CannotMeasure(f"a run of the reconciler ended with {dict(report.errors)}, stopped by {report.stopped}")
    return report


def _ports(store: DynamoStore, unchanging: _UnchangingEcs, clock: SettableClock) -> PortsInMemory:
    silent = cast("Observer", _Silent())
    ports = PortsInMemory(store=store, ecs=cast("Ecs", unchanging), policy=POLICY, clock=clock, observer=silent)
    return replace(ports, ecs=limited(ports, _time_left(clock))[0])


def _time_left(clock: SettableClock) -> Any:
    end = clock.monotonic() + RUN_SECONDS
    return lambda: end - clock.monotonic()


def _filled(names: Sequence[str]) -> Table:
    """Healthy containers whose next looks lie as in a fleet that has been up for a while."""
    table, serialize = Table(), TypeSerializer().serialize
    pattern = {name: serialize(value) for name, value in to_item(healthy()).items()}
    for name in names:
        record = schedule(healthy(container_id=name), POLICY, at(POLICY.healthy_check / 2))
        changed = {
            "container_id": name,
            "task_arn": f"{_TASK}{name[:32]}",
            **{key: value for key, value in to_item(record).items() if key in {"watch", "check_at"}},
        }
        table.put_item(TableName="containers", Item=pattern | {key: serialize(value) for key, value in changed.items()})
    table.calls.clear()
    return table


def _task(cluster: str, arn: str) -> dict[str, Any]:
    """As DescribeTasks shows a task that runs, at the version that the record knows."""
    return {
        "taskArn": arn,
        "clusterArn": cluster,
        "startedBy": started_by("sockerless", Ref(arn[-32:] * 2, 1)),
        "version": healthy().task_version,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "createdAt": at(1),
        "startedAt": at(29.4),
        "containers": [{"name": "main", "lastStatus": "RUNNING"}],
        "attachments": [],
    }


def _rows(measured: Sequence[Measured]) -> tuple[Row, ...]:
    small, large = measured[0], measured[-1]
    time_ratio = large.cpu_of_a_look / small.cpu_of_a_look
    calls_ratio = large.calls_of_a_look / small.calls_of_a_look
    between = f"{large.containers:,} containers against {small.containers:,}"
    return (
        at_most(
            STEADY,
            "times the processor time of a look",
            time_ratio,
            point="9",
            what=f"reconcile: {between}",
            measured=f"{time_ratio:.2f} x: {large.cpu_of_a_look * 1e3:.2f} ms, {small.cpu_of_a_look * 1e3:.2f} ms",
            why="the table in memory keeps its index as one sorted list for each shard",
        ),
        at_most(
            STEADY,
            "times the calls of a look",
            calls_ratio,
            point="9",
            what=f"reconcile: {between}",
            measured=f"{calls_ratio:.2f} x: {large.calls_of_a_look:.2f} calls against {small.calls_of_a_look:.2f}",
            why="a page of the index holds 100 ids",
        ),
        at_most(
            MEMORY,
            "MiB at the peak of a run",
            large.peak_bytes / 2**20,
            point="9",
            what=f"reconcile: {between}",
            measured=f"{large.peak_bytes / 2**20:.1f} MiB against {small.peak_bytes / 2**20:.1f}",
            why="a run keeps a page of 100 records, not the fleet",
        ),
        at_most(
            POLICY.reconcile_calls,
            "reads of ECS a run, so that nothing is left due",
            large.most_reads,
            point="9",
            what=f"reconcile: {large.containers:,} containers",
            measured=f"{large.most_reads} in the busiest minute, {large.looks / large.minutes:,.0f} looks a minute",
            why=f"a run makes {POLICY.reconcile_calls} reads at most",
        ),
    )


def _document(one: Measured) -> dict[str, Any]:
    return {
        "containers": one.containers,
        "minutes": one.minutes,
        "looks": one.looks,
        "calls": dict(sorted(one.calls.items())),
        "cpu_ms_of_a_look": round(one.cpu_of_a_look * 1e3, 3),
        "most_reads_of_a_run": one.most_reads,
        "peak_mib_of_a_run": round(one.peak_bytes / 2**20, 2),
        "leak_finder": {"reads": one.leak_reads, "listed": one.leak_listed, "stopped": one.leak_stopped},
    }
