"""What one snapshot of a task proves about its container: the part of `core.machine.apply` for ECS's documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from core.diagnosis import diagnose
from core.machine import messages
from core.machine.address import resolve_address
from core.machine.changes import Stale, disown, fail, fire, note, resolve, retry_or_fail, settle_disowned
from core.machine.runtime_complaint import explained, unexplained
from core.model.facts import MAIN, Source, TaskObserved
from core.model.failure import Cause
from core.model.parts import Instant, Stop
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State, Trigger

_LEAVING: Final = frozenset({"DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED"})
_STOPPED: Final = frozenset({"STOPPED", "DELETED"})
_OUT_OF_MEMORY: Final = "outofmemoryerror"
"""How ECS's reason begins (ECS Developer Guide, "Troubleshooting Amazon ECS OutOfMemoryError errors"). Only the
beginning is ECS's own: an image or a file that is named behind it may have any name."""
_KILLED: Final = 137


def apply_task(record: Record, task: TaskObserved, policy: Policy) -> Record | Stale:
    """Adds what the snapshot shows, and the states that it proves."""
    if record.gave_up(task.task_arn):
        return Stale("it concerns a launch that was given up")
    if record.task_arn is not None and task.task_arn != record.task_arn:
        return _another_task(record, task)
    if not _newer(record, task):
        return Stale(f"version {task.version} is not newer than {record.task_version}")
    record = _learn(record, task)
    if record.unexplained is not None:
        return record
    if not record.state.ended:
        record = _advance(record, task, policy)
    return _add_cause(record, task)


def explain(record: Record, complaint: str | None, at: datetime, policy: Policy) -> Record | Stale:
    """Decides the unexplained end: by the complaint, or without one by ECS's words."""
    if record.unexplained is None:
        return Stale("no end is to be explained")
    task = explained(record, record.unexplained, complaint, at)
    # Its token is erased, so no launch can follow.
    ended = _end(replace(record, unexplained=None), task, replace(policy, launch_attempts=1))
    return _add_cause(ended, task)


def _advance(record: Record, task: TaskObserved, policy: Policy) -> Record:
    if _ended(task):
        ended = _end(record, task, policy)
        end = unexplained(record, task) if policy.reads_output and ended.state.ended else None
        if end is None:
            return ended
        # The address and the token are withdrawn now; the output decides later whether the container ran.
        withdrawn = replace(record, unexplained=end, agent_address=None, early_address=None, agent_token=None)
        return note(withdrawn, Instant.STOPPING, end.at)
    if record.stopping:
        return record
    if task.last_status == "RUNNING":
        return _running(record, task, policy)
    if policy.early_probe and record.state is State.PENDING:
        # ECS shows the address of a task that is PENDING, long before the agent can answer.
        return replace(record, early_address=resolve_address(task, policy) or record.early_address)
    return record


def _another_task(record: Record, task: TaskObserved) -> Record | Stale:
    """A second task of this generation, from two starts at once: it is one too many."""
    after = settle_disowned(record, task.task_arn) if _leaving(task) else disown(record, task.task_arn, task.at)
    return Stale("it concerns another task") if after == record else after


def _newer(record: Record, task: TaskObserved) -> bool:
    """Two snapshots of one version are the same, but DescribeTasks may show the address that the event did not."""
    described = task.source is Source.DESCRIBED and record.state is State.TASK_RUNNING
    return task.version > record.task_version or (described and task.version == record.task_version)


def _leaving(task: TaskObserved) -> bool:
    """Stopping, whatever `lastStatus` says: a Spot notice arrives as RUNNING (ecs.md 3)."""
    return task.desired_status == "STOPPED" or task.last_status in _LEAVING


def _ended(task: TaskObserved) -> bool:
    """The task has ended, or its main container is known to have exited (10 to 20 s before STOPPED arrives).

    A snapshot may lag in its secondary fields (ecs.md 1). So where the container ran and its exit code is not shown
    yet, only STOPPED is an end: the same facts end in the same record, in any order.
    """
    main = task.container(MAIN)
    if task.last_status in _STOPPED:
        return True
    if main is not None and main.exit_code is None and task.started_at is not None:
        return False
    if task.last_status == "DEPROVISIONING":
        return True
    return main is not None and main.last_status == "STOPPED" and (_leaving(task) or main.exit_code is not None)


def _learn(record: Record, task: TaskObserved) -> Record:
    """What every snapshot adds, also to an ended record: identity, instants, how it stopped. No state."""
    shown = {
        Instant.CREATED: task.created_at,
        Instant.CONNECTIVITY: task.connectivity_at,
        Instant.PULL_STARTED: task.pull_started_at,
        Instant.PULL_STOPPED: task.pull_stopped_at,
        Instant.STARTED: task.started_at,
        Instant.STOPPING: (task.stopping_at or task.updated_at or task.at) if _leaving(task) else None,
        Instant.EXECUTION_STOPPED: task.execution_stopped_at,
        Instant.STOPPED: task.stopped_at,
    }
    return replace(
        record,
        launching=None,
        task_version=task.version,
        task_arn=task.task_arn,
        cluster_arn=task.cluster_arn or record.cluster_arn,
        task_definition_arn=task.task_definition_arn or record.task_definition_arn,
        capacity_provider=task.capacity_provider_name or record.capacity_provider,
        timings={**record.timings, **{name: instant for name, instant in shown.items() if instant}},
        stop=_stop(record, task) if _leaving(task) or _ended(task) else record.stop,
    )


def _stop(record: Record, task: TaskObserved) -> Stop | None:
    """ECS's words, with the main container's own reason behind them; what was known before stays."""
    before = record.stop or Stop()
    main = task.container(MAIN)
    reasons = [text for text in (task.stopped_reason, main.reason if main else None) if text]
    exit_code = main.exit_code if main and not before.reported else None
    stop = replace(
        before,
        unconfirmed=before.unconfirmed and not _leaving(task),
        code=task.stop_code or before.code,
        reason="; ".join(dict.fromkeys(reasons)) or before.reason,
        exit_code=exit_code if exit_code is not None else before.exit_code,
        oom_killed=before.oom_killed or _oom_killed(task),
    )
    return None if stop == Stop() else stop


def _oom_killed(task: TaskObserved) -> bool:
    """Whether the main container was killed for the memory it used.

    Its own reason says so. So does the task's, where a kill ended main and no other container's reason says it; but
    not the reason that a caller gave to StopTask.
    """
    blamed = {seen.name for seen in task.containers if _out_of_memory(seen.reason)}
    if blamed or not _out_of_memory(task.stopped_reason):
        return MAIN in blamed
    main = task.container(MAIN)
    return main is not None and main.exit_code == _KILLED and task.stop_code != "UserInitiated"


def _out_of_memory(reason: str | None) -> bool:
    return (reason or "").casefold().startswith(_OUT_OF_MEMORY)


def _add_cause(record: Record, task: TaskObserved) -> Record:
    """The cause, where one is known, of a `stopped` container; a `failed` one has it in its `error`."""
    stop = record.stop or Stop()
    if record.state is not State.STOPPED or (stop.reported and not stop.oom_killed):
        return record
    cause = Cause.OUT_OF_MEMORY if stop.oom_killed else diagnose(task).cause
    return record if cause is Cause.UNKNOWN else replace(record, stop=replace(stop, cause=cause))


def _end(record: Record, task: TaskObserved, policy: Policy) -> Record:
    """`stopped` when the container's own process ran and exited; `failed` for everything else (contract.md 2).

    About one Fargate task in a hundred never starts: what failed before the container ran may be launched again.
    """
    main = task.container(MAIN)
    exited = main is not None and main.exit_code is not None
    diagnosis = diagnose(task)
    if exited and not diagnosis.start_failed:
        return fire(record, Trigger.CONTAINER_EXITED, task.at)
    failure = messages.task_ended(task, diagnosis)
    if exited or task.started_at is not None:
        return fail(record, Trigger.TASK_FAILED, task.at, failure)
    return retry_or_fail(record, Trigger.TASK_FAILED, task.at, failure, policy)


def _running(record: Record, task: TaskObserved, policy: Policy) -> Record:
    main = task.container(MAIN)
    if main is not None and main.last_status == "STOPPED":
        # A container's status is ahead of the task's: this one has ended, and the next event says how.
        return record
    record = fire(record, Trigger.TASK_STARTED, task.at)
    if record.state is not State.TASK_RUNNING:
        return record
    if (address := resolve_address(task, policy)) is not None:
        return resolve(record, address, task.at, policy)
    if task.source is Source.EVENT:
        # An event may lag in its secondary fields: DescribeTasks comes before the address counts as missing.
        return record
    return fail(record, Trigger.ADDRESS_MISSING, task.at, messages.eni_not_found(task, policy))
