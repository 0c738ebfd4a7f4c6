"""Claiming a launch: the record says who is about to ask ECS for the task, and is saved before it is asked for.

Two starts of one container end with the same record, and both are named in it.
"""

import hmac
import json
from dataclasses import dataclass, replace
from hashlib import sha256

from core.control.settle import settle
from core.launch.capacity import choose_capacity
from core.launch.plan import LaunchPlan, plan_launch
from core.launch.request import StartRequest
from core.launch.settings import wrong_request
from core.machine.next_actions import next_actions, relaunch_pending
from core.machine.schedule import schedule
from core.model.actions import StopTask
from core.model.errors import Refused
from core.model.failure import ErrorCode, Failure
from core.model.parts import Ask, Launching, UnwantedTask
from core.model.record import Record
from core.model.state import State
from core.ports import Ports, RevisionConflict


@dataclass(frozen=True, slots=True)
class Claim:
    """The saved record in which one start, `by`, says that it asks for the task of `record.attempt`, and its plan."""

    by: str
    record: Record
    plan: LaunchPlan


def claim_launch(ports: Ports, request: StartRequest, by: str) -> Claim | Record:
    """The record of this start, saved. Two starters end with the same record, and both are named in it.

    Without a claim the record alone: the generation that the request names was launched before. Nothing is read first:
    most containers are new, and the condition of the write brings the item of any other. An item past its time to live
    is gone for its readers, so it has begun nothing, and generations may count anew, as when DynamoDB has removed it.
    """
    known = tidied = None
    while True:
        if known is not None and not known.expired(ports.clock.now()) and _begun(request, known):
            return known
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
        generation=request.generation or (known.generation + 1 if known else 1),
        revision=known.revision if known else 0,
        created_at=now,
        updated_at=now,
        cluster_arn=ports.settings.cluster_arn,
        agent_token=ports.new_token(),
        unwanted_tasks=tuple(UnwantedTask(one.task_arn, now) for one in actions if isinstance(one, StopTask)),
    )


def _request_hash(request: StartRequest, record: Record, *, exclude_defaults: bool = True) -> str:
    """It tells two requests apart. Keyed with the token: an environment may hold secrets that could be guessed.

    Of what the request sets alone: a version with more members makes the same hash of the same request.
    """
    members = request.model_dump(mode="json", exclude={"generation"}, exclude_defaults=exclude_defaults)
    document = json.dumps(members, sort_keys=True)
    return hmac.new((record.agent_token or "").encode(), document.encode(), sha256).hexdigest()


def _begun(request: StartRequest, known: Record) -> bool:
    """Whether this start has had its effect, and all that came of it is in the record.

    Raises `Refused` when the container was started anew since, or when another request has started this generation.
    """
    if request.generation is None or request.generation > known.generation:
        return False
    if request.generation < known.generation:
        raise wrong_request([f"generation: {request.generation} is over, the container is in {known.generation}"])
    if not known.state.ended and not _launched(known):
        return False
    if (known.image, known.entrypoint, known.cmd) != (request.image, request.entrypoint, request.cmd):
        started = f"{_running(known)} with another request."
        remedy = "Read the item, and start the container with a generation above its own when it has ended."
        raise Refused(Failure(ErrorCode.ALREADY_RUNNING, started, remedy, transient=True))
    return True


def _refuse_if_running(request: StartRequest, known: Record | None) -> None:
    if known is None or known.state.ended:
        return
    if _launched(known) or (request.generation or 0) > known.generation:
        raise already_running(known)
    saved = known.launching and known.launching.request_hash
    # Of this version, or of one that hashed the defaults too.
    if saved and all(saved != _request_hash(request, known, exclude_defaults=exclude) for exclude in (True, False)):
        started = f"{_running(known)} with another request, and its task may have been started."
        remedy = "Send the same request again, or stop the container first."
        raise Refused(Failure(ErrorCode.ALREADY_RUNNING, started, remedy, transient=True))


def _launched(live: Record) -> bool:
    """It has its task, or the functions launch it again: no start does."""
    return not live.unlaunched or relaunch_pending(live)


def already_running(record: Record) -> Refused:
    """The refusal to start a container that has not ended."""
    remedy = "Stop it first, or wait until it has ended; then start it again."
    return Refused(Failure(ErrorCode.ALREADY_RUNNING, f"{_running(record)}.", remedy))


def _running(record: Record) -> str:
    return f"Container {record.container_id} is {record.state} in generation {record.generation}"
