"""The functions' own handlers, invoked one after the other on ports in memory: what AWS would count of each.

Reads and writes are counted by DynamoDB's rules, what is printed by the byte. AWS is not called.
"""

from __future__ import annotations

import copy
import importlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from logging import StreamHandler
from typing import Any, Final, cast
from unittest.mock import patch

from core.model.agent import Child
from core.probe.answer import Answer
from docs.counted import schedules, template
from docs.metered_store import MeteredStore, item_bytes
from handlers import agent_health
from handlers.app import App
from handlers.telemetry import logger
from tests.factories import CONTAINER_ID, SETTINGS, TASK, event
from tests.fakes import FakeDefinitions, FakeEcs, MemoryRegistrations, MemoryVault, RecordingQueue, SettableClock
from tests.template import Resolved

STACK: Final = "sockerless-reach"
ENTRY_OVERHEAD: Final = 26
"""Bytes that CloudWatch Logs adds to each entry (PutLogEvents)."""
_REQUEST: Final = "8f507cfc-0000-4697-b07a-ac58fc914c95"
# What Lambda itself prints for each invocation (Lambda guide, "View CloudWatch logs for Python functions").
_PLATFORM: Final = (
    f"START RequestId: {_REQUEST} Version: $LATEST",
    f"END RequestId: {_REQUEST}",
    "\t".join(
        (f"REPORT RequestId: {_REQUEST}", "Duration: 123.45 ms", "Billed Duration: 124 ms", "Memory Size: 256 MB")
    ),
)

_OPERATIONS: Final = {
    "run": "RunTask",
    "register": "RegisterTaskDefinition",
    "stop": "StopTask",
    "describe": "DescribeTasks",
    "find": "ListTasks",
    "running": "ListTasks",
}

_PRINTER: Final = cast("StreamHandler[Any]", logger.registered_handler)


@dataclass(slots=True)
class Usage:
    """What is charged. `reads` and `writes` are DynamoDB's request units, `metrics` name and dimensions of each."""

    invocations: Counter[str] = field(default_factory=Counter)
    reads: float = 0
    writes: int = 0
    messages: int = 0
    log_bytes: int = 0
    metrics: set[tuple[str, ...]] = field(default_factory=set)
    item_bytes: int = 0
    """The largest item."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one event of a life asks of AWS: `calls` by operation, `reads` in RRU, `writes` and `index` in WRU.

    `item_bytes`: of the item after it.
    """

    what: str
    function: str
    calls: Mapping[str, int]
    reads: float
    writes: int
    index: int
    item_bytes: int


class _Agent:
    """`HttpProbe` of an agent that listens, runs the command and knows its token."""

    async def check_health(self, address: str, *, timeout: float) -> Answer:  # noqa: ARG002, ASYNC109 - HttpProbe's signature
        return Answer(child=Child(pid=7))

    async def check_identity(self, address: str, token: str, *, timeout: float) -> Answer:  # noqa: ARG002, ASYNC109
        return Answer()


class _Registered(dict[str, str]):
    """The task definitions that ECS knows: every one, as for all starts of a shape but the first."""

    def get(self, family: str, default: Any = None) -> Any:  # noqa: ARG002 - dict's signature
        return f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:1"


@dataclass(frozen=True, slots=True)
class _Context:
    """Lambda's, with names as long as real ones."""

    function: str
    memory_limit_in_mb: int = 256
    aws_request_id: str = _REQUEST

    @property
    def function_name(self) -> str:
        return f"{STACK}-{self.function}-AbCdEfGhIjKl"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Stack:
    """The functions of the template, invoked one after the other."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.steps: list[Step] = []
        self.store = MeteredStore()
        self.clock = SettableClock()
        self.ecs = FakeEcs(self.clock, definitions=_Registered())
        self.queue = RecordingQueue()
        self.definitions = FakeDefinitions()

    def run(self, schedule: str) -> None:
        """The scheduler, once. Without an Input it sends a document of its own."""
        function, properties = schedules()[schedule]
        self.invoke(schedule, function, json.loads(properties.get("Input", '{"version": "0"}')))

    def start(self) -> None:
        """Until the agent has answered."""
        self.invoke("the start", "StartContainerFunction", event("start-container"))
        self.clock.advance(28)
        [task] = self.ecs.tasks
        self.ecs.walk(task, "RUNNING")
        self._task_event("the task is RUNNING", event("task-running"))
        [(container_id, generation, address)] = self.queue.sent
        message = event("agent-health")
        body = {"container_id": container_id, "generation": generation, "address": address}
        message["Records"][0]["body"] = json.dumps(body)
        self.invoke("the agent answers", "AgentHealthFunction", message)
        self.usage.messages += 3 * len(self.queue.sent)  # sent, received, deleted

    def live(self) -> None:
        """Until the end: the backend stops it."""
        self.start()
        self.clock.advance(300)
        self.invoke("the stop", "StopContainerFunction", event("stop-container"))
        for version, status in enumerate(("STOPPING", "DEPROVISIONING", "STOPPED"), start=4):
            self.clock.advance(10)
            told = event("task-stopped-by-user")
            told["detail"] |= {"version": version, "lastStatus": status}
            if status == "STOPPING":
                for container in told["detail"]["containers"]:
                    container["lastStatus"] = "RUNNING"
                    container.pop("exitCode", None)
                del told["detail"]["executionStoppedAt"]
            if status != "STOPPED":
                del told["detail"]["stoppedAt"]
            self._task_event(f"the task is {status}", told)

    def _task_event(self, what: str, document: dict[str, Any]) -> None:
        [task] = self.ecs.tasks
        self.invoke(what, "TaskStateFunction", json.loads(json.dumps(document).replace(TASK, task)))

    def invoke(self, what: str, function: str, document: dict[str, Any]) -> None:
        """One invocation, counted."""
        before, store = self._called(), copy.copy(self.store)
        printed = io.StringIO()
        _PRINTER.setStream(printed)
        with redirect_stdout(printed):
            importlib.import_module(_module(function)).handler(document, _Context(function))
        self.usage.invocations[function] += 1
        self.steps.append(
            Step(
                what,
                function,
                dict(self._called() - before),
                self.store.reads - store.reads,
                self.store.writes - store.writes - (self.store.index_writes - store.index_writes),
                self.store.index_writes - store.index_writes,
                item_bytes(self.store.item(CONTAINER_ID) or {}),
            )
        )
        self.usage.reads, self.usage.writes = self.store.reads, self.store.writes
        self.usage.item_bytes = self.store.item_bytes
        lines = printed.getvalue().splitlines()
        for line in lines:
            self.usage.metrics |= set(_metrics(json.loads(line)))
        # The first invocation of this process is the only cold one; the page shows a warm one.
        warm = [line.replace('"cold_start":true', '"cold_start":false') for line in lines]
        self.usage.log_bytes += sum(len(line.encode()) + ENTRY_OVERHEAD for line in (*warm, *_PLATFORM))

    def _called(self) -> Counter[str]:
        """The calls so far, by their operations in the words of AWS."""
        called = Counter({"read of an item": self.store.gets, "write of an item": self.store.puts})
        called += Counter(_OPERATIONS[call] for call in self.ecs.calls)
        return called + Counter({"SendMessage": len(self.queue.sent)})


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """CloudWatch's embedded metric format: a metric for each name and set of values of the dimensions."""
    for directive in document.get("_aws", {}).get("CloudWatchMetrics", ()):
        for dimensions in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                yield (metric["Name"], *(f"{name}={document[name]}" for name in sorted(dimensions)))


@contextmanager
def stack_in_memory() -> Iterator[Stack]:
    """A new stack, whose composition root has ports in memory; all is as it was afterwards."""
    stack = Stack()
    ports: Mapping[str, Any] = {
        "store": stack.store,
        "registrations": MemoryRegistrations(),
        "ecs": stack.ecs,
        "definitions": stack.definitions,
        "queue": stack.queue,
        "vault": MemoryVault(),
        "output": None,
        "clock": stack.clock,
        "settings": replace(SETTINGS, agent_image="agent", probe_queue_url="queue"),
    }
    variables = Resolved(template(), **{"AWS::StackName": STACK}).environment("ReconcileFunction")
    with ExitStack() as undo:
        for name, port in ports.items():
            undo.enter_context(patch.object(App, name, port))
        undo.enter_context(patch.object(agent_health, "HttpProbe", _Agent))
        undo.enter_context(patch.dict(os.environ, variables))
        undo.callback(logger.append_keys, service=logger.service)
        logger.append_keys(service=STACK)
        undo.callback(_PRINTER.setStream, _PRINTER.stream)
        yield stack


def _module(function: str) -> str:
    return str(template()["Resources"][function]["Properties"]["Handler"]).removesuffix(".handler")
