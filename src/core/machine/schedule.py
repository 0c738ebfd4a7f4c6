"""When the reconciler checks a record again: the index attributes `watch` and `check_at`. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from core.machine.next_actions import next_actions, silence_known
from core.model.instants import truncate
from core.model.policy import Policy
from core.model.record import Instant, Record
from core.model.state import State

PROBE_GRACE: Final = 15.0
"""Seconds after the probe's deadline before its prober counts as lost, and the agent is asked anew."""

OUTPUT_LOOK: Final = 30.0
"""Seconds after an unexplained end before the reconciler reads the output: the function that saved it comes first."""
OUTPUT_DEADLINE: Final = 300.0
"""Seconds after which the output is not waited for any more: a run that may not read, or has no time to, leaves it."""


def own_policy(record: Record, policy: Policy) -> Policy:
    """The stack's policy with the time-outs that this container's request named."""
    return replace(
        policy,
        health_timeout=record.health_timeout or policy.health_timeout,
        start_timeout=record.start_timeout or policy.start_timeout,
    )


def schedule(record: Record, policy: Policy, now: datetime) -> Record:
    """The record with `watch` and `check_at` set to the next check, or without them when nothing is pending."""
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


def _seconds_to_next_look(record: Record, policy: Policy, now: datetime) -> float | None:  # noqa: PLR0911 - one case each
    if record.state.ended:
        return 0 if next_actions(record, policy) else None
    if record.unexplained is not None:
        return OUTPUT_LOOK
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
    now, so the first check comes after half an interval to one and a half, every later one after one.
    """
    own = int(container_id[:4], 16) / 0x10000 * interval
    half = interval / 2
    return half + interval - (now.timestamp() + half - own) % interval
