"""What the world still owes a record, and when to look at it again. Derived from the SAVED record alone.

Because actions come from the record and not from the event, a function that died between its save and its
action loses nothing: the redelivered event is stale, but what the record owes is still owed (house style).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.errors import ErrorCode
from core.lifecycle import State
from core.policy import Policy
from core.record import Record

STOP_REASON_LIMIT: Final = 255
PROBE_GRACE: Final = 15.0
"""Seconds after the probe's deadline before the reconciler pronounces what the prober should have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What all actions share."""

    container_id: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProbe(Action):
    """Ask the prober to find out whether the agent answers."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask(Action):
    """The task runs but its event showed no address: ask ECS once, before calling it missing."""

    cluster_arn: str
    task_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTask(Action):
    """End a task: because the backend asked, or because nothing will ever reach it."""

    cluster_arn: str
    task_arn: str
    reason: str


def next_actions(record: Record, policy: Policy) -> tuple[Action, ...]:
    """What has to be done now for this record, in order; empty when nothing is owed."""
    who = {"container_id": record.container_id, "generation": record.generation}
    task = {"cluster_arn": record.cluster_arn or "", "task_arn": record.task_arn or ""}
    if record.task_arn is None or record.stopping:
        return ()
    if (reason := _stop_owed(record, policy)) is not None:
        return (StopTask(**who, **task, reason=reason[:STOP_REASON_LIMIT]),)  # type: ignore[arg-type]
    if record.state is State.TASK_RUNNING:
        return (DescribeTask(**who, **task),)  # type: ignore[arg-type]
    if record.state is State.ENI_RESOLVED and record.agent_address is not None:
        return (SendProbe(**who, address=record.agent_address),)  # type: ignore[arg-type]
    return ()


def _stop_owed(record: Record, policy: Policy) -> str | None:
    """The reason to give to StopTask, or None when the task may run on or ends by itself."""
    if not record.state.ended:
        return record.stop.reason if record.stop else None
    if record.state is State.STOPPED or record.error is None or record.error.code is ErrorCode.TASK_LOST:
        return None
    if record.error.code is ErrorCode.AGENT_UNREACHABLE and policy.keep_unreachable:
        return None
    return f"{record.error.code}: {record.error.message}"


def schedule(record: Record, policy: Policy, now: datetime) -> Record:
    """The record with `watch` and `check_at` set to the next look, or without them when nothing is owed."""
    seconds = _seconds_to_next_look(record, policy, now)
    if seconds is None:
        return replace(record, watch=None, check_at=None)
    return replace(record, watch=shard_of(record.container_id, policy), check_at=now + timedelta(seconds=seconds))


def shards(policy: Policy) -> tuple[str, ...]:
    """Every value that `watch` can have."""
    return tuple(f"shard-{number}" for number in range(policy.watch_shards))


def shard_of(container_id: str, policy: Policy) -> str:
    """The shard of one container: ids are hashes already, so their digits spread evenly."""
    return f"shard-{int(container_id[-8:], 16) % policy.watch_shards}"


def _seconds_to_next_look(record: Record, policy: Policy, now: datetime) -> float | None:
    if record.state.ended:
        return 0 if next_actions(record, policy) else None
    if record.stopping:
        return policy.stopping_look
    match record.state:
        case State.PENDING:
            deadline = record.created_at + timedelta(seconds=policy.start_timeout)
            return max(0.0, min(policy.launch_look, (deadline - now).total_seconds()))
        case State.AGENT_HEALTHY:
            # The digits of the id spread a burst of starts over a fifth of the interval.
            return policy.healthy_look * (1 + int(record.container_id[:4], 16) / 0xFFFF / 5)
        case _:
            return policy.probe_look
