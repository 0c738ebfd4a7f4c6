"""Starting a container: claim the launch in the record, then run the task, whose first event writes its ARN.

Every call may be the last one this function makes, and another start of the same container may be at work. So what is
about to be done is saved before it is done: the record names each start that asks ECS for a task (`Record.asked`)
before it asks, and nothing is decided on a record that was read before a wait. A repeated start uses the same
generation and token, and RunTask's client token, derived from both, makes it the same task (ecs.md 5).

Only when every start that asked has been refused does the next launch begin. A task that comes of it all the same, and
that the record does not name, is stopped: the record has its stop pending (`UnwantedTask`), or its starter does it.
"""

from typing import Final

from core.control.claim import Claim, already_running, claim_launch
from core.control.describe_tasks import describe_task
from core.control.perform import launch_accepted
from core.control.run_task import SECONDS, Patience, run_task
from core.control.settle import hold, settle
from core.launch.parse import parse_start_request
from core.machine.next_actions import next_actions, relaunch_pending
from core.model.errors import CallFailed, RecordDeleted, Refused
from core.model.facts import Fact, LaunchAccepted, LaunchRejected, TaskGone
from core.model.failure import ErrorCode, Failure
from core.model.record import Record
from core.ports import Launched, Ports

PAUSE: Final = 1.0
"""Seconds before a launch that ECS refused is tried again: capacity comes back in moments or not at all."""


def start_container(ports: Ports, document: object, by: str, *, seconds: float = SECONDS) -> Record:
    """The record of a started container. `by` names this invocation among all starts of the container.

    `seconds`: how long it waits for AWS at most.

    Raises `Refused` for a request that cannot be carried out (nothing written) and for a launch that AWS refused
    (the record says `failed`); `CallFailed` when it is not known whether the task was started.
    """
    request = parse_start_request(document)
    patience = Patience(ports.clock, seconds)
    while True:
        claim = claim_launch(ports, request, by)
        if isinstance(claim, Record):
            return _not_failed(claim)
        if (known := _known(ports, claim)) is not None:
            return _answer(ports, claim, known)
        try:
            launched = _launch(ports, claim, patience)
        except CallFailed as failed:
            if failed.already_launched:
                return _find_launched_task(ports, claim, failed)
            if failed.uncertain:
                raise
            _rejected(ports, claim, failed)
            patience.wait(PAUSE)
        else:
            return _accepted(ports, claim, launched)


def _known(ports: Ports, claim: Claim) -> Record | None:
    """The record with the task that another start of this launch has asked for, where ECS shows it.

    It need not be asked for again, and a refusal of this start (IAM's comes before ECS reads the client token) would
    not say that there is none.
    """
    if not claim.record.asked_by_others(claim.by):
        return None
    try:
        return _launched_before(ports, claim)
    except CallFailed:
        return None  # RunTask waits for its turn, and its client token makes it the same task


def _launch(ports: Ports, claim: Claim, patience: Patience) -> Launched:
    plan, record = claim.plan, claim.record
    if plan.untagged_labels:
        ports.observer.labels_left_out(record, plan.untagged_labels)
    if plan.secret_name is not None and record.agent_token is not None:
        try:
            ports.vault.put(plan.secret_name, record.agent_token)
        except CallFailed as failed:
            # Whether it took effect or not, it has started no task.
            raise failed.but(uncertain=False) from failed
    return run_task(ports, plan, patience)


def _accepted(ports: Ports, claim: Claim, launched: Launched) -> Record:
    ref, accepted = claim.record.ref, launch_accepted(ports, claim.record.ref, launched)
    if (record := _unwritten(ports, claim, accepted)) is not None:
        return record
    # An event of the task may have been here first: then the ARN is known, and this fact is stale.
    record = _settled(ports, claim, accepted)
    if record is None or record.ref != ref:
        # Started so late that its generation is over: no record will ever name it.
        reason = f"Started too late for generation {ref.generation} of container {ref.container_id}."
        ports.ecs.stop(launched.cluster_arn, launched.task_arn, reason)
    return _answer(ports, claim, record)


def _unwritten(ports: Ports, claim: Claim, accepted: LaunchAccepted) -> Record | None:
    """The record with its task, which ECS's first event writes; None when it has to be written now.

    Until then the saved record is that of a start that died after RunTask: whoever needs the task finds it by its
    startedBy (`core.control.describe_tasks`). Now, where another start asks too, or anything has changed meanwhile.
    """
    record = claim.record
    if record.asked_by_others(claim.by) or next_actions(record, ports.policy):
        return None
    if ports.store.load(record.container_id) != record:
        return None
    return hold(ports, record, accepted)


def _rejected(ports: Ports, claim: Claim, failed: CallFailed) -> None:
    """Returns when another launch is this start's to make. Raises `Refused` when there is to be none.

    Raises `CallFailed`, uncertain, when another start of the same launch may still be taken.
    """
    rejected = LaunchRejected(
        ref=claim.record.ref,
        at=ports.clock.now(),
        attempt=claim.record.attempt,
        failure=failed.as_launch_failure(),
        by=claim.by,
        by_run_task=failed.operation == "RunTask",
    )
    record = _settled(ports, claim, rejected)
    if record is not None and record.ref == rejected.ref and record.unlaunched:
        if record.attempt > rejected.attempt and not relaunch_pending(record):
            return
        raise failed.but(uncertain=True) from failed
    raise already_running(_answer(ports, claim, record)) from failed


def _find_launched_task(ports: Ports, claim: Claim, failed: CallFailed) -> Record:
    """An earlier try of this launch started a task with this client token. Find it, use it."""
    if (record := _launched_before(ports, claim)) is None:
        raise failed.but(uncertain=True) from failed
    return _answer(ports, claim, record)


def _launched_before(ports: Ports, claim: Claim) -> Record | None:
    """The record with the task of this launch that ECS shows; None when it shows none."""
    fact = describe_task(ports, claim.record)
    if fact is None or isinstance(fact, TaskGone):
        return None
    record = _settled(ports, claim, fact)
    return record if record is not None and record.task_arn is not None else None


def _settled(ports: Ports, claim: Claim, fact: Fact) -> Record | None:
    """The record after the fact; None when its item was deleted meanwhile."""
    try:
        return settle(ports, claim.record, fact).record
    except RecordDeleted:
        return None


def _answer(ports: Ports, claim: Claim, record: Record | None) -> Record:
    """What became of the claim. Raises `Refused` when it failed, or when another generation counts by now."""
    name = claim.plan.secret_name
    if name is not None and (record is None or record.token_parameter != name):
        # The record's own deletion of it may have come before this start put it.
        ports.vault.erase(name)
    if record is None:
        deleted = (
            f"The item of container {claim.record.container_id} was deleted while the container was being started."
        )
        remedy = "Start the container again; nothing but this stack may delete items that have not ended."
        raise Refused(Failure(ErrorCode.LAUNCH_FAILED, deleted, remedy, transient=True))
    if record.ref != claim.record.ref:
        raise already_running(record)
    return _not_failed(record)


def _not_failed(record: Record) -> Record:
    if record.error is not None:
        raise Refused(record.error)
    return record
