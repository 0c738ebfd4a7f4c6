"""The record: what is known of one container, the same facts as its DynamoDB item (contract.md 3).

Immutable and without I/O. `core.storage.item` spells it for DynamoDB, `core.machine.apply` folds facts into it,
`core.machine.next_actions` reads the pending actions from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from core.model.facts import ContainerSeen
from core.model.failure import Cause, Failure
from core.model.identity import Ref
from core.model.state import State, Trigger

SCHEMA: Final = 1
HISTORY_LIMIT: Final = 32


class Injection(StrEnum):
    """How the agent binary gets into the container (contract.md 5)."""

    EFS = "efs"
    INIT_CONTAINER = "init-container"
    IMAGE = "image"


class Instant(StrEnum):
    """The keys of `timings`. `resolved` and `healthy` are ours, and `stopping` until ECS reports one.

    `execution_stopped` is the end of the containers, `stopped` that of the task: on Fargate seconds later, or an hour.
    """

    CREATED = "created"
    CONNECTIVITY = "connectivity"
    PULL_STARTED = "pull_started"
    PULL_STOPPED = "pull_stopped"
    STARTED = "started"
    RESOLVED = "resolved"
    HEALTHY = "healthy"
    STOPPING = "stopping"
    EXECUTION_STOPPED = "execution_stopped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Probe:
    """`probe`: how the asking for the agent stands.

    `deadline` is set when the address is resolved, and anew when it has passed without a verdict; `last_error` and
    `remedy` then say what keeps the prober from one.

    `silent_at`: the prober's verdict that the deadline has passed without an answer, with its `remedy`. It is not the
    container's failure yet: its process may have ended unheard of, so ECS is asked first.
    """

    deadline: datetime
    attempts: int = 0
    last_error: str | None = None
    silent_at: datetime | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """`stop`: how the task ended. `code` is ECS's stopCode, an open set. `requested`: the backend asked for it.

    `oom_killed`: the container was killed for the memory it used. `cause`: the diagnosis of an end without an `error`.
    """

    code: str | None = None
    reason: str | None = None
    exit_code: int | None = None
    requested: bool = False
    oom_killed: bool = False
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class UnexplainedEnd:
    """`unexplained`: what ECS showed of an end that only the output of `container` can explain, until it is read.

    `at`: when the end became known. `reason` is the task's. `containers` are without their interfaces. The container
    has ended, and its record's state is open: `stopped` if the container's own process ran, `failed` if the container
    runtime could not execute it.
    """

    at: datetime
    container: str
    containers: tuple[ContainerSeen, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch of this generation that was given up before the container ran, and tried again.

    `task_arn` is None when ECS refused to start a task at all. `failure` says why.
    """

    at: datetime
    failure: Failure
    task_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One start that asks ECS for the task of the current launch: which invocation, and since when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Launching:
    """`launching`: who has asked for the task of the current launch, saved before RunTask is called.

    As long as one of `asked` has not said that ECS refused, the task may exist. `request_hash` is that of the start
    request (`core.control.start`): another request may not take its place meanwhile.
    """

    asked: tuple[Ask, ...] = ()
    request_hash: str | None = None


@dataclass(frozen=True, slots=True)
class UnwantedTask:
    """A task of this container that its record does not name: it is stopped. `at`: since when that is known."""

    task_arn: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of `history`."""

    at: datetime
    origin: State
    to: State
    trigger: Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One container. `revision` guards our writes, `task_version` orders ECS's events: two counters, two jobs.

    `created_at` is the instant at which this generation was recorded; the start timeout runs from `launched_at`.
    `early_address` is what ECS shows while the task is only PENDING: the prober tries it, and no reader relies on it.
    `health_timeout` and `start_timeout` (seconds) are there when the request named its own.
    The token is in no `repr`. `token_parameter` names the SecureString that holds it too (`ssm` delivery), until that
    is deleted.
    """

    container_id: str
    state: State
    generation: int
    revision: int
    created_at: datetime
    updated_at: datetime
    schema: int = SCHEMA
    task_version: int = 0
    cluster_arn: str | None = None
    task_arn: str | None = None
    task_definition_arn: str | None = None
    image: str | None = None
    injection: Injection | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    keep_alive: bool = False
    agent_address: str | None = None
    early_address: str | None = None
    agent_token: str | None = field(default=None, repr=False)
    timings: Mapping[Instant, datetime] = field(default_factory=dict)
    probe: Probe | None = None
    error: Failure | None = None
    stop: Stop | None = None
    history: tuple[Step, ...] = ()
    launches: tuple[Launch, ...] = ()
    launching: Launching | None = None
    unwanted_tasks: tuple[UnwantedTask, ...] = ()
    unexplained: UnexplainedEnd | None = None
    health_timeout: int | None = None
    start_timeout: int | None = None
    token_parameter: str | None = None
    watch: str | None = None
    check_at: datetime | None = None
    expires_at: int | None = None

    @property
    def ref(self) -> Ref:
        """Which container and generation this is."""
        return Ref(self.container_id, self.generation)

    @property
    def attempt(self) -> int:
        """The number of the current launch of this generation, from 1 on."""
        return len(self.launches) + 1

    @property
    def launched_at(self) -> datetime:
        """Since when the current launch is awaited."""
        return self.launches[-1].at if self.launches else self.created_at

    @property
    def asked(self) -> tuple[Ask, ...]:
        """Who may have started a task that is not known yet."""
        return self.launching.asked if self.launching else ()

    def asked_by_others(self, by: str) -> tuple[Ask, ...]:
        """The same without the invocation `by`."""
        return tuple(ask for ask in self.asked if ask.by != by)

    @property
    def unlaunched(self) -> bool:
        """Recorded, and no task of the current launch is known: a start may ask for it."""
        return self.state is State.PENDING and self.task_arn is None and not self.stop_requested

    @property
    def last_asked_at(self) -> datetime:
        """Since when ECS can be expected to show a task of the current launch, if there is one."""
        created = self.timings.get(Instant.CREATED) if self.task_version == 0 else None
        return max((self.launched_at, created or self.launched_at, *(ask.at for ask in self.asked)))

    @property
    def stop_requested(self) -> bool:
        """The backend asked for the end."""
        return self.stop is not None and self.stop.requested

    @property
    def finished_at(self) -> datetime | None:
        """The container's own end. Where ECS does not report it: when the task of a container that ended began to stop.

        Never the task's end while one of these is known: ECS may show that much later.
        """
        exited = self.stop is not None and self.stop.exit_code is not None
        known = (Instant.EXECUTION_STOPPED, *((Instant.STOPPING,) if exited else ()), Instant.STOPPED)
        return next((self.timings[name] for name in known if name in self.timings), None)

    @property
    def given_up_task(self) -> str | None:
        """The newest task of a launch that was given up: what another launch copies."""
        return next((launch.task_arn for launch in reversed(self.launches) if launch.task_arn), None)

    def gave_up(self, task_arn: str) -> bool:
        """Whether this task belongs to a launch that was given up."""
        return any(launch.task_arn == task_arn for launch in self.launches)

    @property
    def stopping(self) -> bool:
        """ECS is known to be ending the task, or to have accepted our request to."""
        return Instant.STOPPING in self.timings or Instant.STOPPED in self.timings
