"""What the core's functions call: the table, ECS and the probe queue, each with its time, on the simulated clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bench.rows import CannotMeasure
from bench.table import Table
from bench.virtual import hops
from bench.virtual.hops import Hop
from bench.virtual.world import World
from core.adapters.aws_errors import failed_call
from core.diagnosis import diagnose_call
from core.model.identity import Ref, parse_started_by
from core.ports import Described, Launched, TaskPage
from docs.counted import default, event_sources
from local.fargate.api.errors import AwsError
from tests.factories import DEFINITION, SETTINGS

_TIMES: Final[Mapping[str, Hop]] = {"get_item": hops.GET, "put_item": hops.PUT, "batch_get_item": hops.BATCH_GET}


class SlowTable:
    """boto3's client of a `bench.table.Table`: each call takes its time. `saved` is called with each item written."""

    def __init__(self, world: World, table: Table, saved: Callable[[Mapping[str, Any]], None]) -> None:
        self.exceptions = table.exceptions
        self._world, self._table, self._saved = world, table, saved

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call, hop = getattr(self._table, name), _TIMES[name]

        def taking(**parameters: Any) -> Any:
            return self._world.call(hop, lambda: self._effect(call, parameters))

        return taking

    def _effect(self, call: Callable[..., Any], parameters: dict[str, Any]) -> Any:
        answer = call(**parameters)
        if "Item" in parameters:
            self._saved(parameters["Item"])
        return answer


@dataclass
class VirtualEcs:
    """`core.ports.Ecs`, as far as a start calls it. `launched` is called when ECS has taken a task."""

    world: World
    launched: Callable[[Ref], None]
    throttled: int = 0

    def run(self, request: dict[str, Any]) -> Launched:
        """RunTask: throttled beyond the account's rate."""
        ref = parse_started_by(SETTINGS.started_by_prefix, request["startedBy"])
        if ref is None:
            raise CannotMeasure(f"startedBy is {request['startedBy']}")
        return self.world.call(hops.RUN_TASK, lambda: self._run(ref, request))

    def _run(self, ref: Ref, request: Mapping[str, Any]) -> Launched:
        container = self.world.by_name[ref.container_id]
        try:
            self.world.run_task(container)
        except AwsError as error:
            self.throttled += 1
            diagnosis = diagnose_call(error.code, error.message)
            raise failed_call("RunTask", error.code, error.message, diagnosis, uncertain=False) from error
        self.launched(ref)
        return Launched(container.task_arn, DEFINITION, request["cluster"])

    def register(self, definition: dict[str, Any]) -> None:
        """The definition is known."""
        raise CannotMeasure(f"{definition['family']} was registered")

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """Every container lives."""
        raise CannotMeasure(f"{task_arn} of {cluster} was stopped: {reason}")

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """Events tell everything."""
        raise CannotMeasure(f"{task_arns} of {cluster} were described")

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        """No answer of RunTask is lost."""
        raise CannotMeasure(f"a task of {cluster} was looked for by {started_by}, stopped: {stopped}")

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """There is no leak finder."""
        raise CannotMeasure(f"tasks of {cluster} were listed after {after}")


@dataclass
class VirtualStartTimes:
    """`core.ports.StartTimes`. `known` outlives a world: what one has learnt, the next one knows."""

    world: World
    known: dict[str, float]
    reads: int = 0
    writes: int = 0

    def usual(self, family: str) -> float | None:
        """GetItem."""
        self.reads += 1
        return self.world.call(hops.GET, lambda: self.known.get(family))

    def learn(self, family: str, seconds: float, now: datetime) -> None:  # noqa: ARG002 - the port's
        """PutItem."""
        self.writes += 1
        self.world.call(hops.PUT, lambda: self.known.update({family: seconds}))


@dataclass
class VirtualQueue:
    """`core.ports.ProbeQueue`, and Lambda's pollers behind it: batches of what waits, so many at a time."""

    world: World
    probe: Callable[[list[tuple[Ref, str]], Callable[[], None]], bool]
    """Invokes the prober with a batch, and calls back when it has ended. False when it is throttled."""
    most: int = field(default_factory=lambda: default("ProberMaximumConcurrency"))
    batch: int = field(default_factory=lambda: int(event_sources("SQS")[0]["Properties"]["BatchSize"]))
    _waiting: list[tuple[Ref, str]] = field(default_factory=list)
    _active: int = 0
    sent: int = 0
    longest: int = 0
    """Messages that waited for a prober, at the most."""

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        """SendMessage."""

        def sent() -> None:
            self.sent += 1
            self.world.after(after + self.world.draw(hops.MESSAGE), lambda: self._bring(ref, address))

        self.world.call(hops.SEND, sent)

    def _bring(self, ref: Ref, address: str) -> None:
        self._waiting.append((ref, address))
        self._poll()
        self.longest = max(self.longest, len(self._waiting))

    def _poll(self) -> None:
        while self._waiting and self._active < self.most:
            batch = self._waiting[: self.batch]
            if not self.probe(batch, self._ended):
                self.world.after(1.0, self._poll)
                return
            self._active += 1
            del self._waiting[: self.batch]

    def _ended(self) -> None:
        self._active -= 1
        self._poll()
