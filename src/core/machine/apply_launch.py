"""What RunTask and its repetitions prove about a container. The part of `core.machine.apply` that is about launches."""

from __future__ import annotations

from dataclasses import replace

from core.machine import messages
from core.machine.changes import Stale, disown, fail, may_retry, note, retry
from core.machine.next_actions import relaunch_pending
from core.model.facts import FailedTaskMissing, LaunchAccepted, LaunchClaimed, LaunchRejected, TaskListed
from core.model.failure import Cause
from core.model.policy import Policy
from core.model.record import Ask, Instant, Launching, Record
from core.model.state import Trigger


def launch_accepted(record: Record, fact: LaunchAccepted) -> Record | Stale:
    """The record takes the task, unless it has one already: then this one is one too many."""
    if record.gave_up(fact.task_arn):
        return Stale("it concerns a launch that was given up")
    if (record.task_arn or fact.task_arn) != fact.task_arn:
        # Two starts at once, and a launch in between. One task is enough.
        return disown(record, fact.task_arn, fact.at)
    return replace(
        note(record, Instant.CREATED, fact.at),  # until an event tells ECS's own
        launching=None,
        task_arn=fact.task_arn,
        cluster_arn=fact.cluster_arn,
        task_definition_arn=fact.task_definition_arn,
    )


def task_listed(record: Record, fact: TaskListed) -> Record | Stale:
    """A listed task exists: the record takes it, and the next check describes it by its ARN."""
    if record.task_arn is not None or record.gave_up(fact.task_arn):
        return Stale("the record has had a task already")
    return replace(note(record, Instant.CREATED, fact.at), launching=None, task_arn=fact.task_arn)


def launch_rejected(record: Record, fact: LaunchRejected, policy: Policy) -> Record | Stale:
    """Only the refusal of the last asker ends a launch."""
    if record.task_arn is not None:
        return Stale("a task was started after all")
    if record.state.ended:
        return Stale(f"the record is {record.state} already")
    if record.attempt != fact.attempt:
        return Stale(f"it concerns launch {fact.attempt}, and the record is at {record.attempt}")
    if record.launching and (others := _others_asking(record, fact, policy)):
        # Theirs may have been taken, or may still be: nothing follows from a refusal to one of several.
        return replace(record, launching=replace(record.launching, asked=others))
    # Whoever was throttled has repeated the call for as long as a caller can wait (`core.control.run_task`).
    if fact.failure.cause is not Cause.THROTTLED and may_retry(record, fact.failure, policy):
        return retry(record, fact.at, fact.failure)
    return fail(record, Trigger.LAUNCH_FAILED, fact.at, fact.failure)


def _others_asking(record: Record, fact: LaunchRejected, policy: Policy) -> tuple[Ask, ...]:
    """The askers of this launch from whom an answer may still come that ECS has started the task.

    RunTask gives the same task to the same client token, so when RunTask itself refuses, no earlier call has started
    one: only those who may still be calling count. A refusal by a call before RunTask says nothing about theirs.
    """
    if not fact.by_run_task:
        return record.asked_by_others(fact.by)
    return _others_at_work(record, fact, policy)


def _others_at_work(record: Record, fact: LaunchRejected | LaunchClaimed, policy: Policy) -> tuple[Ask, ...]:
    """The askers but this one who may still be calling."""
    others = record.asked_by_others(fact.by)
    return tuple(ask for ask in others if (fact.at - ask.at).total_seconds() < policy.start_lifetime)


def launch_claimed(record: Record, fact: LaunchClaimed, policy: Policy) -> Record | Stale:
    """One process at a time makes a pending launch."""
    if not relaunch_pending(record) or record.attempt != fact.attempt:
        return Stale("no such launch is pending")
    if _others_at_work(record, fact, policy):
        return Stale("another function makes this launch")
    asked = record.asked_by_others(fact.by)
    return replace(record, launching=Launching((*asked, Ask(fact.by, fact.at))))


def failed_task_missing(record: Record, fact: FailedTaskMissing, policy: Policy) -> Record | Stale:
    """Without the failed task there is nothing to copy: its failure is the last one."""
    if not relaunch_pending(record) or record.attempt != fact.attempt:
        return Stale("no such launch is pending")
    if (fact.at - record.launched_at).total_seconds() < policy.launch_look:
        return Stale("the task is so young that ECS may not show it yet")
    return fail(record, Trigger.LAUNCH_FAILED, fact.at, messages.not_repeated(record))
