"""The table, the queue, the Parameter Store and the log group, each reached by a call that may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from core.model.errors import CallFailed
from core.model.identity import Ref
from core.model.instants import format_instant
from core.model.record import Record
from core.ports import Loaded, Turn
from core.storage.item import from_item
from tests.exploration.tasks import Task
from tests.exploration.world import World
from tests.fakes import MemoryRegistrations, MemoryStore, MemoryVault

LAG: Final = 3.0
"""Seconds for which the index may be behind the table."""
Saved = Callable[[Record | None, Record], None]


class SimulatedOutput:
    """`core.ports.Output`. Lines are late. `shown` and `missed`: whose line a read found, and did not."""

    def __init__(self, world: World, tasks: Mapping[str, Task]) -> None:
        self._world, self._tasks = world, tasks
        self.shown: set[str] = set()
        self.missed: set[str] = set()

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """As the port says. Nothing but the main container prints."""
        try:
            line = self._world.call("GetLogEvents", lambda: self._line(task_arn), task_arn)
        except CallFailed:
            self.missed.add(task_arn)
            raise
        (self.missed if line is None else self.shown).add(task_arn)
        return () if line is None else (line,)

    def _line(self, task_arn: str) -> str | None:
        task = self._tasks[task_arn]
        return task.printed if self._world.scheduler.now >= task.printed_at else None


class SimulatedStore(MemoryStore):
    """`core.ports.Store`. `saved` hears of every write that took effect: the record before and after it."""

    def __init__(self, world: World, saved: Saved) -> None:
        super().__init__()
        self._world = world
        self._saved = saved
        self._truth: dict[str, Record] = {}
        self._before: dict[str, tuple[float, Record | None]] = {}

    def truth(self, container_id: str) -> Record | None:
        """The newest record, without a call."""
        return self._truth.get(container_id)

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        # What was written has been through its item already (`_write`).
        return self._world.call("GetItem", lambda: self._truth.get(container_id), quiet=True)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        ids = list(container_ids)
        return self._world.call(
            "BatchGetItem", lambda: Loaded({one: self._truth[one] for one in ids if one in self._truth}), quiet=True
        )

    def save(self, record: Record) -> None:
        self._world.call("PutItem", lambda: self._write(record), _told(record))

    def due(self, shard: str, until: datetime) -> Iterator[str]:
        """As the port says; the index lags behind the table at times."""

        def query() -> list[str]:
            shown = {**self._truth, **(self._lagging() if self._world.happens(self._world.faults.index_lags) else {})}
            limit = format_instant(until)
            due = {one: format_instant(item.check_at) for one, item in shown.items() if item and item.check_at}
            return [one for one, instant in due.items() if instant <= limit]

        return iter(self._world.call("Query", query, quiet=True))

    def overdue(self) -> bool:
        """Whether a run of the reconciler would find anything, now or in the index as it was."""
        now = self._world.now()
        known = [*self._truth.values(), *self._lagging().values()]
        # A clock may be ahead.
        return any(item and item.check_at and (item.check_at - now).total_seconds() <= 1 for item in known)

    def _lagging(self) -> dict[str, Record | None]:
        """What the index may still show: the records before writes of the last seconds."""
        recent = self._world.scheduler.now - LAG
        return {one: before for one, (written, before) in self._before.items() if written > recent}

    def _write(self, record: Record) -> None:
        before = self._truth.get(record.container_id)
        super().save(record)
        after = from_item(self._items[record.container_id])
        self._before[record.container_id] = (self._world.scheduler.now, before)
        self._truth[record.container_id] = after
        self._saved(before, after)


class SimulatedVault(MemoryVault):
    """`core.ports.TokenVault`."""

    def __init__(self, world: World) -> None:
        super().__init__(clock=world.now)
        self._world = world

    def put(self, name: str, token: str) -> None:
        self._world.call("PutParameter", lambda: MemoryVault.put(self, name, token), name[-8:], token[-4:])

    def erase(self, name: str) -> None:
        self._world.call("DeleteParameter", lambda: MemoryVault.erase(self, name), name[-8:])

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        return iter(self._world.call("DescribeParameters", lambda: list(MemoryVault.names(self, prefix)), quiet=True))


class SimulatedRegistrations(MemoryRegistrations):
    """`core.ports.Registrations`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def claim(self, family: str, now: datetime) -> Turn:
        return self._world.call("PutItem", lambda: MemoryRegistrations.claim(self, family, now), "turn")

    def extend(self, family: str, now: datetime) -> None:
        self._world.call("PutItem", lambda: MemoryRegistrations.extend(self, family, now), "turn")

    def done(self, family: str, now: datetime) -> None:
        self._world.call("PutItem", lambda: MemoryRegistrations.done(self, family, now), "turn")

    def release(self, family: str, now: datetime) -> None:
        self._world.call("PutItem", lambda: MemoryRegistrations.release(self, family, now), "turn")


class SimulatedQueue:
    """`core.ports.ProbeQueue`. `deliver` brings a message to the prober."""

    def __init__(self, world: World, deliver: Callable[[Ref, str], None]) -> None:
        self._world = world
        self._deliver = deliver

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        self._world.call("SendMessage", lambda: self._deliver(ref, address), address, after)


def _told(record: Record) -> str:
    task = record.task_arn and int(record.task_arn[-8:], 16)
    due = record.check_at.strftime("%H:%M:%S.%f")[:-3] if record.check_at else None
    stop = " stop asked" if record.stop_requested else ""
    error = f" {record.error.code}: {record.error.message[:90]}" if record.error else ""
    return (
        f"[g{record.generation} r{record.revision} {record.state} launch {record.attempt} task {task} "
        f"token {(record.agent_token or '-')[-4:]} due {due}{stop}{error}]"
    )
