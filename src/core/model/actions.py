"""Actions: what has to be done for one container, in the imperative.

`core.machine.next_actions` derives them from the record, `core.control.perform` has a case for each member of `Action`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from core.model.identity import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """What all actions share."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProbe(_Action):
    """Ask the prober to find out whether the agent answers."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask(_Action):
    """The task runs but its event showed no address: ask ECS once, before calling it missing."""

    cluster_arn: str
    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTask(_Action):
    """End a task: because the backend asked, because nothing will ever reach it, or because it is one too many.

    `unwanted_since` is given for the last kind. Such a task is asked for by nothing else, so when ECS still does not
    know it after a while, it counts as gone.
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
    """Run the given-up task once more, as ECS still shows it. For the process `by`, which claimed the launch."""

    by: str
    cluster_arn: str
    task_arn: str
    attempt: int
    given_up: tuple[str, ...] = ()
    """The tasks of earlier launches: none of them is the one that this launch starts."""


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
