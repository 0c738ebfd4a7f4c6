"""Starting a container: claim the launch in the record, then run the task, then save the task's ARN.

Every call may be the last one this function makes, and another start of the same container may be at work. So what is
about to be done is saved before it is done: the record names each start that asks ECS for a task (`Record.asked`)
before it asks, and nothing is decided on a record that was read before a wait. A repeated start uses the same
generation and token, and RunTask's client token, derived from both, makes it the same task (ecs.md 5).

Only when every start that asked has been refused does the next launch begin. A task that comes of it all the same, and
that the record does not name, is stopped: the record has its stop pending (`UnwantedTask`), or its starter does it.
"""

import hmac
import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from core.control.describe_tasks import describe_task
from core.control.perform import launch_accepted
from core.control.run_task import SECONDS, Patience, run_task
from core.control.settle import settle
from core.launch.capacity import choose_capacity
from core.launch.parse import parse_start_request
from core.launch.plan import LaunchPlan, plan_launch
from core.launch.request import StartRequest
from core.machine.next_actions import next_actions, relaunch_pending
from core.machine.schedule import schedule
from core.model.actions import StopTask
from core.model.errors import CallFailed, RecordDeleted, Refused
from core.model.facts import Fact, LaunchRejected
from core.model.failure import ErrorCode, Failure
from core.model.parts import Ask, Launching, UnwantedTask
from core.model.record import Record
from core.model.state import State
from core.ports import Launched, Ports, RevisionConflict

PAUSE: Final = 1.0
"""Seconds before a launch that ECS refused is tried again: capacity comes back in moments or not at all."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The saved record in which one start, `by`, says that it asks for the task of `record.attempt`, and its plan."""

    by: str
    record: Record
    plan: LaunchPlan


def start_container(ports: Ports, document: object, by: str, *, seconds: float = SECONDS) -> Record:
    """The record of a started container. `by` names this invocation among all starts of the container.

    `seconds`: how long it waits for AWS at most.

    Raises `Refused` for a request that cannot be carried out (nothing written) and for a launch that AWS refused
    (the record says `failed`); `CallFailed` when it is not known whether the task was started.
    """
    request = parse_start_request(document)
    patience = Patience(ports.clock, seconds)
    while True:
        claim = _claim(ports, request, by)
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


def _claim(ports: Ports, request: StartRequest, by: str) -> Claim:
    """The record of this start, saved. Two starters end with the same record, and both are named in it."""
    known = ports.store.load(request.container_id)
    tidied = None
    while True:
        _refuse_if_running(request, known)
        if known is not None and known.state.ended and known.ref != tidied and next_actions(known, ports.policy):
            # Finish what the old generation has pending (StopTask, DeleteParameter) before its record is replaced.
            # Then decide again on what is saved: another start may have been quicker.
            tidied = known.ref
            known = settle(ports, known).record
            continue
        claim = _claimed(ports, request, known, by)
        try:
            ports.store.save(claim.record)
        except RevisionConflict as conflict:
            if conflict.current != claim.record:
                known = conflict.current or ports.store.load(request.container_id)
                continue
        return claim


def _claimed(ports: Ports, request: StartRequest, known: Record | None, by: str) -> Claim:
    """Planned before anything is written: what cannot be launched is refused here."""
    now = ports.clock.now()
    record = known if known is not None and not known.state.ended else _next_generation(ports, request, known)
    record = replace(record, capacity=choose_capacity(request, ports.settings))
    plan = plan_launch(
        request,
        ports.settings,
        token=record.agent_token or "",
        generation=record.generation,
        attempt=record.attempt,
        provider=record.provider,
    )
    asked = (*record.asked_by_others(by), Ask(by, now))
    claimed = replace(
        record,
        revision=record.revision + 1,
        updated_at=now,
        image=request.image,
        entrypoint=request.entrypoint,
        cmd=request.cmd,
        injection=plan.injection,
        keep_alive=plan.keep_alive,
        agent_flavor=ports.settings.agent_flavor,
        labels=request.labels,
        logs=plan.logs,
        token_parameter=plan.secret_name,
        health_timeout=request.health_timeout,
        start_timeout=request.start_timeout,
        security_groups=request.security_groups,
        max_lifetime=request.max_lifetime or ports.settings.max_lifetime_seconds or None,
        launching=Launching(asked, _request_hash(request, record)),
    )
    return Claim(by, schedule(claimed, ports.policy, now), plan)


def _next_generation(ports: Ports, request: StartRequest, known: Record | None) -> Record:
    """A task whose end the last generation still has pending is remembered by this one: ECS may not show it yet."""
    now = ports.clock.now()
    actions = next_actions(known, ports.policy) if known else ()
    return Record(
        container_id=request.container_id,
        state=State.PENDING,
        generation=known.generation + 1 if known else 1,
        revision=known.revision if known else 0,
        created_at=now,
        updated_at=now,
        cluster_arn=ports.settings.cluster_arn,
        agent_token=ports.new_token(),
        unwanted_tasks=tuple(UnwantedTask(one.task_arn, now) for one in actions if isinstance(one, StopTask)),
    )


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
    ref = claim.record.ref
    # An event of the task may have been here first: then the ARN is known, and this fact is stale.
    record = _settled(ports, claim, launch_accepted(ports, ref, launched))
    if record is None or record.ref != ref:
        # Started so late that its generation is over: no record will ever name it.
        reason = f"Started too late for generation {ref.generation} of container {ref.container_id}."
        ports.ecs.stop(launched.cluster_arn, launched.task_arn, reason)
    return _answer(ports, claim, record)


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
    raise _already_running(_answer(ports, claim, record)) from failed


def _find_launched_task(ports: Ports, claim: Claim, failed: CallFailed) -> Record:
    """An earlier try of this launch started a task with this client token. Find it, use it."""
    fact = describe_task(ports, claim.record)
    record = None if fact is None else _settled(ports, claim, fact)
    if record is None or record.task_arn is None:
        raise failed.but(uncertain=True) from failed
    return _answer(ports, claim, record)


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
        raise _already_running(record)
    if record.error is not None:
        raise Refused(record.error)
    return record


def _request_hash(request: StartRequest, record: Record) -> str:
    """It tells two requests apart. Keyed with the token: an environment may hold secrets that could be guessed."""
    document = json.dumps(request.model_dump(mode="json"), sort_keys=True)
    return hmac.new((record.agent_token or "").encode(), document.encode(), sha256).hexdigest()


def _refuse_if_running(request: StartRequest, known: Record | None) -> None:
    if known is None or known.state.ended:
        return
    if not known.unlaunched or relaunch_pending(known):
        raise _already_running(known)
    if known.launching and known.launching.request_hash not in (None, _request_hash(request, known)):
        started = f"{_running(known)} with another request, and its task may have been started."
        remedy = "Send the same request again, or stop the container first."
        raise Refused(Failure(ErrorCode.ALREADY_RUNNING, started, remedy, transient=True))


def _already_running(record: Record) -> Refused:
    remedy = "Stop it first, or wait until it has ended; then start it again."
    return Refused(Failure(ErrorCode.ALREADY_RUNNING, f"{_running(record)}.", remedy))


def _running(record: Record) -> str:
    return f"Container {record.container_id} is {record.state} in generation {record.generation}"
