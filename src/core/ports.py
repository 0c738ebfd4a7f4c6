"""What the core needs of the world, as protocols. `core.adapters` implements them; tests have fakes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from core.launch.settings import Settings
from core.model.actions import Action
from core.model.errors import CallFailed, ReachError, UnreadableRecord
from core.model.families import DefinitionUse
from core.model.identity import Ref
from core.model.policy import Policy
from core.model.record import Record, Settled, Unknown

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef


class Clock(Protocol):
    """Time and chance."""

    def now(self) -> datetime:
        """An aware UTC datetime with whole milliseconds."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""

    def sleep(self, seconds: float) -> object: ...
    def random(self) -> float:
        """A number from 0 to 1: starts that wait together must not go together."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The readable records by container id, and the items that cannot be read. An id in neither has no item.

    But for those that are `unprocessed` (`core.client.Reader`): whether they have one is not known.
    """

    records: Mapping[str, Record]
    unreadable: tuple[UnreadableRecord, ...] = ()
    unprocessed: tuple[str, ...] = ()


class RevisionConflict(ReachError):
    """Another writer was first, nothing was written. `current` is the item that won, where the engine returns it."""

    def __init__(self, container_id: str, current: Record | None) -> None:
        super().__init__(f"The item of container {container_id} was changed by another writer.")
        self.container_id = container_id
        self.current = current


class Store(Protocol):
    """The table. Raises `UnreadableRecord` for an item this version cannot interpret, `CallFailed` for an outage."""

    def load(self, container_id: str) -> Record | None:
        """A strongly consistent read. An item past its time to live is read too: its revision guards the next write."""

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """The newest records of any number of ids. One item that cannot be read does not hide the others."""

    def save(self, record: Record) -> None:
        """Writes the record if the item still has revision `record.revision - 1` (1: no item may exist).

        Else it raises `RevisionConflict`. A write whose answer was lost and that the SDK repeats meets itself:
        `current` then equals `record`.
        """

    def due(self, shard: str, until: datetime) -> Iterable[str]:
        """The ids of one shard whose `check_at` is not after `until`, oldest first, page by page.

        The index is eventually consistent: only the loaded record says whether it is due.
        """

    def scheduled(self) -> Iterable[str]:
        """The ids of all shards, those that are not due included, page by page: each live container's.

        Also of ended ones with work left. Eventually consistent.
        """

    def load_all(self) -> Loaded:
        """The record of every container, by a strongly consistent read of the whole table."""

    def definition_uses(self) -> Iterable[DefinitionUse]:
        """Of each item that names a task definition, page by page. A strongly consistent read of the whole table."""


class ProbeQueue(Protocol):
    """The prober's queue. Raises `CallFailed`."""

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        """A prober gets it after so many seconds, at most 900."""


class StartTimes(Protocol):
    """What is learnt of the starts of a task definition (`core.machine.early_probe`). Raises `CallFailed`."""

    def usual(self, family: str) -> float | None:
        """Seconds; None while nothing is known, or for a month nothing was learnt."""

    def learn(self, family: str, seconds: float, now: datetime) -> None:
        """From now on `usual` returns this."""


class Output(Protocol):
    """What containers printed, as far as it went to the stack's log group."""

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """The newest lines of a container of this task, at most so many, the newest last. Raises `CallFailed`."""


class TokenVault(Protocol):
    """The Parameter Store, for tokens that must not travel in RunTask's overrides. Raises `CallFailed`."""

    def put(self, name: str, token: str) -> None:
        """A SecureString parameter; one that exists is written over."""

    def erase(self, name: str) -> None:
        """Deletes it. One that is not there is as good as deleted."""

    def names(self, prefix: str) -> Iterable[tuple[str, datetime]]:
        """Every parameter below `/<prefix>/`, with the instant of its last change, page by page."""


@dataclass(frozen=True, slots=True)
class Described:
    """The answer to DescribeTasks. `missing` are ARNs that ECS calls MISSING.

    `refused` has one error for each ARN that ECS did not show for another reason: nothing is known of that task.
    """

    tasks: tuple[TaskTypeDef, ...]
    missing: tuple[str, ...]
    refused: tuple[CallFailed, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of ListTasks. `following` is what the next page comes `after`, None on the last one."""

    task_arns: tuple[str, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """The task that RunTask started, or had started before for the same client token."""

    task_arn: str
    task_definition_arn: str
    cluster_arn: str
    capacity_provider_name: str | None = None


class Ecs(Protocol):
    """The ECS API. Every method raises `CallFailed`, and `RunStopped` in a background run (`RateLimitedEcs`)."""

    def register(self, definition: dict[str, Any]) -> None:
        """RegisterTaskDefinition: from now on RunTask takes its family. Done twice, it makes two revisions."""

    def run(self, request: dict[str, Any]) -> Launched:
        """RunTask, never repeated. Raises `CallFailed` for no task, `DefinitionGone` for no ACTIVE definition."""

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """StopTask. False when ECS does not know the task."""

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """DescribeTasks with the tags, at most 100 ARNs."""

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        """ListTasks by startedBy: the ARNs of that generation's tasks that are to run, or those that are not."""

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """At most 100 of the cluster's Fargate tasks, of any starter, with desiredStatus RUNNING; `after` that page."""


class Turn(Enum):
    """Who registers a family."""

    OURS = "ours"
    ANOTHERS = "another's"
    DONE = "done"


class Registrations(Protocol):
    """Whose turn it is to register a task definition, among all starts of one stack. Raises `CallFailed`."""

    def claim(self, family: str, now: datetime) -> Turn:
        """OURS: register it, then say `done` or `release`. DONE: another start has, within the last moments."""

    def extend(self, family: str, now: datetime) -> None:
        """It takes longer: the turn is still ours."""

    def done(self, family: str, now: datetime) -> None:
        """It is registered; for some moments every claim is answered with DONE."""

    def release(self, family: str, now: datetime) -> None:
        """It could not be registered: the next claim gets the turn."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A revision of a task definition, and when it was registered."""

    arn: str
    at: datetime


class Definitions(Protocol):
    """The task definitions of the account and Region. Every method raises `CallFailed`."""

    def families(self, stem: str) -> Sequence[str]:
        """The families whose names begin with `stem`, whatever the status of their revisions."""

    def newest(self, family: str) -> Registered | None:
        """The latest ACTIVE revision."""

    def has_tasks(self, family: str) -> bool:
        """Whether ECS shows a task of this family in our cluster that is to run."""

    def revisions(self, family: str, *, active: bool) -> Sequence[str]:
        """The ARNs of its ACTIVE or of its INACTIVE revisions."""

    def deregister(self, arn: str) -> None:
        """Makes a revision INACTIVE. One that is not there counts as deregistered."""

    def delete(self, arns: Sequence[str]) -> Sequence[str]:
        """Deletes up to 10 INACTIVE revisions. Returns those that ECS refused; missing ones count as deleted."""


class Observer(Protocol):
    """What an operator may want to know, as it happens: the log and the metrics of a function."""

    def settled(self, settled: Settled | Unknown) -> None:
        """Facts were applied, or pending actions performed: also when an error is raised afterwards."""

    def failed(self, error: ReachError) -> None:
        """A background run goes on without what failed."""

    def labels_left_out(self, record: Record, labels: Sequence[str]) -> None:
        """AWS does not take these labels, named here, as tags. The container starts without them."""

    def output_unread(self, ref: Ref, task_arn: str, error: CallFailed | None) -> None:
        """A container's output could not be read, or (None) there is none: ECS's data alone tell its end."""

    def task_leaked(self, ref: Ref, task_arn: str, why: str) -> None:
        """A task runs that no record refers to. It is stopped next, unless the operator keeps such tasks."""


class Ports(Protocol):
    """What the functions of `core.control` work with. An implementation may make each port when it is first read.

    `performs` are the actions that this function may perform; it leaves the others to the functions that may. `process`
    names this process among those that may make a launch: Lambda runs one invocation at a time in it. `new_token` makes
    a secret of 64 hexadecimal digits. `output` is None for a function that may not read it, and without a log group of
    the stack's; `output_patience` are the seconds to wait for a first line of it.
    """

    @property
    def settings(self) -> Settings: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def performs(self) -> frozenset[type[Action]]: ...
    @property
    def process(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    def new_token(self) -> str: ...
    @property
    def observer(self) -> Observer: ...
    @property
    def store(self) -> Store: ...
    @property
    def ecs(self) -> Ecs: ...
    @property
    def definitions(self) -> Definitions: ...
    @property
    def registrations(self) -> Registrations: ...
    @property
    def queue(self) -> ProbeQueue: ...
    @property
    def start_times(self) -> StartTimes: ...
    @property
    def vault(self) -> TokenVault: ...
    @property
    def output(self) -> Output | None: ...
    @property
    def output_patience(self) -> float: ...
