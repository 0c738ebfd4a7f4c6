"""Fakes of the ports: small classes that keep their promises. The contract tests hold the store to the real one's."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from core.adapters.dynamodb import REGISTRATION
from core.adapters.registrations import LEASE, RECENT
from core.model.errors import CallFailed, DefinitionGone, ReachError, UnreadableRecord
from core.model.families import DefinitionUse, family_in, revision_in
from core.model.instants import format_instant
from core.ports import Described, Launched, Loaded, Registered, RevisionConflict, TaskPage, Turn
from core.storage.item import definition_use, from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_ecs.type_defs import TaskTypeDef

    from core.model.identity import Ref
    from core.model.record import Record

BEGINNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class MemoryStore:
    """`core.ports.Store` in a dict.

    It keeps items, not records, so that errors of the mapping show in every test.
    """

    def __init__(self, *records: Record) -> None:
        self._lock = Lock()
        self._items: dict[str, dict[str, Any]] = {}
        for record in records:
            self.put_item(to_item(record))

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """As the port says, and `core.client.Reader`; it always shows the newest."""
        item = self.item(container_id)
        return None if item is None else from_item(item)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """As the port says."""
        records: dict[str, Record] = {}
        unreadable: list[UnreadableRecord] = []
        for container_id in dict.fromkeys(container_ids):
            try:
                record = self.load(container_id)
            except UnreadableRecord as exc:
                unreadable.append(exc)
            else:
                if record is not None:
                    records[container_id] = record
        return Loaded(records, tuple(unreadable))

    def load_some(self, container_ids: Iterable[str], *, consistent: bool) -> Loaded:
        """As `core.client.Reader` says, and it leaves out none."""
        return self.load_many(container_ids)

    def save(self, record: Record) -> None:
        """As the port says."""
        item = to_item(record)
        with self._lock:
            current = self._items.get(record.container_id)
            if (0 if current is None else current.get("revision")) != record.revision - 1:
                raise RevisionConflict(record.container_id, from_item(current) if current else None)
            self._items[record.container_id] = item

    def due(self, shard: str, until: datetime) -> Iterator[str]:
        """As the port says, all in one page."""
        with self._lock:
            watched = [item for item in self._items.values() if item.get("watch") == shard]
        due = [item for item in watched if item["check_at"] <= format_instant(until)]
        return iter([item["container_id"] for item in sorted(due, key=lambda item: item["check_at"])])

    def scheduled(self) -> Iterator[str]:
        """As the port says, all in one page."""
        with self._lock:
            return iter([container_id for container_id, item in self._items.items() if "watch" in item])

    def load_all(self) -> Loaded:
        """As the port says."""
        return self.load_many(one for one in list(self._items) if not one.startswith(REGISTRATION))

    def definition_uses(self) -> Iterator[DefinitionUse]:
        """As the port says, all in one page."""
        with self._lock:
            uses = [definition_use(item) for item in self._items.values()]
        return iter([use for use in uses if use is not None])

    def item(self, container_id: str) -> dict[str, Any] | None:
        """The item as it lies in the table."""
        with self._lock:
            return copy.deepcopy(self._items.get(container_id))

    def put_item(self, item: Mapping[str, Any]) -> None:
        """Writes any item, without a condition: what another version or another program might have left."""
        with self._lock:
            self._items[item["container_id"]] = copy.deepcopy(dict(item))


@dataclass
class RecordingQueue:
    """`core.ports.ProbeQueue` that keeps what it was sent; `outage` is raised instead, when set."""

    sent: list[tuple[str, int, str]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    outage: CallFailed | None = None

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        """Keeps `(container_id, generation, address)`, and `after`."""
        if self.outage is not None:
            raise self.outage
        self.sent.append((*ref, address))
        self.delays.append(after)


@dataclass
class MemoryStartTimes:
    """`core.ports.StartTimes` in a dict. A family that is not in it has `otherwise`: at once, or (None) not known."""

    seconds: dict[str, float] = field(default_factory=dict)
    otherwise: float | None = 0.0

    def usual(self, family: str) -> float | None:
        return self.seconds.get(family, self.otherwise)

    def learn(self, family: str, seconds: float, now: datetime) -> None:
        self.seconds[family] = seconds


@dataclass
class MemoryVault:
    """`core.ports.TokenVault` in a dict. `changed` are the instants of the last changes, by `clock`."""

    tokens: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = lambda: BEGINNING
    changed: dict[str, datetime] = field(default_factory=dict)

    def put(self, name: str, token: str) -> None:
        self.tokens[name] = token
        self.changed[name] = self.clock()

    def erase(self, name: str) -> None:
        self.tokens.pop(name, None)
        self.changed.pop(name, None)

    def names(self, prefix: str) -> Iterable[tuple[str, datetime]]:
        below = [name for name in self.tokens if name.startswith(f"/{prefix}/")]
        return iter([(name, self.changed.get(name, self.clock())) for name in below])


@dataclass
class MemoryRegistrations:
    """`core.ports.Registrations` in a dict: until when a family is held, and whether it is registered."""

    held: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def claim(self, family: str, now: datetime) -> Turn:
        with self._lock:
            if family in self.held and self.held[family][0] >= now:
                return Turn.DONE if self.held[family][1] else Turn.ANOTHERS
            self.held[family] = (now + LEASE, False)
            return Turn.OURS

    def extend(self, family: str, now: datetime) -> None:
        self.held[family] = (now + LEASE, False)

    def done(self, family: str, now: datetime) -> None:
        self.held[family] = (now + RECENT, True)

    def release(self, family: str, now: datetime) -> None:
        self.held.pop(family, None)


@dataclass
class MemoryOutput:
    """`core.ports.Output` in memory: the lines of each stream, by task and container.

    `refusals` are raised by the next calls, one each; `calls` names what was asked for.
    """

    streams: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    refusals: list[ReachError] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """As the port says."""
        self.calls.append((task_arn, container))
        if self.refusals:
            raise self.refusals.pop(0)
        return tuple(self.streams.get((task_arn, container), ())[-most:])


@dataclass
class SettableClock:
    """`core.ports.Clock` that only sleeping and the test move. `slept` are the pauses."""

    instant: datetime = BEGINNING
    slept: list[float] = field(default_factory=list)
    chance: float = 0.5

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - BEGINNING).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def random(self) -> float:
        return self.chance

    def advance(self, seconds: float) -> None:
        """Moves on."""
        self.instant += timedelta(seconds=seconds)


@dataclass
class FakeEcs:
    """`core.ports.Ecs` in memory: client tokens are honoured for a day, tasks are documents in the API's spelling.

    `refusals` are raised by the next call of that operation, one each. `calls` names every call in order.
    """

    clock: SettableClock = field(default_factory=SettableClock)
    definitions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The network configuration of each task, which ECS does not show."""
    refusals: dict[str, list[Exception]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    hidden: dict[str, CallFailed] = field(default_factory=dict)
    """Tasks that DescribeTasks does not show, for a reason other than MISSING."""
    retired: set[str] = field(default_factory=set)
    """ARNs of definitions that RunTask does not take any more."""
    _tokens: dict[str, str] = field(default_factory=dict)

    def register(self, definition: dict[str, Any]) -> None:
        self._called("register")
        family = definition["family"]
        revision = int(self.definitions.get(family, "0:0").rpartition(":")[2]) + 1
        self.definitions[family] = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:{revision}"

    def run(self, request: dict[str, Any]) -> Launched:
        self._called("run")
        token = request["clientToken"]
        known = self._tokens.get(token)
        if known is None or self.clock.now() - self.tasks[known]["createdAt"] >= timedelta(days=1):
            definition = self.definitions.get(request["taskDefinition"])
            if definition is None or definition in self.retired:
                raise DefinitionGone("RunTask", "ClientException", "TaskDefinition not found.", transient=True)
            arn = f"arn:aws:ecs:us-east-1:123456789012:task/default/{len(self.tasks) + 1:032x}"
            self._tokens[token] = arn
            self.networks[arn] = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
            self.tasks[arn] = {
                "taskArn": arn,
                "clusterArn": request["cluster"],
                "taskDefinitionArn": definition,
                "startedBy": request["startedBy"],
                "version": 1,
                "lastStatus": "PROVISIONING",
                "desiredStatus": "RUNNING",
                "createdAt": self.clock.now(),
                "overrides": {"containerOverrides": [*request["overrides"]["containerOverrides"], {"name": "init"}]},
                "tags": request.get("tags", []),
                "containers": [{"name": "main", "lastStatus": "PENDING"}],
                "attachments": [],
            }
            if strategy := request.get("capacityProviderStrategy"):
                assert "launchType" not in request
                self.tasks[arn]["capacityProviderName"] = strategy[0]["capacityProvider"]
        task = self.tasks[self._tokens[token]]
        return Launched(
            task["taskArn"], task["taskDefinitionArn"], task["clusterArn"], task.get("capacityProviderName")
        )

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        self._called("stop")
        if task_arn in self.unknown:
            return False
        self.stopped.append((task_arn, reason))
        if task_arn in self.tasks:
            self.tasks[task_arn] |= {"desiredStatus": "STOPPED", "version": self.tasks[task_arn]["version"] + 1}
        return True

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        self._called("describe")
        assert len(task_arns) <= 100
        shown = [arn for arn in task_arns if arn not in self.hidden]
        return Described(
            tuple(cast("TaskTypeDef", copy.deepcopy(self.tasks[arn])) for arn in shown if arn in self.tasks),
            tuple(arn for arn in shown if arn not in self.tasks),
            tuple(self.hidden[arn] for arn in task_arns if arn in self.hidden),
        )

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        self._called("find")
        status = "STOPPED" if stopped else "RUNNING"
        found = self.tasks.items()
        return tuple(arn for arn, task in found if (task["startedBy"], task["desiredStatus"]) == (started_by, status))

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        self._called("running")
        arns = [arn for arn, task in self.tasks.items() if task["desiredStatus"] == "RUNNING"]
        start = int(after or 0)
        return TaskPage(tuple(arns[start : start + 100]), str(start + 100) if len(arns) > start + 100 else None)

    def walk(self, task_arn: str, last_status: str, ip: str | None = "10.0.1.47", **changes: Any) -> None:
        """Moves a task on by one version."""
        task = self.tasks[task_arn]
        details = [{"name": "privateIPv4Address", "value": ip}] if ip else []
        task |= {
            "version": task["version"] + 1,
            "lastStatus": last_status,
            "attachments": [
                {"id": "a", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details},
            ],
            **({"startedAt": self.clock.now()} if last_status == "RUNNING" else {}),
            **changes,
        }

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self.refusals.get(operation):
            raise self.refusals[operation].pop(0)


@dataclass
class FakeDefinitions:
    """`core.ports.Definitions` in memory: revisions by ARN, each with its instant and whether it is ACTIVE.

    `refusals` are raised by the next call of that operation, one each. `calls` names every call with what it concerns.
    """

    registered: dict[str, datetime] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    """Families of which ECS shows a task."""
    stuck: set[str] = field(default_factory=set)
    """Revisions that ECS does not delete."""
    refusals: dict[str, list[CallFailed]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def add(self, family: str, at: datetime, revision: int = 1, *, active: bool = True) -> str:
        """A revision that was registered at that instant."""
        arn = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:{revision}"
        self.registered[arn] = at
        if not active:
            self.inactive.add(arn)
        return arn

    def families(self, stem: str) -> list[str]:
        self._called("families", stem)
        return sorted({family for arn in self.registered if (family := family_in(arn)).startswith(stem)})

    def newest(self, family: str) -> Registered | None:
        self._called("newest", family)
        active = self._of(family, active=True)
        return Registered(active[-1], self.registered[active[-1]]) if active else None

    def has_tasks(self, family: str) -> bool:
        self._called("has_tasks", family)
        return family in self.busy

    def revisions(self, family: str, *, active: bool) -> list[str]:
        self._called("revisions", family)
        return self._of(family, active=active)

    def deregister(self, arn: str) -> None:
        self._called("deregister", arn)
        assert arn in self.registered
        self.inactive.add(arn)

    def delete(self, arns: Sequence[str]) -> list[str]:
        self._called("delete", " ".join(arns))
        assert 1 <= len(arns) <= 10
        assert self.inactive.issuperset(arns), "ECS refuses to delete what is ACTIVE"
        for arn in set(arns) - self.stuck:
            del self.registered[arn]
            self.inactive.remove(arn)
        return [arn for arn in arns if arn in self.stuck]

    def _of(self, family: str, *, active: bool) -> list[str]:
        found = [arn for arn in self.registered if family_in(arn) == family and (arn not in self.inactive) is active]
        return sorted(found, key=revision_in)

    def _called(self, operation: str, subject: str) -> None:
        self.calls.append((operation, subject))
        if self.refusals.get(operation):
            raise self.refusals[operation].pop(0)
