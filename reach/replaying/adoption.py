"""Whose tasks the events speak of, and how tasks of others become containers of ours. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from core.model.facts import MAIN
from core.model.identity import Ref, parse_started_by, started_by
from reach import Refused
from reach.replaying.reading import detail_of

_SIDECARS: Final = ("aws-guardduty-agent",)
"""Containers that AWS adds to a task by itself: their names begin so."""


def prefix_in(events: Iterable[Any]) -> str | None:
    """The first part of startedBy that the events share; None when none is of our form.

    Raises `Refused` when there are several: only the user knows which stack is meant.
    """
    found = Counter(prefix for event in events if (prefix := _prefix(detail_of(event).get("startedBy"))) is not None)
    if len(found) > 1:
        seen = ", ".join(f"{prefix} ({number} events)" for prefix, number in found.most_common())
        raise Refused(f"The events are of several stacks: {seen}. Choose one with --prefix.")
    return next(iter(found), None)


def adopted(event: Any, prefix: str) -> Any:
    """The event as if we had started its task: the container's id is the SHA-256 of the task's ARN, generation 1.

    Anything but an event of a task stays as it is.
    """
    arn = detail_of(event).get("taskArn")
    if not isinstance(arn, str):
        return event
    ours = started_by(prefix, Ref(sha256(arn.encode()).hexdigest(), 1))
    return {**event, "detail": {**event["detail"], "startedBy": ours}}


def with_main(event: Any, name: str | None = None) -> Any:
    """The event with the container of this name called `main`, as the core expects its own; one of that name gives way.

    Without a name, the only container of the task that AWS did not add itself.
    """
    containers = detail_of(event).get("containers")
    if not isinstance(containers, list):
        return event
    name = name or _only(containers)
    if name in (None, MAIN) or not any(_name(one) == name for one in containers):
        return event
    names = {name: MAIN, MAIN: f"{MAIN} (of the capture)"}
    renamed = [{**one, "name": names.get(one["name"], one["name"])} if _name(one) else one for one in containers]
    return {**event, "detail": {**event["detail"], "containers": renamed}}


def _only(containers: Iterable[Any]) -> str | None:
    own = [name for one in containers if (name := _name(one)) and not name.startswith(_SIDECARS)]
    return own[0] if len(own) == 1 else None


def _name(container: Any) -> str | None:
    name = container.get("name") if isinstance(container, Mapping) else None
    return name if isinstance(name, str) else None


def _prefix(text: Any) -> str | None:
    prefix = text.partition("/")[0] if isinstance(text, str) else ""
    return prefix if prefix and parse_started_by(prefix, text) else None
