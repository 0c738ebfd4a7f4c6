"""The life of one task in steps. A task is a value; each step gives the next one, with another `version`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from core.model.agent import AgentVariable
from core.model.instants import format_instant
from tests.exploration.tasks import COMPLAINT, ENI, born, command_of, variable
from tests.factories import at

IMAGE: Final = "python:3.13-slim"
_ARN: Final = "arn:aws:ecs:us-east-1:123456789012:task/default/"
_DEFINITION: Final = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
_OVER: Final = frozenset({"DEPROVISIONING", "STOPPED"})


class Fate(StrEnum):
    """How a task lives unless it is stopped."""

    RUNS = "runs on"
    EXITS = "exits with 3"
    FAILS = "never starts, for a reason that may pass"
    SILENT = "runs, and its agent never listens"
    LAGS = "its RUNNING event comes without the address"
    INTERRUPTED = "is interrupted by Spot"
    REFUSES = "the kernel refuses its agent"
    STUCK = "stays PENDING"


class Task(NamedTuple):
    """`request` is RunTask's, as a text; `shown` to DescribeTasks and StopTask, `listed` by ListTasks.

    `earlier` is the document of the version before, `exited` by itself. `forgotten`: ECS has shown it for long enough,
    and knows its client token no more. Instants are seconds.
    """

    number: int
    container_id: str
    generation: int
    fate: Fate
    request: str
    address: str
    secret: str | None
    birth: float
    status: str
    shown: bool
    listed: bool
    version: int = 1
    wanted: bool = True
    stop: tuple[str, str] | None = None
    exit_code: int | None = None
    exited: bool = False
    listened: bool = False
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    earlier: str | None = None
    forgotten: bool = False

    @property
    def arn(self) -> str:
        return f"{_ARN}{self.number:032x}"

    @property
    def token(self) -> str | None:
        """What its agent knows."""
        return self.secret or _read(self.request)[1]

    @property
    def image(self) -> str:
        return IMAGE

    @property
    def command(self) -> tuple[str, ...]:
        return _read(self.request)[2]

    @property
    def attempt_token(self) -> str:
        """RunTask's client token."""
        return _read(self.request)[0]

    @property
    def answers(self) -> bool:
        """Its agent accepts connections now."""
        return self.listened and self.status == "RUNNING"

    @property
    def printed(self) -> str | None:
        """The only line of its output."""
        return COMPLAINT if self.complained and self.exited else None

    @property
    def complained(self) -> bool:
        """The kernel refused its agent."""
        return self.fate is Fate.REFUSES

    def __str__(self) -> str:
        return f"task {self.number}"


def stop(task: Task, reason: str) -> Task:
    """StopTask."""
    return _changed(task, wanted=False, stop=("UserInitiated", reason)) if task.wanted else task


def next_steps(task: Task, now: float) -> Iterator[tuple[str, Task]]:
    """What may become of it next, of itself or because it was stopped."""
    if task.forgotten:
        return
    if not task.shown:
        yield "DescribeTasks shows it", task._replace(shown=True)
    if not task.listed:
        yield "ListTasks lists it", task._replace(listed=True)
    if task.status == "DEPROVISIONING":
        yield "is STOPPED", _changed(task, status="STOPPED", stopped=now)
    elif task.status != "STOPPED":
        yield from _alive(task, now) if task.wanted else _over(task, now, 143)


def _alive(task: Task, now: float) -> Iterator[tuple[str, Task]]:
    match task.status, task.fate:
        case "PROVISIONING", _:
            yield "is PENDING", _changed(task, status="PENDING")
        case "PENDING", Fate.FAILS:
            yield from _ended(task, now, None, "TaskFailedToStart", ENI)
        case "PENDING", Fate.STUCK:
            pass
        case "PENDING", _:
            yield "is RUNNING", _changed(task, status="RUNNING", started=now)
        case "RUNNING", Fate.EXITS:
            if not task.listened:
                yield "listens", task._replace(listened=True)
            yield from _ended(task, now, 3, "EssentialContainerExited", "Essential container in task exited")
        case "RUNNING", Fate.REFUSES:
            yield from _ended(task, now, 255, "EssentialContainerExited", "Essential container in task exited")
        case "RUNNING", Fate.INTERRUPTED if task.listened:
            reason = "Your Spot Task was interrupted."
            yield "gets Spot's notice", _changed(task, wanted=False, stop=("SpotInterruption", reason))
        case "RUNNING", fate if fate is not Fate.SILENT and not task.listened:
            yield "listens", task._replace(listened=True)


def _ended(task: Task, now: float, code: int | None, stop_code: str, reason: str) -> Iterator[tuple[str, Task]]:
    ended = task._replace(wanted=False, stop=(stop_code, reason), exited=code is not None)
    yield from _over(ended, now, code)


def _over(task: Task, now: float, code: int | None) -> Iterator[tuple[str, Task]]:
    code = code if task.started is not None else None
    yield "is DEPROVISIONING", _changed(task, status="DEPROVISIONING", stopping=now, exit_code=code)


def _changed(task: Task, **changes: Any) -> Task:
    return task._replace(version=task.version + 1, earlier=document(task), **changes)


@lru_cache(maxsize=50_000)
def document(task: Task) -> str:
    """What DescribeTasks shows, as a JSON text."""
    request = json.loads(task.request)
    whole = born(task.arn, request, f"{_DEFINITION}{request['taskDefinition']}:1", at(task.birth))
    main = {
        "name": "main",
        "lastStatus": "STOPPED" if task.status in _OVER else task.status,
        **({} if task.exit_code is None else {"exitCode": task.exit_code}),
    }
    whole |= {
        "version": task.version,
        "lastStatus": task.status,
        "desiredStatus": "RUNNING" if task.wanted else "STOPPED",
        "containers": [main],
        "attachments": [] if task.status == "PROVISIONING" else [_interface(task)],
        **({} if task.stop is None else {"stopCode": task.stop[0], "stoppedReason": task.stop[1]}),
        **_instants(task),
    }
    return json.dumps(whole, default=_spelled, sort_keys=True)


def event(task: Task) -> str:
    """The detail of its event. Secondary fields may lag (ecs.md 1)."""
    if task.fate is Fate.LAGS and task.status == "RUNNING":
        return json.dumps({**json.loads(document(task)), "attachments": []}, sort_keys=True)
    return document(task)


@lru_cache(maxsize=10_000)
def _read(request: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Client token, agent's token and command of a RunTask."""
    said = json.loads(request)
    return said["clientToken"], variable(said, AgentVariable.TOKEN), command_of(said)


def _interface(task: Task) -> dict[str, Any]:
    details = [{"name": "privateIPv4Address", "value": task.address}]
    return {"id": "a", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}


def _instants(task: Task) -> dict[str, datetime]:
    known = {"startedAt": task.started, "stoppingAt": task.stopping, "stoppedAt": task.stopped}
    return {name: at(seconds) for name, seconds in known.items() if seconds is not None}


def _spelled(value: object) -> str:
    assert isinstance(value, datetime)
    return format_instant(value)
