"""Actions: what has to be done for one container, in the imperative.

`core.machine.next_actions` derives them from the record, `core.control.perform` has a case for each member of `Action`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from core.model.capacity import Provider
from core.model.identity import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    ref: Ref


class Early(NamedTuple):
    """Of a probe whose task does not run yet: the family of its definition, and since when the task is there."""

    family: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProbe(_Action):
    """Let the prober find out whether the agent answers: now, or when `early` says."""

    address: str
    early: Early | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask(_Action):
    """Call DescribeTasks once, because the task runs and its event showed no address."""

    cluster_arn: str
    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTask(_Action):
    """End a task: the backend asked for it, or nothing will ever reach the task, or the task is one too many.

    `unwanted_since` is given for the last kind. If ECS does not know such a task after a while, it counts as gone.
    """

    cluster_arn: str
    task_arn: str
    reason: str
    unwanted_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLaunch(_Action):
    """Claim a pending launch. One function at a time makes it, so that its refusal is final."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaunch(_Action):
    """Run the given-up task once more, as ECS still shows it. For the process `by`, which claimed the launch.

    `given_up` are the tasks of earlier launches: none of them is the one that this launch starts. `provider` is the
    capacity provider, None for the launch type FARGATE.
    """

    by: str
    cluster_arn: str
    task_arn: str
    attempt: int
    given_up: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    provider: Provider | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseToken(_Action):
    """Delete the SecureString parameter: the token is of no use any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutput(_Action):
    """Read what a container of the task printed: ECS does not explain its end."""

    task_arn: str
    container: str


Action: TypeAlias = SendProbe | DescribeTask | StopTask | ClaimLaunch | Relaunch | EraseToken | ReadOutput
