"""What containers cost that nothing happens to: the calls of the safety net in one simulated hour.

The reconciler and the leak finder as they are, on a real table of the local AWS, minute by minute by a clock that is
set, not waited for. DynamoDB calls are counted where the SDK sends them. ECS is a count of the calls that its adapter
would make: it shows every task as it was.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from bench.latency import container_id
from bench.systems import CLUSTER, Unusable, client
from core.adapters.dynamodb import DynamoStore
from core.control.find_leaked_tasks import RunningTask, find_leaked_tasks
from core.control.reconciler import reconcile
from core.launch.settings import Settings
from core.machine.schedule import schedule
from core.model.identity import started_by
from core.model.parts import Instant
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.ports import Described, Launched, TaskPage
from handlers.app import App

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from local.cloud.cloud import LocalCloud

TABLE: Final = "bench-idle"
PREFIX: Final = "idle"
HOUR: Final = 60
LEAKS_EVERY: Final = 15
"""Minutes, as template.yaml schedules it."""
_PAGE: Final = 100
_NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
_TASK: Final = CLUSTER.replace(":cluster/", ":task/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """The calls of the measured hour by `service.Operation`, and the items and tasks they asked for."""

    containers: int
    calls: Counter[str]
    looked_at: int
    healed: int


@dataclass(slots=True)
class UnchangingEcs:
    """`core.ports.Ecs` in which every task runs on. `calls`: what the adapter would have sent."""

    tasks: dict[str, dict[str, Any]]
    calls: Counter[str] = field(default_factory=Counter)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:  # noqa: ARG002 - the port's signature
        """One call."""
        self.calls["ecs.DescribeTasks"] += 1
        return Described(tuple(cast("TaskTypeDef", self.tasks[arn]) for arn in task_arns), ())

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:  # noqa: ARG002
        """One call a page."""
        self.calls["ecs.ListTasks"] += 1
        begin = int(after or 0)
        arns = list(self.tasks)[begin : begin + _PAGE]
        more = begin + _PAGE < len(self.tasks)
        return TaskPage(tuple(arns), str(begin + _PAGE) if more else None)

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """Every record knows its task."""
        raise Unusable(f"idle: a task was looked for by {started_by} in {cluster}")

    def run(self, request: dict[str, Any]) -> Launched:
        """Nothing is to be started."""
        raise Unusable(f"idle: a task was started by {request['startedBy']}")

    def register(self, definition: dict[str, Any]) -> None:
        """Nothing is to be registered."""
        raise Unusable(f"idle: {definition['family']} was registered")

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """Nothing is to be stopped."""
        raise Unusable(f"idle: {task_arn} of {cluster} was stopped: {reason}")


@dataclass(slots=True)
class _Clock:
    """`core.ports.Clock` that is set. Nothing waits."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        raise Unusable(f"idle: {seconds} s were waited")

    def random(self) -> float:
        return 0.5


class _Function(App):
    """ReconcileFunction, which performs nothing here."""

    settings = Settings(table_name=TABLE, started_by_prefix=PREFIX)

    def __init__(self, store: DynamoStore, ecs: UnchangingEcs, clock: _Clock) -> None:
        super().__init__("ReconcileFunction", performs=frozenset())
        self.store, self.ecs, self.vault, self.clock = store, ecs, _NoParameters(), clock


def measure_idle(cloud: LocalCloud, *, containers: int, seed: int) -> Idle:
    """An hour of that many healthy containers, which became so at different times of the hour before."""
    policy, clock = Policy(), _Clock(_NOON)
    calls: Counter[str] = Counter()
    dynamodb = client(cloud, "dynamodb", calls)
    _make_table(dynamodb, cloud.outputs["ContainersTableName"])
    store = DynamoStore(TABLE, dynamodb)
    records = _healthy(containers, policy, random.Random(seed))  # noqa: S311 - a spread, no secret
    for record in records:
        store.save(record)
    ecs = UnchangingEcs({str(record.task_arn): _task(record) for record in records})
    ports = _Function(store, ecs, clock)
    known: dict[str, RunningTask | None] = {}
    errors: Counter[str] = Counter()
    looked_at = healed = 0.0

    calls.clear()
    for minute in range(HOUR):
        clock.instant = _NOON + timedelta(minutes=minute)
        reports = [reconcile(ports, lambda: 60.0)]
        looked_at += reports[0].counts["due"]
        healed += reports[0].counts["healed"]
        if minute % LEAKS_EVERY == 0:
            reports.append(find_leaked_tasks(ports, CLUSTER, known))
            errors["a leaked task"] += int(reports[1].counts["leaked"])
        for report in reports:
            errors += report.errors
    made = calls + ecs.calls
    dynamodb.delete_table(TableName=TABLE)
    if errors:
        raise Unusable(f"idle: {dict(errors)}")
    return Idle(containers=containers, calls=made, looked_at=int(looked_at), healed=int(healed))


class _NoParameters:
    """The Parameter Store of a stack whose tokens travel in the environment."""

    def put(self, name: str, token: str) -> None:
        del token
        raise Unusable(f"idle: {name} was put")

    def erase(self, name: str) -> None:
        raise Unusable(f"idle: {name} was erased")

    def names(self, prefix: str) -> tuple[tuple[str, datetime], ...]:
        """None, found with one call of DescribeParameters."""
        del prefix
        return ()


def _make_table(dynamodb: Any, like: str) -> None:
    """With the keys and the index of the deployed one."""
    deployed = dynamodb.describe_table(TableName=like)["Table"]
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in deployed["GlobalSecondaryIndexes"]
    ]
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=deployed["AttributeDefinitions"],
        KeySchema=deployed["KeySchema"],
        GlobalSecondaryIndexes=indexes,
    )


def _healthy(number: int, policy: Policy, draw: random.Random) -> list[Record]:
    """Records whose next looks lie as they do in a fleet that has been up for a while: anywhere in the interval."""
    records = []
    for index in range(number):
        name = container_id("idle", index)
        since = _NOON - timedelta(seconds=draw.uniform(0, policy.healthy_check))
        record = Record(
            container_id=name,
            state=State.AGENT_HEALTHY,
            generation=1,
            revision=1,
            created_at=since - timedelta(seconds=40),
            updated_at=since,
            task_version=3,
            cluster_arn=CLUSTER,
            task_arn=f"{_TASK}/{name[:32]}",
            image="python:3.13-slim",
            agent_address="10.0.1.47:9111",
            agent_token=name,
            timings={Instant.STARTED: since - timedelta(seconds=1), Instant.HEALTHY: since},
        )
        records.append(schedule(record, policy, since))
    return records


def _task(record: Record) -> dict[str, Any]:
    """As DescribeTasks shows a task that runs, at the version that the record knows."""
    return {
        "taskArn": record.task_arn,
        "clusterArn": CLUSTER,
        "startedBy": started_by(PREFIX, record.ref),
        "version": record.task_version,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "createdAt": record.created_at,
        "startedAt": record.timings[Instant.STARTED],
        "containers": [{"name": "main", "lastStatus": "RUNNING"}],
        "attachments": [],
    }
