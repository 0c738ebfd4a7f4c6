"""The parts of a record: one class for each map of its item (contract.md 3)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.model.facts import MAIN, ContainerSeen
from core.model.failure import Cause, Failure
from core.model.identity import log_stream
from core.model.state import State, Trigger


class Instant(StrEnum):
    """The keys of `timings`. `resolved`, `healthy` and `exited` are ours, the others ECS's; `stopping` is ours first.

    `exited` is when the agent's report of the end arrived, `execution_stopped` is the end of the containers, `stopped`
    that of the task: on Fargate seconds later, or an hour.
    """

    CREATED = "created"
    CONNECTIVITY = "connectivity"
    PULL_STARTED = "pull_started"
    PULL_STOPPED = "pull_stopped"
    STARTED = "started"
    RESOLVED = "resolved"
    HEALTHY = "healthy"
    EXITED = "exited"
    STOPPING = "stopping"
    EXECUTION_STOPPED = "execution_stopped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Logs:
    """`logs`: where the main container's output is in CloudWatch Logs. `stream` is None until the task is known."""

    group: str
    stream_prefix: str
    stream: str | None = None

    def of_task(self, task_arn: str | None) -> Self:
        """The same group, and the stream of that task."""
        return replace(self, stream=log_stream(self.stream_prefix, MAIN, task_arn) if task_arn else None)


@dataclass(frozen=True, slots=True)
class Probe:
    """`probe`: what the prober has found so far.

    `deadline` is set when the address is resolved, and anew when it has passed without a verdict; `last_error` and
    `remedy` then say what keeps the prober from one. `silent_at`: the verdict that the deadline has passed without an
    answer, with its `remedy`. The record fails only after DescribeTasks, because the event of the end may be lost.
    """

    deadline: datetime
    attempts: int = 0
    last_error: str | None = None
    silent_at: datetime | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """`stop`: how the task ended. `code` is ECS's stopCode, an open set. `requested`: the backend asked for the end.

    `unconfirmed`: `timings.stopping` is the request's, and StopTask may not have been called yet.
    `reported`: the agent reported the exit code, so that of ECS is only that of the StopTask that followed. `expired`:
    its `max_lifetime` has passed. `oom_killed`: killed for the memory it used. `cause`: the diagnosis of an end without
    an `error`.
    """

    code: str | None = None
    reason: str | None = None
    exit_code: int | None = None
    requested: bool = False
    unconfirmed: bool = False
    reported: bool = False
    expired: bool = False
    oom_killed: bool = False
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class AgentWarning:
    """`warning`: the agent answers, and something is wrong all the same."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class UnexplainedEnd:
    """`unexplained`: an end, known since `at`, that only the output of `container` can explain, until it is read.

    The output decides the state: `stopped` if the container's own process ran, `failed` if the container runtime could
    not execute it. `reason` is the task's; `containers` are without their interfaces.
    """

    at: datetime
    container: str
    containers: tuple[ContainerSeen, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch that was given up before the container ran. `task_arn` is None when ECS refused to start a task."""

    at: datetime
    failure: Failure
    task_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A start that calls RunTask for the current launch: by which invocation, and since when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Launching:
    """`launching`: the starts that call RunTask for the current launch, saved before they do.

    Until ECS has refused each of `asked`, the task may exist, and no request with another `request_hash` may start one.
    """

    asked: tuple[Ask, ...] = ()
    request_hash: str | None = None


@dataclass(frozen=True, slots=True)
class UnwantedTask:
    """A task of this container that its record does not name, to be stopped. `at`: since when that is known."""

    task_arn: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of `history`."""

    at: datetime
    origin: State
    to: State
    trigger: Trigger
