"""The ports of one invocation as calls: the log has the answers, the first call without one ends the run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from core.model.errors import CallFailed
from core.model.identity import Ref
from core.model.instants import format_instant, parse_instant, truncate
from core.model.record import Record
from core.ports import Described, Launched, Loaded, RevisionConflict, TaskPage, Turn
from tests.exploration.faults import Fault, error_of
from tests.factories import START
from tests.interleavings.state import Call, Invocation, document_of, record_of, text_of

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef


class Failed(NamedTuple):
    """The answer of a call that failed."""

    fault: Fault


class Refusal(NamedTuple):
    """The answer of a call that AWS refuses for good, with its code."""

    code: str


class Conflict(NamedTuple):
    """The answer of a write that met another one: the item that won."""

    item: str | None


class Suspended(BaseException):
    """The invocation stands before a call. No `except Exception` may catch it."""


class Tape:
    """The log of an invocation, played from its beginning. `pending` are the calls that have no answer yet."""

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.now = invocation.began
        self.pending: dict[int, Call] = {}
        self.waiting: dict[int, asyncio.Future[Hashable]] = {}
        self._answers = {entry.number: entry for entry in invocation.log}
        self._calls = 0

    def take(self, operation: str, *about: Hashable) -> Any:
        """A call. Raises what its answer raises, and `Suspended` where the log ends."""
        number = self._number()
        entry = self._answers.get(number)
        if entry is None:
            self.pending[number] = Call(operation, about)
            raise Suspended
        self.now = entry.now
        return _given(operation, entry.result)

    async def take_later(self, operation: str, *about: Hashable) -> Any:
        """A call of a coroutine: its answer comes when `play` reaches it, and others may come before."""
        number = self._number()
        self.pending[number] = Call(operation, about)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            return _given(operation, await self.waiting[number])
        finally:
            self.pending.pop(number, None)
            self.waiting.pop(number, None)

    def play(self) -> bool:
        """Gives the next answer that a coroutine waits for; False when there is none."""
        for entry in self.invocation.log:
            future = self.waiting.get(entry.number)
            if future is not None and not future.done():
                self.now = entry.now
                future.set_result(entry.result)
                return True
        return False

    def clock(self) -> datetime:
        """The time by the invocation's clock."""
        return truncate(START + timedelta(seconds=self.now + self.invocation.skew))

    def _number(self) -> int:
        self._calls += 1
        return self._calls


def _given(operation: str, result: Hashable) -> Any:
    if isinstance(result, Failed):
        raise error_of(result.fault, operation)
    if isinstance(result, Refusal):
        raise CallFailed(operation, result.code, "refused.")
    return result


class TapedClock:
    """`core.ports.Clock`. Whoever sleeps only thinks so: others act between any two calls anyway."""

    def __init__(self, tape: Tape) -> None:
        self._tape, self._slept = tape, 0.0

    def now(self) -> datetime:
        return self._tape.clock()

    def monotonic(self) -> float:
        return self._tape.now + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def random(self) -> float:
        return 0.5


class TapedPorts:
    """`Store`, `Ecs`, `ProbeQueue`, `TokenVault`, `Registrations` and `Output` of `core.ports`, on one tape."""

    def __init__(self, tape: Tape) -> None:
        self._take = tape.take

    def load(self, container_id: str) -> Record | None:
        text = self._take("GetItem", container_id)
        return None if text is None else record_of(text)

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        texts = self._take("BatchGetItem", *dict.fromkeys(container_ids))
        return Loaded({record.container_id: record for record in map(record_of, texts)})

    def save(self, record: Record) -> None:
        answer = self._take("PutItem", record.container_id, text_of(record))
        if isinstance(answer, Conflict):
            raise RevisionConflict(record.container_id, None if answer.item is None else record_of(answer.item))

    def due(self, shard: str, until: datetime) -> Iterator[str]:
        return iter(self._take("Query", shard, format_instant(until)))

    def register(self, definition: dict[str, Any]) -> None:
        raise AssertionError(f"every definition is registered already: {definition['family']}")

    def run(self, request: dict[str, Any]) -> Launched:
        arn = self._take("RunTask", json.dumps(request, sort_keys=True))
        provider = request.get("capacityProviderStrategy", [{}])[0].get("capacityProvider")
        definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{request['taskDefinition']}:1"
        return Launched(arn, definition, request["cluster"], provider)

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        return bool(self._take("StopTask", task_arn, reason))

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        texts = self._take("DescribeTasks", *task_arns)
        shown = [cast("TaskTypeDef", document_of(text)) for text in texts]
        missing = set(task_arns) - {task["taskArn"] for task in shown}
        return Described(tuple(shown), tuple(arn for arn in task_arns if arn in missing))

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        arns: tuple[str, ...] = self._take("ListTasks", started_by, stopped)
        return arns

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        return TaskPage(self._take("ListTasks"))

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        self._take("SendMessage", *ref, address)

    def put(self, name: str, token: str) -> None:
        self._take("PutParameter", name, token)

    def erase(self, name: str) -> None:
        self._take("DeleteParameter", name)

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        return iter([(name, parse_instant(changed)) for name, changed in self._take("DescribeParameters", prefix)])

    def claim(self, family: str, now: datetime) -> Turn:
        return Turn.DONE

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        lines: tuple[str, ...] = self._take("GetLogEvents", task_arn)
        return lines
