"""ECS's documents -> facts: the `ECS Task State Change` event and the DescribeTasks answer.

Both show one version of a whole task, but spell it differently (ecs.md 2): the event writes `eni` and ISO texts, the
API `ElasticNetworkInterface` and datetimes. Unknown members, statuses, attachment types and stop codes are fine. A
document without a version or a task ARN is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from core.model.errors import MalformedEvent
from core.model.facts import Attachment, ContainerSeen, Interface, Source, TaskObserved
from core.model.identity import parse_started_by
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


def observe_description(task: object, *, prefix: str, at: datetime) -> TaskObserved | NotOurs:
    """The fact in one member of DescribeTasks' `tasks`. Raises `MalformedEvent` as `observe_event` does."""
    return _observe(task, Source.DESCRIBED, prefix, at)


def _read_instant(value: Any) -> Any:
    if isinstance(value, str):
        return parse_instant(value)
    if isinstance(value, int | float):
        try:
            value = datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError) as exc:
            raise ValueError("no instant is so far away") from exc
    return usable(value) if isinstance(value, datetime) else value


Version = Annotated[int, Field(ge=0, lt=2**63)]
ExitCode = Annotated[int, Field(ge=-(2**31), lt=2**31)]
When = Annotated[datetime | None, BeforeValidator(_read_instant)]


class _Document(BaseModel):
    """ECS sends null for some lists that are empty."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Detail(_Document):
    name: str
    value: str | None = None


class _Attachment(_Document):
    id: str | None = None
    type: str = ""
    status: str | None = None
    details: tuple[_Detail, ...] | None = None


class _Interface(_Document):
    attachment_id: str | None = None
    private_ipv4_address: str | None = None
    ipv6_address: str | None = None


class _Container(_Document):
    name: str
    last_status: str = ""
    exit_code: ExitCode | None = None
    reason: str | None = None
    image: str | None = None
    network_interfaces: tuple[_Interface, ...] | None = None


class _Task(_Document):
    """The members that we read. `attachments` stays as it came: `EniNotFound` prints the whole array."""

    task_arn: str = Field(min_length=1)
    version: Version
    last_status: str
    desired_status: str
    cluster_arn: str | None = None
    task_definition_arn: str | None = None
    containers: tuple[_Container, ...] | None = None
    attachments: tuple[dict[str, Any], ...] | None = None
    created_at: When = None
    connectivity_at: When = None
    pull_started_at: When = None
    pull_stopped_at: When = None
    started_at: When = None
    stopping_at: When = None
    execution_stopped_at: When = None
    stopped_at: When = None
    updated_at: When = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    capacity_provider_name: str | None = None


def _observe(document: object, source: Source, prefix: str, at: datetime) -> TaskObserved | NotOurs:
    if not isinstance(document, Mapping) or not document:
        raise MalformedEvent("There is no task in the document.")
    try:
        task = _Task.model_validate(document)
        attachments = tuple(_attachment(raw) for raw in task.attachments or ())
    except ValidationError as exc:
        raise MalformedEvent(f"The task document is not usable: {_reasons(exc)}.") from exc
    started_by = document.get("startedBy")
    correlated = parse_started_by(prefix, started_by) if isinstance(started_by, str) else None
    if correlated is None:
        return NotOurs(task.task_arn, f"startedBy is not {prefix}/<container id>/<generation>")
    return TaskObserved(
        ref=correlated,
        at=truncate(at),
        source=source,
        attachments=attachments,
        containers=tuple(_container(seen) for seen in task.containers or ()),
        **{name: getattr(task, name) for name in _Task.model_fields if name not in {"attachments", "containers"}},
    )


def _attachment(raw: dict[str, Any]) -> Attachment:
    parsed = _Attachment.model_validate(raw)
    details = {detail.name: detail.value for detail in parsed.details or () if detail.value}
    return Attachment(parsed.id, parsed.type, parsed.status, details, raw)


def _container(seen: _Container) -> ContainerSeen:
    shown = seen.network_interfaces or ()
    interfaces = tuple(Interface(one.attachment_id, one.private_ipv4_address, one.ipv6_address) for one in shown)
    return ContainerSeen(seen.name, seen.last_status, seen.exit_code, seen.reason, interfaces, image=seen.image)


def _reasons(error: ValidationError) -> str:
    """Where and what, without the values: overrides of an event may hold secrets."""
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )
