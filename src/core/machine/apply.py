"""`apply(record, fact)`: adds one fact to the record.

A late, duplicate or foreign fact is a value, `Stale`, with the reason; only a bug raises. This module decides what a
fact proves; `core.machine.table` decides what a state may become.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from core.machine import messages
from core.machine.apply_launch import failed_task_missing, launch_accepted, launch_claimed, launch_rejected, task_listed
from core.machine.apply_task import apply_task, explain
from core.machine.changes import Stale, close, confirm_stop, fail, fire, note, resolve, settle_disowned
from core.machine.lifetime import lifetime_ends_at
from core.machine.next_actions import kept_running, relaunch_pending, silence_known
from core.machine.schedule import OUTPUT_DEADLINE, PROBE_GRACE, own_policy, schedule
from core.model import facts
from core.model.agent import starts_child
from core.model.instants import truncate
from core.model.parts import Instant, Probe, Stop
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State, Trigger


def apply(record: Record, fact: facts.Fact, policy: Policy) -> Record | Stale:
    """The record after `fact`, with the next revision and the next check; or `Stale` when nothing changes."""
    if fact.ref.generation != record.generation:
        return Stale(f"it concerns generation {fact.ref.generation}, and the record is at {record.generation}")
    policy = own_policy(record, policy)
    applied = _applied(record, fact, policy)
    if isinstance(applied, Stale):
        return applied
    if applied == record and not isinstance(fact, facts.TimePassed):
        return Stale("it holds nothing new")
    if applied.state.ended and not record.state.ended:
        applied = close(applied, fact.at, policy)
    logs = applied.logs and applied.logs.of_task(applied.task_arn)
    written = replace(applied, revision=record.revision + 1, updated_at=fact.at, logs=logs)
    # Many aborted probes must not put off the check, because the check sends the probe again.
    return written if isinstance(fact, facts.ProbeAborted) else schedule(written, policy, fact.at)


def _applied(record: Record, fact: facts.Fact, policy: Policy) -> Record | Stale:  # noqa: C901, PLR0911, PLR0912 - one case a fact
    match fact:
        case facts.TaskObserved():
            return apply_task(record, fact, policy)
        case facts.LaunchAccepted():
            return launch_accepted(record, fact)
        case facts.LaunchRejected():
            return launch_rejected(record, fact, policy)
        case facts.LaunchClaimed():
            return launch_claimed(record, fact, policy)
        case facts.TaskListed():
            return task_listed(record, fact)
        case facts.FailedTaskMissing():
            return failed_task_missing(record, fact, policy)
        case facts.AgentAnswered():
            return _agent_answered(record, fact, policy)
        case facts.ProcessExited():
            return _process_exited(record, fact)
        case facts.AgentSilent() | facts.ProbeAborted():
            return _unanswered(record, fact)
        case facts.TaskGone():
            return _task_gone(record, fact, policy)
        case facts.TimePassed():
            return _time_passed(record, fact, policy)
        case facts.StopRequested():
            return _stop_requested(record, fact, policy)
        case facts.StopAccepted():
            return _stop_accepted(record, fact)
        case facts.TokenErased():
            named = record.token_parameter == fact.name
            return replace(record, token_parameter=None) if named else Stale("the record names another parameter")
        case facts.OutputRead():
            return explain(record, fact.complaint, fact.at, policy)
        case _:
            assert_never(fact)


def _task_gone(record: Record, fact: facts.TaskGone, policy: Policy) -> Record | Stale:  # noqa: PLR0911 - one case each
    if fact.task_arn != record.task_arn:
        return Stale("it concerns another task")
    if record.state.ended:
        # No stop is pending any more. An ended record learns no more from it.
        return record if fact.task_arn is None else confirm_stop(record, fact.at)
    if (fact.at - record.last_asked_at).total_seconds() < policy.launch_check:
        return Stale("the launch is so young that ECS may not show its task yet")
    if relaunch_pending(record):
        return Stale("another launch is pending")
    if record.unexplained is not None:
        return Stale("its end is known")
    if record.task_arn is None:
        return fail(record, Trigger.LAUNCH_FAILED, fact.at, messages.never_launched(record, fact.at))
    return fail(record, Trigger.TASK_LOST, fact.at, messages.task_lost(record))


def _agent_answered(record: Record, fact: facts.AgentAnswered, policy: Policy) -> Record | Stale:
    if record.state.ended or record.state is State.AGENT_HEALTHY:
        return Stale(f"the record is {record.state} already")
    if record.stopping:
        return Stale("the task is on its way out")
    if fact.address not in {record.agent_address, record.early_address}:
        return Stale("the record has another address")
    # The answer proves that the task runs, and its address, also before ECS's event.
    record = fire(record, Trigger.TASK_STARTED, fact.at)
    if record.state is State.TASK_RUNNING:
        record = resolve(record, fact.address, fact.at, policy)
    record = fire(record, Trigger.AGENT_ANSWERED, fact.at)
    # Without the error of earlier probers.
    probe = Probe(record.probe.deadline, fact.attempts) if record.probe else None
    expected = starts_child(record.agent_flavor, keep_alive=record.keep_alive)
    warning = messages.no_child(record) if expected and not fact.has_child else None
    return replace(record, timings={**record.timings, Instant.HEALTHY: fact.at}, probe=probe, warning=warning)


def _process_exited(record: Record, fact: facts.ProcessExited) -> Record | Stale:
    """The agent's report outweighs what ECS says later of the agent. StopTask is pending then: the agent may stay."""
    if record.state.ended or record.unexplained is not None:
        return Stale("the end is known already")
    if fact.address is None and record.task_arn is None:
        return Stale("no task of the container is known")
    if fact.address is not None and fact.address not in {record.agent_address, record.early_address}:
        return Stale("the record has another address")
    stop = replace(record.stop or Stop(), exit_code=fact.exit_code, reported=True)
    return fire(note(replace(record, stop=stop), Instant.EXITED, fact.at), Trigger.CONTAINER_EXITED, fact.at)


def _unanswered(record: Record, fact: facts.AgentSilent | facts.ProbeAborted) -> Record | Stale:  # noqa: PLR0911 - one case each
    probe = record.probe
    if record.state is not State.ENI_RESOLVED or probe is None:
        return Stale(f"nothing is asked of the agent in {record.state}")
    if record.agent_address != fact.address:
        return Stale("the record has another address")
    if record.stopping:
        return Stale("the task is on its way out")
    if probe.silent_at is not None:
        return Stale("the silence is known already")
    reported = replace(probe, last_error=fact.last_error, remedy=fact.remedy)
    if isinstance(fact, facts.ProbeAborted):
        return replace(record, probe=reported)
    if fact.at < probe.deadline:
        return Stale("the deadline has not passed")
    # `_time_passed` fails the record, after ECS was read: the container may have ended, and its events be lost.
    return replace(record, probe=replace(reported, attempts=fact.attempts, silent_at=fact.at))


def _time_passed(record: Record, fact: facts.TimePassed, policy: Policy) -> Record | Stale:
    if silence_known(record) and not record.stopping:
        # Whatever `check_at` says: the prober wrote it by another clock, and ECS was read since.
        return fail(record, Trigger.AGENT_UNREACHABLE, fact.at, messages.agent_unreachable(record, policy))
    if record.check_at is None or fact.at < record.check_at:
        return Stale("it is not due yet")
    if record.unexplained is not None:
        late = (fact.at - record.unexplained.at).total_seconds() >= OUTPUT_DEADLINE
        return explain(record, None, fact.at, policy) if late else record
    if record.state is State.PENDING and fact.at >= record.launched_at + timedelta(seconds=policy.start_timeout):
        return fail(record, Trigger.START_TIMED_OUT, fact.at, messages.start_timed_out(record, policy))
    if (ends := lifetime_ends_at(record)) is not None and fact.at >= ends:
        stop = record.stop or Stop(reason=messages.lifetime_over(record))
        return replace(record, stop=replace(stop, expired=True))
    return _probe_renewed(record, fact, policy)


def _probe_renewed(record: Record, fact: facts.TimePassed, policy: Policy) -> Record:
    """A new deadline where the old one passed without a verdict: its prober was lost, throttled, or unable.

    No silence without a try: the agent may be well. The probe is pending as before (`core.machine.next_actions`).
    """
    probe = record.probe
    if record.state is not State.ENI_RESOLVED or record.stopping or probe is None:
        return record
    if fact.at < probe.deadline + timedelta(seconds=PROBE_GRACE):
        return record
    deadline = truncate(fact.at + timedelta(seconds=policy.health_timeout))
    error, remedy = probe.last_error or messages.NO_RESULT, probe.remedy or messages.NO_RESULT_REMEDY
    return replace(record, probe=replace(probe, deadline=deadline, last_error=error, remedy=remedy))


def _stop_requested(record: Record, fact: facts.StopRequested, policy: Policy) -> Record | Stale:
    if record.stop_requested:
        return Stale("a stop was asked for already")
    if record.state.ended and not kept_running(record, policy):
        return Stale(f"the record is {record.state} already")
    requested = replace(record.stop or Stop(reason=fact.reason), requested=True)
    if record.task_arn is None or record.stopping or record.state.ended:
        return replace(record, stop=requested)
    # One write says both: StopTask follows it, and ECS's next event says whether it came (`core.machine.unsaved`).
    return note(replace(record, stop=replace(requested, unconfirmed=True)), Instant.STOPPING, fact.at)


def _stop_accepted(record: Record, fact: facts.StopAccepted) -> Record | Stale:
    if record.task_arn == fact.task_arn:
        return confirm_stop(record, fact.at)
    left = settle_disowned(record, fact.task_arn)
    return Stale("it concerns another task") if left == record else left
