"""When the reconciler checks a record again: the index attributes `watch` and `check_at`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from core.machine.lifetime import lifetime_ends_at
from core.machine.next_actions import next_actions, silence_known
from core.model.instants import truncate
from core.model.parts import Instant
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State

PROBE_GRACE: Final = 15.0
"""Seconds from the probe's deadline until its prober counts as lost, and the agent is probed again."""
OUTPUT_CHECK: Final = 30.0
"""Seconds from an unexplained end until the reconciler reads the output: the function that saved it comes first."""
TOLERANCE: Final = 0.5
"""The share of the time to a check by which an earlier `check_at` may miss it."""
OUTPUT_DEADLINE: Final = 300.0
"""Seconds from an unexplained end until ECS's words alone decide it: no function could read the output."""


def own_policy(record: Record, policy: Policy) -> Policy:
    """The stack's policy with the time-outs that this container's request named."""
    return replace(
        policy,
        health_timeout=record.health_timeout or policy.health_timeout,
        start_timeout=record.start_timeout or policy.start_timeout,
    )


def schedule(record: Record, policy: Policy, now: datetime) -> Record:
    """The record with `watch` and `check_at` of the next check, or without them when nothing is pending.

    Another `check_at` costs two writes of the index. So one that comes at about the right time stays.
    """
    seconds = _seconds_to_next_check(record, own_policy(record, policy), now)
    if seconds is None:
        return replace(record, watch=None, check_at=None)
    if record.unwanted_tasks:
        seconds = min(seconds, policy.probe_check)
    if (ends := lifetime_ends_at(record)) is not None:
        seconds = min(seconds, max(0.0, (ends - now).total_seconds()))
    # Ids are hashes, so their digits spread evenly.
    watch = shards(policy)[int(record.container_id[-8:], 16) % policy.watch_shards]
    if record.check_at is not None and abs((record.check_at - now).total_seconds() - seconds) <= seconds * TOLERANCE:
        return replace(record, watch=watch)
    return replace(record, watch=watch, check_at=truncate(now + timedelta(seconds=seconds)))


def shards(policy: Policy) -> tuple[str, ...]:
    """Every value that `watch` can have."""
    return tuple(f"shard-{number}" for number in range(policy.watch_shards))


def _seconds_to_next_check(record: Record, policy: Policy, now: datetime) -> float | None:  # noqa: PLR0911 - one case each
    if record.state.ended:
        return _to_next_try(record, policy, now) if next_actions(record, policy) else None
    if record.unexplained is not None:
        return OUTPUT_CHECK
    if record.stopping:
        return policy.stopping_check if record.stop_confirmed else policy.probe_check
    if silence_known(record):
        return 0
    match record.state:
        case State.PENDING:
            deadline = record.launched_at + timedelta(seconds=policy.start_timeout)
            return max(0.0, min(policy.launch_check, (deadline - now).total_seconds()))
        case State.AGENT_HEALTHY if not record.stop_wanted:
            interval = policy.exit_check if record.exit_unseen else policy.healthy_check
            return _to_own_phase(record.container_id, interval, now)
        case _:
            # Not before the prober may be lost: a second one costs a place among the probers. And the longer there is
            # no verdict, the more rarely: the queue delivers a failed message again for half an hour, and so there are
            # never more than about a dozen of one container.
            waited = now - record.timings.get(Instant.RESOLVED, now)
            rarely = 0 if record.stop_wanted else min(waited.total_seconds() / 2, policy.probe_check_most)
            return max(policy.probe_check, policy.health_timeout / 2, rarely)


def _to_next_try(record: Record, policy: Policy, now: datetime) -> float:
    """At once when the container ends, and the more rarely, the longer its action is tried in vain.

    Never at once again: the write of one such check begins the next one (template.yaml, ReconcileFunction.Verdicts).
    """
    waited = (now - record.history[-1].at).total_seconds() if record.history else 0.0
    return max(policy.probe_check, min(waited / 2, policy.probe_check_most)) if waited > 0 else 0


def _to_own_phase(container_id: str, interval: float, now: datetime) -> float:
    """Seconds to this container's own instant, of those `interval` apart, that is nearest to an `interval` from now.

    The id's digits place the instants. The first check comes after half an interval to one and a half, every later one
    after one. A delay that varied a little around the interval would keep together for hours what began together: a
    burst of starts, or everything that was overdue after an outage.
    """
    own = int(container_id[:4], 16) / 0x10000 * interval
    half = interval / 2
    return half + interval - (now.timestamp() + half - own) % interval
