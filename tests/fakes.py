"""Fakes of the ports: small classes that keep their promises. The contract tests hold the store to the real one's."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.errors import CallFailed, RevisionConflict, UnreadableRecord
from core.instants import format_instant
from core.item import from_item, to_item
from core.ports import Described, Launched, Loaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.record import Record


class MemoryStore:
    """`core.ports.Store` in a dict. It keeps items, not records, so that errors of the mapping show in every test."""

    def __init__(self, *records: Record) -> None:
        self._lock = Lock()
        self._items: dict[str, dict[str, Any]] = {}
        for record in records:
            self.put_item(to_item(record))

    def load(self, container_id: str) -> Record | None:
        """As the port says."""
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
    outage: CallFailed | None = None

    def send(self, container_id: str, generation: int, address: str) -> None:
        """Keeps `(container_id, generation, address)`."""
        if self.outage is not None:
            raise self.outage
        self.sent.append((container_id, generation, address))


@dataclass
class MemoryVault:
    """`core.ports.TokenVault` in a dict."""

    tokens: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, token: str) -> None:
        self.tokens[name] = token

    def erase(self, name: str) -> None:
        self.tokens.pop(name, None)


@dataclass
class SettableClock:
    """`core.ports.Clock` that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Moves on."""
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeEcs:
    """`core.ports.Ecs` in memory: client tokens are honoured, tasks are documents in the API's spelling.

    `refusals` are raised by the next call of that operation, one each. `calls` names every call in order.
    """

    clock: SettableClock = field(default_factory=SettableClock)
    definitions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: dict[str, list[CallFailed]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    def ensure_definition(self, definition: dict[str, Any]) -> str:
        self._called("ensure_definition")
        family = definition["family"]
        return self.definitions.setdefault(family, f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:1")

    def run(self, request: dict[str, Any]) -> Launched:
        self._called("run")
        token = request["clientToken"]
        if token not in self._tokens:
            arn = f"arn:aws:ecs:us-east-1:123456789012:task/default/{len(self.tasks) + 1:032x}"
            self._tokens[token] = arn
            self.tasks[arn] = {
                "taskArn": arn,
                "clusterArn": request["cluster"],
                "taskDefinitionArn": request["taskDefinition"],
                "startedBy": request["startedBy"],
                "version": 1,
                "lastStatus": "PROVISIONING",
                "desiredStatus": "RUNNING",
                "createdAt": self.clock(),
                "overrides": {"containerOverrides": [*request["overrides"]["containerOverrides"], {"name": "init"}]},
                "tags": request.get("tags", []),
                "containers": [{"name": "main", "lastStatus": "PENDING"}],
                "attachments": [],
            }
        task = self.tasks[self._tokens[token]]
        return Launched(task["taskArn"], task["taskDefinitionArn"], task["clusterArn"])

    def stop(self, cluster: str, task_arn: str, reason: str) -> None:
        self._called("stop")
        self.stopped.append((task_arn, reason))

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        self._called("describe")
        assert len(task_arns) <= 100
        found = tuple(copy.deepcopy(self.tasks[arn]) for arn in task_arns if arn in self.tasks)
        return Described(found, tuple(arn for arn in task_arns if arn not in self.tasks))

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        self._called("find")
        return tuple(arn for arn, task in self.tasks.items() if task["startedBy"] == started_by)

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
            **({"startedAt": self.clock()} if last_status == "RUNNING" else {}),
            **changes,
        }

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self.refusals.get(operation):
            raise self.refusals[operation].pop(0)
