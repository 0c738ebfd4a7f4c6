"""What the local Fargate shows, compared with the shape of real captures (`shapes.json`). No value is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

SHAPES: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "shapes.json").read_text())
ROOTS: Final = {"event": "event", "api": "task"}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z")


@dataclass(frozen=True, order=True)
class Difference:
    """`what`: `unknown` (no capture has the member), `missing` (every capture has it), or the type that is wrong."""

    kind: str
    status: str
    path: str
    what: str


def differences(kind: str, document: Mapping[str, Any]) -> list[Difference]:
    """Where an event (`event`) or a Task of the API (`api`) differs from the captures of its lastStatus."""
    status = document["detail"]["lastStatus"] if kind == "event" else document["lastStatus"]
    found = set()
    for path, members in _levels(document, ROOTS[kind]):
        always, known = _captured(kind, status, path)
        found |= {Difference(kind, status, f"{path}.{name}", "unknown") for name in members - known}
        found |= {Difference(kind, status, f"{path}.{name}", "missing") for name in always - members}
    for path, value in _values(document, ROOTS[kind]):
        if path in SHAPES["types"] and (wrong := _wrong_type(value, SHAPES["types"][path])):
            found.add(Difference(kind, status, path, wrong))
    return sorted(found)


def excepted(difference: Difference) -> dict[str, Any] | None:
    """The exception that justifies it."""
    return next((one for one in SHAPES["exceptions"] if _covers(one, difference)), None)


def _covers(exception: Mapping[str, Any], difference: Difference) -> bool:
    return (
        exception["path"] == difference.path
        and exception["what"] == difference.what
        and difference.status in exception.get("statuses", SHAPES["statuses"])
    )


def _captured(kind: str, status: str, path: str) -> tuple[set[str], set[str]]:
    """The members that all captures have at this level, and those that any has.

    For a status of which there is no capture its neighbours answer; where a status has no whole capture, or none with
    this level, those of every status do.
    """
    by_status = SHAPES["members"][kind]
    asked = [by_status[one] for one in ([status] if status in by_status else SHAPES["stand_ins"][kind][status])]
    levels = [one["members"][path] for one in asked if path in one["members"]]
    if not levels or not all(one["captures"] for one in asked):
        levels += [one["members"][path] for one in by_status.values() if path in one["members"]]
    # A shortened capture has no "always": it says nothing of what is missing.
    certain = [set(one["always"]) for one in levels if one["always"]]
    always = set.intersection(*certain) if certain else set()
    return always, set().union(*(one["always"] + one["sometimes"] for one in levels))


def _levels(value: Any, path: str) -> Iterator[tuple[str, set[str]]]:
    """Each object below, with the names of its members."""
    if isinstance(value, Mapping):
        yield path, set(value)
    for name, one in _members(value, path):
        yield from _levels(one, name)


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    for name, one in _members(value, path):
        yield from _values(one, name)


def _members(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{path}.{name}", one) for name, one in value.items()]
    return [(f"{path}[]", one) for one in value] if isinstance(value, list) else []


def type_of(value: Any) -> str:  # noqa: PLR0911 - one for each
    """The type as `shapes.json` calls it; texts are told apart by their form."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case list():
            return "list"
        case Mapping():
            return "object"
        case datetime():
            return "instant"
        case str() if _INSTANT.fullmatch(value):
            return "instant"
        case str() if value.startswith("arn:"):
            return "arn"
        case str() if value.isdigit():
            return "digits"
        case str():
            return "string"
        case _:
            return type(value).__name__


def _wrong_type(value: Any, captured: list[str]) -> str | None:
    """Digits and ARNs are texts too, where captures have any text."""
    seen = type_of(value)
    text = seen in {"digits", "arn"} and "string" in captured
    return None if seen in captured or text else f"{seen}, not {' or '.join(captured)}"


def fraction_digits(document: Any) -> set[int]:
    """How many digits of a second its instants have, wherever they stand."""
    texts = [value for _, value in _values(document, "") if isinstance(value, str)]
    return {len(found[1] or "") for text in texts if (found := _INSTANT.fullmatch(text))}
