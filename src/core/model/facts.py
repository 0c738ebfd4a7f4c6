"""Facts: what has become known about one container, in the past tense.

`ref` is the container and the generation that the fact speaks of, `at` the instant at which we learnt it.
`core.machine.apply` applies facts to records: it has a case for each member of `Fact`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from core.model.failure import Failure
from core.model.identity import Ref


class Source(StrEnum):
    """Where a snapshot of a task came from. Both carry ECS's `version`; only a description was asked for."""

    EVENT = "event"
    DESCRIBED = "described"


@dataclass(frozen=True, slots=True)
class Interface:
    """`containers[].networkInterfaces[]`."""

    attachment_id: str | None
    ipv4: str | None = None
    ipv6: str | None = None


MAIN: Final = "main"
"""The container of our tasks that the agent runs in (contract.md 5)."""
INIT: Final = "init"
"""The one that copies the agent, in the strategy `init-container`."""


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """`containers[]`: `exit_code` None means that it never ran, or has not ended.

    `complaint` is not ECS's: what the container runtime printed because it could not run the program (`OutputRead`).
    """

    name: str
    last_status: str
    exit_code: int | None = None
    reason: str | None = None
    interfaces: tuple[Interface, ...] = ()
    complaint: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """`attachments[]`, with the details as a mapping from name to value; `raw` is the document as ECS sent it."""

    id: str | None
    type: str
    status: str | None
    details: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """What all facts share."""

    ref: Ref
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObserved(_Fact):
    """ECS showed the task: one version of it, whole. From an event or from DescribeTasks.

    The instants are ECS's own. `last_status` and `stop_code` are open sets (ecs.md 4).
    """

    source: Source
    task_arn: str
    version: int
    last_status: str
    desired_status: str
    cluster_arn: str | None = None
    task_definition_arn: str | None = None
    containers: tuple[ContainerSeen, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    created_at: datetime | None = None
    connectivity_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    capacity_provider_name: str | None = None

    def container(self, name: str) -> ContainerSeen | None:
        """The container of that name. By name, never by index: ECS adds containers (GuardDuty)."""
        return next((seen for seen in self.containers if seen.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAccepted(_Fact):
    """RunTask answered with a task."""

    task_arn: str
    task_definition_arn: str
    cluster_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskListed(_Fact):
    """ListTasks shows a task of this generation that DescribeTasks does not show yet: ECS is eventually consistent."""

    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRejected(_Fact):
    """RunTask, or a call it needs, refused `attempt`, the launch with that number.

    It speaks for the asker `by` alone (`Launching.asked`). `by_run_task`: RunTask itself refused, so ECS knew no task
    of this launch at that moment.
    """

    failure: Failure
    attempt: int
    by: str
    by_run_task: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchClaimed(_Fact):
    """The process `by` is about to make the launch with this number, which the record owes."""

    by: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTaskMissing(_Fact):
    """ECS does not show the failed task that the launch `attempt` is to repeat."""

    task_arn: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered(_Fact):
    """The agent at `address` answered as it should, at the `attempts`-th try."""

    address: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSilent(_Fact):
    """The deadline of the item passed without an answer. `last_error` is the last connection error, in words.

    `remedy` is what the class of that error suggests (a time-out: the security group; a refusal: the agent).
    """

    address: str
    attempts: int
    last_error: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAborted(_Fact):
    """A prober could not ask the agent at `address`, or not write what it found. No verdict: the agent may be well.

    `last_error` says what kept it, `remedy` what to do. Its own log is where it could say so (`handlers.reconcile`).
    """

    address: str
    last_error: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGone(_Fact):
    """DescribeTasks or ListTasks does not know the task: MISSING, or none was ever started.

    `task_arn` is the one that was asked for; None when ListTasks found none of this generation.
    """

    task_arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(_Fact):
    """Somebody looked at the clock: deadlines that have passed by `at` now count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(_Fact):
    """The backend wants the container stopped."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenErased(_Fact):
    """The SecureString parameter with the agent's token is deleted, or was never there."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAccepted(_Fact):
    """StopTask answered, or the task had gone already: no stop is pending any more."""

    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRead(_Fact):
    """The output of the container whose end ECS does not explain was read, or could not be.

    `complaint` is the container runtime's, None where it has none (`core.machine.runtime_complaint`).
    """

    complaint: str | None


Fact: TypeAlias = (
    TaskObserved
    | LaunchAccepted
    | TaskListed
    | LaunchRejected
    | LaunchClaimed
    | FailedTaskMissing
    | AgentAnswered
    | AgentSilent
    | ProbeAborted
    | TaskGone
    | TimePassed
    | StopRequested
    | TokenErased
    | StopAccepted
    | OutputRead
)
