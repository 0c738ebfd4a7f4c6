"""ECS's documents -> facts: the `ECS Task State Change` event and the DescribeTasks answer.

Both show one version of a whole task, but spell it differently (ecs.md 2): the event writes `eni` and ISO texts, the
API `ElasticNetworkInterface` and datetimes. Unknown members, statuses, attachment types and stop codes are fine. A
document without a version or a task ARN is refused with the reason.

The members are read by hand: what pydantic takes to be imported is a sixth of a cold start (measurements.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from core.model.errors import MalformedEvent
from core.model.facts import Attachment, ContainerSeen, Interface, Source, TaskObserved
from core.model.identity import Ref, parse_started_by
from core.model.instants import parse_instant, truncate, usable

_DETAIL_TYPE: Final = "ECS Task State Change"


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A task that this stack did not start, and how that is known."""

    task_arn: str
    why: str


def observe_event(event: object, *, prefix: str, at: datetime) -> TaskObserved | NotOurs:
    """The fact in one EventBridge event. `prefix` is the stack's first part of startedBy, `at` is now.

    Raises `MalformedEvent` when it is no task state change, or its task is refused.
    """
    if not isinstance(event, Mapping):
        raise MalformedEvent(f"An event is a JSON object; this is {type(event).__name__}.")
    if (kind := event.get("detail-type")) != _DETAIL_TYPE:
        raise MalformedEvent(f"The detail-type is {kind!r}, not {_DETAIL_TYPE!r}.")
    return _observe(event.get("detail"), Source.EVENT, prefix, at)


def observe_description(task: object, *, prefix: str, at: datetime, known: Ref | None = None) -> TaskObserved | NotOurs:
    """The fact in one member of DescribeTasks' `tasks`. Raises `MalformedEvent` as `observe_event` does.

    `known`: whose record names this task. It is its task, whatever prefix the stack had when it was started.
    """
    return _observe(task, Source.DESCRIBED, prefix, at, known)


class _Unusable(ValueError):
    """Where and what, without the value: overrides of an event may hold secrets."""


class _Member(NamedTuple):
    """A member that we read. An optional one that is absent, null or "" is not read: ECS sends null for empty lists."""

    name: str
    read: Callable[[object], Any]
    required: bool = False


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unusable("should be a string")
    return value


def _name(value: object) -> str:
    if not _text(value):
        raise _Unusable("should not be empty")
    return str(value)


def _integer(least: int, beyond: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < beyond:
            raise _Unusable(f"should be an integer from {least} to {beyond - 1}")
        return value

    return read


def _instant(value: object) -> datetime:
    try:
        if isinstance(value, str):
            return parse_instant(value)
        if isinstance(value, int | float):
            return usable(datetime.fromtimestamp(value, UTC))
        if isinstance(value, datetime):
            return usable(value)
    except (ValueError, OverflowError, OSError):
        raise _Unusable("should be an instant with a zone, from 1970 to 8999") from None
    raise _Unusable("should be an instant")


def _each(read: Callable[[Mapping[str, Any]], Any]) -> Callable[[object], tuple[Any, ...]]:
    """A list of objects."""

    def read_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _Unusable("should be a list")
        return tuple(_at(index, read_one, one) for index, one in enumerate(value))

    def read_one(value: object) -> Any:
        if not isinstance(value, Mapping):
            raise _Unusable("should be an object")
        return read(value)

    return read_all


def _at(place: object, read: Callable[[Any], Any], value: object) -> Any:
    try:
        return read(value)
    except _Unusable as exc:
        # One or more places stand before a reason.
        reason = str(exc)
        raise _Unusable(f"{place}.{reason}" if ": " in reason else f"{place}: {reason}") from None


def _read(document: Mapping[str, Any], members: Mapping[str, _Member]) -> dict[str, Any]:
    """Their values, by the names of ours; without those that are not there. Raises `_Unusable`."""
    found = {}
    for ours, (name, read, required) in members.items():
        if name in document and (required or document[name] not in (None, "")):
            found[ours] = _at(name, read, document[name])
        elif required:
            raise _Unusable(f"{name}: Field required")
    return found


def _detail(raw: Mapping[str, Any]) -> tuple[str, str]:
    found = _read(raw, _DETAIL)
    return found["name"], found.get("value", "")


def _attachment(raw: Mapping[str, Any]) -> Attachment:
    """It stays as it came, too: `EniNotFound` prints the whole array."""
    found = _read(raw, _ATTACHMENT)
    details = {name: value for name, value in found.get("details", ()) if value}
    return Attachment(found.get("id"), found.get("type", ""), found.get("status"), details, dict(raw))


def _interface(raw: Mapping[str, Any]) -> Interface:
    found = _read(raw, _INTERFACE)
    return Interface(*map(found.get, _INTERFACE))


def _container(raw: Mapping[str, Any]) -> ContainerSeen:
    found = {"last_status": "", **_read(raw, _CONTAINER)}
    return ContainerSeen(**found)


_DETAIL: Final = {"name": _Member("name", _text, required=True), "value": _Member("value", _text)}
_ATTACHMENT: Final = {
    "id": _Member("id", _text),
    "type": _Member("type", _text),
    "status": _Member("status", _text),
    "details": _Member("details", _each(_detail)),
}
_INTERFACE: Final = {
    "attachment_id": _Member("attachmentId", _text),
    "private_ipv4_address": _Member("privateIpv4Address", _text),
    "ipv6_address": _Member("ipv6Address", _text),
}
_CONTAINER: Final = {
    "name": _Member("name", _text, required=True),
    "last_status": _Member("lastStatus", _text),
    "exit_code": _Member("exitCode", _integer(-(2**31), 2**31)),
    "reason": _Member("reason", _text),
    "image": _Member("image", _text),
    "interfaces": _Member("networkInterfaces", _each(_interface)),
}
_TASK: Final = {
    "task_arn": _Member("taskArn", _name, required=True),
    "version": _Member("version", _integer(0, 2**63), required=True),
    "last_status": _Member("lastStatus", _text, required=True),
    "desired_status": _Member("desiredStatus", _text, required=True),
    "cluster_arn": _Member("clusterArn", _text),
    "task_definition_arn": _Member("taskDefinitionArn", _text),
    "containers": _Member("containers", _each(_container)),
    "attachments": _Member("attachments", _each(_attachment)),
    "created_at": _Member("createdAt", _instant),
    "connectivity_at": _Member("connectivityAt", _instant),
    "pull_started_at": _Member("pullStartedAt", _instant),
    "pull_stopped_at": _Member("pullStoppedAt", _instant),
    "started_at": _Member("startedAt", _instant),
    "stopping_at": _Member("stoppingAt", _instant),
    "execution_stopped_at": _Member("executionStoppedAt", _instant),
    "stopped_at": _Member("stoppedAt", _instant),
    "updated_at": _Member("updatedAt", _instant),
    "stop_code": _Member("stopCode", _text),
    "stopped_reason": _Member("stoppedReason", _text),
    "capacity_provider_name": _Member("capacityProviderName", _text),
}


def _observe(
    document: object, source: Source, prefix: str, at: datetime, known: Ref | None = None
) -> TaskObserved | NotOurs:
    if not isinstance(document, Mapping) or not document:
        raise MalformedEvent("There is no task in the document.")
    try:
        task = _read(document, _TASK)
    except _Unusable as exc:
        raise MalformedEvent(f"The task document is not usable: {exc}.") from None
    started_by = document.get("startedBy")
    named = started_by if isinstance(started_by, str) else ""
    correlated = parse_started_by(prefix, named)
    if correlated is None and parse_started_by(None, named) == known:
        correlated = known
    if correlated is None:
        return NotOurs(task["task_arn"], f"startedBy is not {prefix}/<container id>/<generation>")
    return TaskObserved(ref=correlated, at=truncate(at), source=source, **task)
