"""The ways in which a fact changes a record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.machine.table import advance
from core.model.capacity import goes_on_elsewhere
from core.model.failure import Failure
from core.model.instants import truncate
from core.model.parts import Instant, Launch, Probe, Step, UnwantedTask
from core.model.policy import Policy
from core.model.record import HISTORY_LIMIT, Record
from core.model.state import State, Trigger


@dataclass(frozen=True, slots=True)
class Stale:
    """The fact changes nothing, and why."""

    why: str


def fire(record: Record, trigger: Trigger, at: datetime) -> Record:
    """The record after the table's transition by `trigger`; the same record where the table says nothing changes."""
    state = advance(record.state, trigger)
    if state is None:
        return record
    step = Step(at, record.state, state, trigger)
    return replace(record, state=state, history=(*record.history, step)[-HISTORY_LIMIT:])


def fail(record: Record, trigger: Trigger, at: datetime, failure: Failure) -> Record:
    """Fires `trigger`, and sets `failure` if that changed the state."""
    fired = fire(record, trigger, at)
    return fired if fired is record else replace(fired, error=failure)


def retry_or_fail(record: Record, trigger: Trigger, at: datetime, failure: Failure, policy: Policy) -> Record:
    """Gives the launch up for another one, where that may succeed; facts about its task are stale from now on."""
    wanted = record.state is State.PENDING and not record.stop_requested
    hopeful = failure.transient or goes_on_elsewhere(record.capacity, record.provider, failure)
    if not (wanted and hopeful and record.attempt < policy.launch_attempts):
        return fail(record, trigger, at, failure)
    return replace(
        fire(record, Trigger.LAUNCH_RETRIED, at),
        launches=(*record.launches, Launch(at, failure, record.task_arn)),
        launching=None,
        task_arn=None,
        task_version=0,
        timings={},
        stop=None,
        early_address=None,
        capacity_provider=None,
    )


def resolve(record: Record, address: str, at: datetime, policy: Policy) -> Record:
    """The address is known: from now on the agent has `policy.health_timeout` seconds to answer."""
    return replace(
        fire(record, Trigger.ADDRESS_RESOLVED, at),
        agent_address=address,
        early_address=None,
        timings={**record.timings, Instant.RESOLVED: at},
        probe=Probe(deadline=truncate(at + timedelta(seconds=policy.health_timeout))),
    )


def note(record: Record, name: Instant, at: datetime) -> Record:
    """The record with the instant, unless it has one of that name."""
    return record if name in record.timings else replace(record, timings={**record.timings, name: at})


def confirm_stop(record: Record, at: datetime) -> Record:
    """The task is stopping, or gone: no StopTask is pending any more."""
    stop = record.stop and replace(record.stop, unconfirmed=False)
    return note(replace(record, stop=stop), Instant.STOPPING, at)


def disown(record: Record, task_arn: str, at: datetime) -> Record:
    """A task of this container that is not the record's: its stop is pending from now on."""
    if any(task.task_arn == task_arn for task in record.unwanted_tasks):
        return record
    return replace(record, unwanted_tasks=(*record.unwanted_tasks, UnwantedTask(task_arn, at)))


def settle_disowned(record: Record, task_arn: str) -> Record:
    """Such a task is stopping, or gone."""
    left = tuple(task for task in record.unwanted_tasks if task.task_arn != task_arn)
    return replace(record, unwanted_tasks=left)


def close(record: Record, at: datetime, policy: Policy) -> Record:
    """The generation ends: the address may be a stranger's in a minute, and the token has no use."""
    return replace(
        record,
        agent_address=None,
        early_address=None,
        agent_token=None,
        launching=None,
        expires_at=int((at + timedelta(seconds=policy.retention)).timestamp()),
    )
