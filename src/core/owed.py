"""What the world still owes a record, and when to look at it again. Derived from the SAVED record alone.

Because actions come from the record and not from the event, a function that died between its save and its
action loses nothing: the redelivered event is stale, but what the record owes is still owed (house style).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from core.errors import ErrorCode
from core.instants import truncate
from core.lifecycle import State
from core.policy import Policy
from core.record import Instant, Record

STOP_REASON_LIMIT: Final = 255
PROBE_GRACE: Final = 15.0
"""Seconds after the probe's deadline before its prober counts as lost, and the agent is asked anew."""


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
    """End a task: because the backend asked, because nothing will ever reach it, or because it is one too many.

    `unwanted_since` is given for the last kind. Such a task is asked for by nothing else, so when ECS still does not
    know it after a while, it counts as gone.
    """

    cluster_arn: str
    task_arn: str
    reason: str
    unwanted_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLaunch(Action):
    """Say that one makes the launch that is owed: one function at a time, so that its refusal is the last word."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaunch(Action):
    """Start the task of a launch that was given up once more, as it was: ECS still shows it. For the process `by`."""

    by: str
    cluster_arn: str
    task_arn: str
    attempt: int
    given_up: tuple[str, ...] = ()
    """The tasks of earlier launches: none of them is the one that this launch starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseToken(Action):
    """Delete the SecureString parameter: the token is of no use any more."""

    name: str


def next_actions(record: Record, policy: Policy) -> tuple[Action, ...]:
    """What has to be done now for this record, in order; empty when nothing is owed."""
    actions = (*_launch_actions(record), _task_action(record, policy), *_unwanted_stops(record), _token_action(record))
    return tuple(action for action in actions if action is not None)


def silence_known(record: Record) -> bool:
    """The prober has given up on the agent; what is left is to ask ECS, and to pronounce it."""
    return record.state is State.ENI_RESOLVED and record.probe is not None and record.probe.silent_at is not None


def relaunch_owed(record: Record) -> bool:
    """A task was given up, and the one that is to follow it is not known to run.

    A launch without a task to copy (ECS refused to start any) is repeated by the starter, which has the request.
    """
    return record.unlaunched and record.given_up_task is not None


def kept_running(record: Record, policy: Policy) -> bool:
    """The operator keeps the task of an unreachable agent for debugging, and nobody has asked for its end."""
    unreachable = record.error is not None and record.error.code is ErrorCode.AGENT_UNREACHABLE
    return policy.keep_unreachable and unreachable and not record.stop_requested


def _launch_actions(record: Record) -> tuple[Action, ...]:
    """The launch is for whoever claimed it last; a claim is for whoever comes first, or when the claimant is silent."""
    if not relaunch_owed(record):
        return ()
    who: dict[str, Any] = {
        "container_id": record.container_id,
        "generation": record.generation,
        "attempt": record.attempt,
    }
    given_up = tuple(launch.task_arn for launch in record.launches if launch.task_arn)
    launches = (
        Relaunch(**who, by=ask.by, cluster_arn=record.cluster_arn or "", task_arn=given_up[-1], given_up=given_up)
        for ask in record.asked[-1:]
    )
    return (*launches, ClaimLaunch(**who))


def _task_action(record: Record, policy: Policy) -> Action | None:
    who: dict[str, Any] = {"container_id": record.container_id, "generation": record.generation}
    cluster = record.cluster_arn or ""
    if record.task_arn is None or record.stopping:
        return None
    task: dict[str, Any] = {"cluster_arn": cluster, "task_arn": record.task_arn}
    if (reason := _stop_owed(record, policy)) is not None:
        return StopTask(**who, **task, reason=reason[:STOP_REASON_LIMIT])
    if record.state is State.TASK_RUNNING:
        return DescribeTask(**who, **task)
    if silence_known(record):
        return None
    address = record.agent_address if record.state is State.ENI_RESOLVED else record.early_address
    return SendProbe(**who, address=address) if address is not None else None


def _unwanted_stops(record: Record) -> tuple[StopTask, ...]:
    return tuple(
        StopTask(
            container_id=record.container_id,
            generation=record.generation,
            cluster_arn=record.cluster_arn or "",
            task_arn=task.task_arn,
            reason=f"One task too many of container {record.container_id}.",
            unwanted_since=task.at,
        )
        for task in record.unwanted_tasks
    )


def _token_action(record: Record) -> Action | None:
    if not record.state.ended or record.token_parameter is None:
        return None
    return EraseToken(container_id=record.container_id, generation=record.generation, name=record.token_parameter)


def _stop_owed(record: Record, policy: Policy) -> str | None:
    """The reason to give to StopTask, or None when the task may run on or ends by itself."""
    if not record.state.ended:
        return (record.stop.reason or "asked for") if record.stop and record.stop.requested else None
    if record.state is State.STOPPED or record.error is None or record.error.code is ErrorCode.TASK_LOST:
        return None
    if kept_running(record, policy):
        return None
    return f"{record.error.code}: {record.error.message}"


def own_policy(record: Record, policy: Policy) -> Policy:
    """The stack's policy with the time-outs that this container's request named."""
    return replace(
        policy,
        health_timeout=record.health_timeout or policy.health_timeout,
        start_timeout=record.start_timeout or policy.start_timeout,
    )


def schedule(record: Record, policy: Policy, now: datetime) -> Record:
    """The record with `watch` and `check_at` set to the next look, or without them when nothing is owed."""
    seconds = _seconds_to_next_look(record, own_policy(record, policy), now)
    if record.unwanted_tasks and seconds is not None:
        seconds = min(seconds, policy.probe_look)
    if seconds is None:
        return replace(record, watch=None, check_at=None)
    check_at = truncate(now + timedelta(seconds=seconds))
    return replace(record, watch=shard_of(record.container_id, policy), check_at=check_at)


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
    if silence_known(record):
        return 0
    match record.state:
        case State.PENDING:
            deadline = record.launched_at + timedelta(seconds=policy.start_timeout)
            return max(0.0, min(policy.launch_look, (deadline - now).total_seconds()))
        case State.AGENT_HEALTHY if not record.stop_requested:
            return _to_own_phase(record.container_id, policy.healthy_look, now)
        case _:
            # Not before a prober that is at work may be lost: a second one costs a place among the probers. And the
            # longer none has had a result, the more rarely: a message that fails is delivered again by its queue for
            # half an hour, and so there are never more than about a dozen of one container.
            waited = now - record.timings.get(Instant.RESOLVED, now)
            rarely = 0 if record.stop_requested else min(waited.total_seconds() / 2, policy.probe_look_most)
            return max(policy.probe_look, policy.health_timeout / 2, rarely)


def _to_own_phase(container_id: str, interval: float, now: datetime) -> float:
    """Seconds to the next instant that is this container's own: they are `interval` apart, and lie by the id's digits.

    A delay that varied a little around the interval would leave together for hours what began together: a burst of
    starts, or everything that was overdue after an outage. The next instant is the nearest one to an interval from
    now, so the first look comes after half an interval to one and a half, every later one after one.
    """
    own = int(container_id[:4], 16) / 0x10000 * interval
    half = interval / 2
    return half + interval - (now.timestamp() + half - own) % interval
