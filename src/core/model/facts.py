"""Facts: what has become known about one container, in the past tense.

`ref` is the container and the generation that the fact speaks of, `at` the instant at which we learnt it.
`core.machine.apply` applies facts to records: it has a case for each member of `Fact`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from core.model.failure import Failure
from core.model.identity import Ref


class Source(StrEnum):
    """Where a snapshot of a task came from: an event, or DescribeTasks. Both carry ECS's `version`."""

    EVENT = "event"
    DESCRIBED = "described"


@dataclass(frozen=True, slots=True)
class Interface:
    """`containers[].networkInterfaces[]`."""

    attachment_id: str | None
    ipv4: str | None = None
    ipv6: str | None = None


MAIN: Final = "main"
INIT: Final = "init"
"""The containers of our tasks: the agent runs in the first, the second copies it (contract.md 5)."""


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """`containers[]`: `exit_code` None means that it never ran, or has not ended. `complaint` is of `OutputRead`."""

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
    ref: Ref
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObserved(_Fact):
    """ECS showed one version of the task. The instants are its own; `last_status` and `stop_code` are open sets."""

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
    capacity_provider_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskListed(_Fact):
    """ListTasks shows a task of this generation that DescribeTasks does not show yet: ECS is eventually consistent."""

    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRejected(_Fact):
    """RunTask, or a call before it, refused the launch `attempt` to the start `by` alone (`Launching.asked`).

    `by_run_task`: RunTask itself refused, so ECS knew no task of this launch at that moment.
    """

    failure: Failure
    attempt: int
    by: str
    by_run_task: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchClaimed(_Fact):
    """The process `by` is about to make the pending launch `attempt`."""

    by: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTaskMissing(_Fact):
    """ECS does not show the failed task that the launch `attempt` is to repeat."""

    task_arn: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered(_Fact):
    """The agent at `address` answered as it should, at the `attempts`-th try; `has_child`: it shows its child."""

    address: str
    attempts: int
    has_child: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExited(_Fact):
    """The agent says that the container's process has exited: to a prober at `address`, or (None) to the backend.

    `exit_code` is the agent's word: -1 of the public agent for a signal, None where it has none.
    """

    address: str | None
    exit_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSilent(_Fact):
    """The deadline of the item passed without an answer.

    `last_error` is the last connection error, `remedy` what its class suggests (a time-out: the security group).
    """

    address: str
    attempts: int
    last_error: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAborted(_Fact):
    """A prober could not probe `address`, or not write its verdict: the agent may be well.

    `last_error` says what prevented it. It is known from the prober's log (`handlers.reconcile`).
    """

    address: str
    last_error: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGone(_Fact):
    """DescribeTasks does not know the task (MISSING), or ListTasks shows none of this generation (None)."""

    task_arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(_Fact):
    """The clock was read: deadlines that have passed by `at` count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(_Fact):
    """The backend asked for the end of the container."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenErased(_Fact):
    """The SecureString parameter with the agent's token is deleted, or was never there."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAccepted(_Fact):
    """StopTask answered, or the task had ended already: no stop is pending any more."""

    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRead(_Fact):
    """The output of the container whose end ECS does not explain was read, or could not be read.

    `complaint` is the container runtime's about a program that it could not run, if any
    (`core.machine.runtime_complaint`).
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
    | ProcessExited
    | AgentSilent
    | ProbeAborted
    | TaskGone
    | TimePassed
    | StopRequested
    | TokenErased
    | StopAccepted
    | OutputRead
)
