"""What the core needs of the world, as protocols. `core.adapters` implements them; tests have fakes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from core.model.definition_use import DefinitionUse
from core.model.errors import CallFailed, ReachError, UnreadableRecord
from core.model.identity import Ref
from core.model.record import Record


class Clock(Protocol):
    """Now, as an aware UTC datetime."""

    def __call__(self) -> datetime:
        """The instant."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What `load_many` found: the readable records by container id, and the items that cannot be read.

    An id in neither has no item.
    """

    records: Mapping[str, Record]
    unreadable: tuple[UnreadableRecord, ...] = ()


class RevisionConflict(ReachError):
    """Another writer was first. `current` is the item that won, when the engine returned it."""

    def __init__(self, container_id: str, current: Record | None) -> None:
        super().__init__(f"The item of container {container_id} was changed by another writer.")
        self.container_id = container_id
        self.current = current


class Store(Protocol):
    """The table. Raises `UnreadableRecord` for an item this version cannot interpret, `CallFailed` for an outage."""

    def load(self, container_id: str) -> Record | None:
        """The newest record (a strongly consistent read), or None.

        An item whose time to live has passed is still returned: its revision guards the next write.
        """

    def load_many(self, container_ids: Iterable[str]) -> Loaded:
        """The newest records of any number of ids. One item that cannot be read does not hide the others."""

    def save(self, record: Record) -> None:
        """Writes the record if the item still has revision `record.revision - 1` (1: no item may exist).

        Raises `RevisionConflict` with the winner's record where the engine returns it. Writes nothing then.
        A write whose answer was lost and that the SDK repeats meets itself: `current` then equals `record`.
        """

    def due(self, shard: str, until: datetime) -> Iterable[str]:
        """The container ids of one shard whose `check_at` is not after `until`, oldest first, page by page.

        From an eventually consistent index: load a record before believing that it is due.
        """


class ProbeQueue(Protocol):
    """The queue that the prober reads."""

    def send(self, ref: Ref, address: str) -> None:
        """Asks for a probe of `address`. Raises `CallFailed`."""


@dataclass(frozen=True, slots=True)
class Described:
    """The answer to DescribeTasks: task documents in the API's spelling, and the ARNs ECS calls MISSING.

    `refused` has one error for each ARN that ECS did not show for another reason: nothing is known of that task.
    """

    tasks: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]
    refused: tuple[CallFailed, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of ListTasks: ARNs, and what to ask for the next page with; None on the last one."""

    task_arns: tuple[str, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """The task that RunTask started, or had started before for the same client token."""

    task_arn: str
    task_definition_arn: str
    cluster_arn: str


class Output(Protocol):
    """What containers printed, as far as it went to the stack's log group."""

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """The newest lines of a container of this task, at most so many, the newest last; none while none is there.

        Raises `CallFailed`.
        """


class TokenVault(Protocol):
    """The Parameter Store, for tokens that must not travel in RunTask's overrides. Raises `CallFailed`."""

    def put(self, name: str, token: str) -> None:
        """A SecureString parameter of this name with this value; one that exists is written over."""

    def erase(self, name: str) -> None:
        """Deletes it. One that is not there is as good as deleted."""

    def names(self, prefix: str) -> Iterable[tuple[str, datetime]]:
        """Every parameter below `/<prefix>/`, with the instant of its last change, page by page."""


class Tasks(Protocol):
    """The tasks of the ECS API. Every method raises `CallFailed`, with AWS's code and whether it may pass."""

    def run(self, request: dict[str, Any]) -> Launched:
        """RunTask with these parameters; `failures` with no task raise `CallFailed`. Never repeated by itself.

        Raises `DefinitionGone` when there is no ACTIVE task definition of that family.
        """

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """StopTask. False when ECS does not know the task."""

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """DescribeTasks with the tags, at most 100 ARNs."""

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """ListTasks by startedBy, running and stopped: the ARNs of that generation's tasks. Two calls."""

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """ListTasks of what is to run on Fargate, whoever started it: from PROVISIONING on, until someone stops it.

        At most 100 ARNs; `after` is `following` of the page before.
        """


class Ecs(Tasks, Protocol):
    """The ECS API: the tasks, and the definitions they are started from."""

    def register(self, definition: dict[str, Any]) -> None:
        """RegisterTaskDefinition: from now on RunTask takes its family. Done twice, it makes two revisions."""


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


class DefinitionUses(Protocol):
    """What the table says about task definitions. Raises `CallFailed`."""

    def definition_uses(self) -> Iterable[DefinitionUse]:
        """One for each item that names a definition, in any order, page by page.

        Strongly consistent: an item saved before the call is among them. It reads the whole table.
        """


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
        """The latest ACTIVE revision; None when there is none."""

    def has_tasks(self, family: str) -> bool:
        """Whether ECS shows a task of this family in our cluster that is to run."""

    def revisions(self, family: str, *, active: bool) -> Sequence[str]:
        """The ARNs of its ACTIVE or of its INACTIVE revisions."""

    def deregister(self, arn: str) -> None:
        """Makes a revision INACTIVE. One that is not there counts as deregistered."""

    def delete(self, arns: Sequence[str]) -> Sequence[str]:
        """Deletes up to 10 INACTIVE revisions, and gives those that ECS would not delete. Those not there are gone."""
