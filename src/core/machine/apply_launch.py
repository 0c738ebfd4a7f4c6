"""What the answers of RunTask and ListTasks prove about a container: the part of `core.machine.apply` for launches."""

from __future__ import annotations

from dataclasses import replace

from core.machine import messages
from core.machine.changes import Stale, disown, fail, note, retry_or_fail
from core.machine.next_actions import relaunch_pending
from core.model.facts import FailedTaskMissing, LaunchAccepted, LaunchClaimed, LaunchRejected, TaskListed
from core.model.failure import Cause
from core.model.parts import Ask, Instant, Launching
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import Trigger


def launch_accepted(record: Record, fact: LaunchAccepted) -> Record | Stale:
    """The record takes the task, unless it has one already (two starts at once): then this one is one too many."""
    if record.gave_up(fact.task_arn):
        return Stale("it concerns a launch that was given up")
    if (record.task_arn or fact.task_arn) != fact.task_arn:
        return disown(record, fact.task_arn, fact.at)
    return replace(
        note(record, Instant.CREATED, fact.at),  # until an event shows ECS's own
        launching=None,
        task_arn=fact.task_arn,
        cluster_arn=fact.cluster_arn,
        task_definition_arn=fact.task_definition_arn,
        capacity_provider=fact.capacity_provider_name,
    )


def task_listed(record: Record, fact: TaskListed) -> Record | Stale:
    """A listed task exists: the record takes it, and the next check describes it by its ARN."""
    if record.task_arn is not None or record.gave_up(fact.task_arn):
        return Stale("the record has had a task already")
    return replace(note(record, Instant.CREATED, fact.at), launching=None, task_arn=fact.task_arn)


def launch_rejected(record: Record, fact: LaunchRejected, policy: Policy) -> Record | Stale:
    """A refusal ends the launch only where no other invocation may still start its task, or has."""
    if record.task_arn is not None:
        return Stale("a task was started after all")
    if record.state.ended:
        return Stale(f"the record is {record.state} already")
    if record.attempt != fact.attempt:
        return Stale(f"it concerns launch {fact.attempt}, and the record is at {record.attempt}")
    # RunTask gives the same task to the same client token, so when RunTask itself refuses, no earlier call has started
    # one: only those count that may still be calling. A refusal by a call before RunTask says nothing about theirs, and
    # a throttled call was refused before ECS read its token.
    throttled = fact.failure.cause is Cause.THROTTLED
    read = fact.by_run_task and not throttled
    others = _still_calling(record, fact, policy) if read else record.asked_by_others(fact.by)
    if record.launching and others:
        return replace(record, launching=replace(record.launching, asked=others))
    # A throttled call was repeated for as long as a caller can wait (`core.control.run_task`).
    if throttled:
        return fail(record, Trigger.LAUNCH_FAILED, fact.at, fact.failure)
    return retry_or_fail(record, Trigger.LAUNCH_FAILED, fact.at, fact.failure, policy)


def _still_calling(record: Record, fact: LaunchRejected | LaunchClaimed, policy: Policy) -> tuple[Ask, ...]:
    """The other invocations of this launch whose time has not ended."""
    others = record.asked_by_others(fact.by)
    return tuple(ask for ask in others if (fact.at - ask.at).total_seconds() < policy.start_lifetime)


def launch_claimed(record: Record, fact: LaunchClaimed, policy: Policy) -> Record | Stale:
    """One process at a time makes a pending launch."""
    if not relaunch_pending(record) or record.attempt != fact.attempt:
        return Stale("no such launch is pending")
    if _still_calling(record, fact, policy):
        return Stale("another function makes this launch")
    asked = record.asked_by_others(fact.by)
    return replace(record, launching=Launching((*asked, Ask(fact.by, fact.at))))


def failed_task_missing(record: Record, fact: FailedTaskMissing, policy: Policy) -> Record | Stale:
    """Another launch copies the failed task, so without it the failure is final."""
    if not relaunch_pending(record) or record.attempt != fact.attempt:
        return Stale("no such launch is pending")
    if (fact.at - record.launched_at).total_seconds() < policy.launch_check:
        return Stale("the task is so young that ECS may not show it yet")
    return fail(record, Trigger.LAUNCH_FAILED, fact.at, messages.not_repeated(record))
