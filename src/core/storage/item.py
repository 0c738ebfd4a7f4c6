"""The record as its DynamoDB item, and back: exactly the contract's section 3, in plain Python values.

`to_item` yields str, int, bool, list and dict, as boto3's `TypeSerializer` takes them. `from_item` also takes what
`TypeDeserializer` gives, where every number is a `Decimal`. An absent attribute is absent: never null, never empty.

Attributes that this version does not know are tolerated on read and dropped by the next write. Whoever adds one that
must survive an older writer raises `schema`; an item of a newer schema is not read, so it is not written over either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.model.errors import UnreadableRecord
from core.model.facts import ContainerSeen
from core.model.failure import Cause, ErrorCode, Failure
from core.model.instants import format_instant
from core.model.record import (
    SCHEMA,
    Ask,
    Injection,
    Instant,
    Launch,
    Launching,
    Probe,
    Record,
    Step,
    Stop,
    UnexplainedEnd,
    UnwantedTask,
)
from core.model.state import State, Trigger
from core.storage.attributes import (
    Attributes,
    Unusable,
    boolean,
    instant,
    integer,
    listing,
    mapping,
    strings,
    text,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def to_item(record: Record) -> dict[str, Any]:
    """The item of `record`: enumerations as plain `str`, instants in ISO 8601 (`core.model.instants`)."""
    return _present(
        container_id=record.container_id,
        schema=SCHEMA,
        state=record.state.value,
        generation=record.generation,
        revision=record.revision,
        task_version=record.task_version,
        cluster_arn=record.cluster_arn,
        task_arn=record.task_arn,
        task_definition_arn=record.task_definition_arn,
        image=record.image,
        injection=record.injection and record.injection.value,
        entrypoint=list(record.entrypoint),
        cmd=list(record.cmd),
        keep_alive=record.keep_alive,
        agent_address=record.agent_address,
        early_address=record.early_address,
        agent_token=record.agent_token,
        created_at=format_instant(record.created_at),
        updated_at=format_instant(record.updated_at),
        timings={name.value: format_instant(at) for name, at in record.timings.items()},
        probe=record.probe and _probe_item(record.probe),
        error=record.error and _failure_item(record.error),
        stop=record.stop
        and _present(
            code=record.stop.code,
            reason=record.stop.reason,
            exit_code=record.stop.exit_code,
            requested=record.stop.requested or None,
            oom_killed=record.stop.oom_killed or None,
            cause=record.stop.cause and record.stop.cause.value,
        ),
        history=[_step_item(step) for step in record.history],
        launches=[_launch_item(launch) for launch in record.launches],
        launching=record.launching and _launching_item(record.launching),
        unwanted_tasks=[{"task_arn": one.task_arn, "at": format_instant(one.at)} for one in record.unwanted_tasks],
        unexplained=record.unexplained and _unexplained_item(record.unexplained),
        health_timeout=record.health_timeout,
        start_timeout=record.start_timeout,
        token_parameter=record.token_parameter,
        watch=record.watch,
        check_at=record.check_at and format_instant(record.check_at),
        expires_at=record.expires_at,
    )


def from_item(item: Mapping[str, Any]) -> Record:
    """The record of `item`.

    Raises `UnreadableRecord`, which names the attribute that is missing, of the wrong type, empty or of an unknown
    word; no value but an unknown word of an enumeration is shown.
    """
    container_id = item.get("container_id")
    try:
        return _record(Attributes(item))
    except Unusable as exc:
        named = container_id if isinstance(container_id, str) and container_id else "(without an id)"
        raise UnreadableRecord(named, str(exc)) from exc


def _present(**attributes: Any) -> dict[str, Any]:
    """Without what is None or empty; 0 and False are values."""
    return {name: value for name, value in attributes.items() if value is not None and value not in ("", [], {})}


def _probe_item(probe: Probe) -> dict[str, Any]:
    return _present(
        attempts=probe.attempts,
        last_error=probe.last_error,
        deadline=format_instant(probe.deadline),
        silent_at=probe.silent_at and format_instant(probe.silent_at),
        remedy=probe.remedy,
    )


def _failure_item(failure: Failure) -> dict[str, Any]:
    return _present(
        code=failure.code.value,
        cause=failure.cause and failure.cause.value,
        message=failure.message,
        remedy=failure.remedy,
        transient=failure.transient,
    )


def _step_item(step: Step) -> dict[str, Any]:
    return {
        "at": format_instant(step.at),
        "from": step.origin.value,
        "to": step.to.value,
        "trigger": step.trigger.value,
    }


def _launch_item(launch: Launch) -> dict[str, Any]:
    return _present(at=format_instant(launch.at), task_arn=launch.task_arn, error=_failure_item(launch.failure))


def _launching_item(launching: Launching) -> dict[str, Any]:
    asked = [{"by": ask.by, "at": format_instant(ask.at)} for ask in launching.asked]
    return _present(asked=asked, request_hash=launching.request_hash)


def _unexplained_item(end: UnexplainedEnd) -> dict[str, Any]:
    containers = [
        _present(
            name=one.name, last_status=one.last_status, exit_code=one.exit_code, reason=one.reason, image=one.image
        )
        for one in end.containers
    ]
    return _present(at=format_instant(end.at), container=end.container, containers=containers, reason=end.reason)


def _record(item: Attributes) -> Record:
    schema = item.required("schema", integer)
    if schema != SCHEMA:
        raise Unusable(f"schema is {schema}, and this version reads {SCHEMA}")
    return Record(
        container_id=item.required("container_id", text),
        state=item.required("state", word(State)),
        generation=item.required("generation", integer),
        revision=item.required("revision", integer),
        task_version=item.required("task_version", integer),
        cluster_arn=item.optional("cluster_arn", text),
        task_arn=item.optional("task_arn", text),
        task_definition_arn=item.optional("task_definition_arn", text),
        image=item.optional("image", text),
        injection=item.optional("injection", word(Injection)),
        entrypoint=item.optional("entrypoint", strings) or (),
        cmd=item.optional("cmd", strings) or (),
        keep_alive=item.required("keep_alive", boolean),
        agent_address=item.optional("agent_address", text),
        early_address=item.optional("early_address", text),
        agent_token=item.optional("agent_token", text),
        created_at=item.required("created_at", instant),
        updated_at=item.required("updated_at", instant),
        timings=item.optional("timings", _timings) or {},
        probe=item.optional("probe", _probe),
        error=item.optional("error", _failure),
        stop=item.optional("stop", _stop),
        history=item.optional("history", _history) or (),
        launches=item.optional("launches", _launches) or (),
        launching=item.optional("launching", _launching),
        unwanted_tasks=item.optional("unwanted_tasks", _unwanted_tasks) or (),
        unexplained=item.optional("unexplained", _unexplained),
        health_timeout=item.optional("health_timeout", integer),
        start_timeout=item.optional("start_timeout", integer),
        token_parameter=item.optional("token_parameter", text),
        watch=item.optional("watch", text),
        check_at=item.optional("check_at", instant),
        expires_at=item.optional("expires_at", integer),
    )


def _timings(name: str, value: Any) -> dict[Instant, datetime]:
    return mapping(name, value).known(Instant, instant)


def _probe(name: str, value: Any) -> Probe:
    probe = mapping(name, value)
    return Probe(
        deadline=probe.required("deadline", instant),
        attempts=probe.required("attempts", integer),
        last_error=probe.optional("last_error", text),
        silent_at=probe.optional("silent_at", instant),
        remedy=probe.optional("remedy", text),
    )


def _failure(name: str, value: Any) -> Failure:
    failure = mapping(name, value)
    return Failure(
        code=failure.required("code", word(ErrorCode)),
        cause=failure.optional("cause", word(Cause)),
        message=failure.optional("message", text) or "",
        remedy=failure.optional("remedy", text) or "",
        transient=failure.required("transient", boolean),
    )


def _stop(name: str, value: Any) -> Stop:
    stop = mapping(name, value)
    return Stop(
        code=stop.optional("code", text),
        reason=stop.optional("reason", text),
        exit_code=stop.optional("exit_code", integer),
        requested=stop.optional("requested", boolean) or False,
        oom_killed=stop.optional("oom_killed", boolean) or False,
        cause=stop.optional("cause", word(Cause)),
    )


def _history(name: str, value: Any) -> tuple[Step, ...]:
    return tuple(_step(mapping(f"{name}[{index}]", step)) for index, step in enumerate(listing(name, value)))


def _step(step: Attributes) -> Step:
    return Step(
        at=step.required("at", instant),
        origin=step.required("from", word(State)),
        to=step.required("to", word(State)),
        trigger=step.required("trigger", word(Trigger)),
    )


def _launches(name: str, value: Any) -> tuple[Launch, ...]:
    return tuple(_launch(mapping(f"{name}[{index}]", launch)) for index, launch in enumerate(listing(name, value)))


def _launch(launch: Attributes) -> Launch:
    return Launch(
        at=launch.required("at", instant),
        failure=launch.required("error", _failure),
        task_arn=launch.optional("task_arn", text),
    )


def _launching(name: str, value: Any) -> Launching:
    launching = mapping(name, value)
    return Launching(launching.optional("asked", _asked) or (), launching.optional("request_hash", text))


def _asked(name: str, value: Any) -> tuple[Ask, ...]:
    asks = (mapping(f"{name}[{index}]", ask) for index, ask in enumerate(listing(name, value)))
    return tuple(Ask(ask.required("by", text), ask.required("at", instant)) for ask in asks)


def _unwanted_tasks(name: str, value: Any) -> tuple[UnwantedTask, ...]:
    tasks = (mapping(f"{name}[{index}]", task) for index, task in enumerate(listing(name, value)))
    return tuple(UnwantedTask(task.required("task_arn", text), task.required("at", instant)) for task in tasks)


def _unexplained(name: str, value: Any) -> UnexplainedEnd:
    end = mapping(name, value)
    return UnexplainedEnd(
        at=end.required("at", instant),
        container=end.required("container", text),
        containers=end.optional("containers", _containers_seen) or (),
        reason=end.optional("reason", text),
    )


def _containers_seen(name: str, value: Any) -> tuple[ContainerSeen, ...]:
    ends = (mapping(f"{name}[{index}]", end) for index, end in enumerate(listing(name, value)))
    return tuple(
        ContainerSeen(
            name=end.required("name", text),
            last_status=end.optional("last_status", text) or "",
            exit_code=end.optional("exit_code", integer),
            reason=end.optional("reason", text),
            image=end.optional("image", text),
        )
        for end in ends
    )
