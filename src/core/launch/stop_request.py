"""What a backend sends to stop a container. It is read by hand: a stop needs no pydantic, which a start reads by.

As in a start request, a member that is null or "" counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from core.launch.constraints import CONTAINER_ID
from core.launch.settings import wrong_request
from core.launch.texts import flaw_of

_LONGEST: Final = 1024
"""Of StopTask's reason."""
_NUMBERS: Final = {"exit_code": (-1, 255), "generation": (1, 2**63 - 1)}


@dataclass(frozen=True, slots=True)
class StopRequest:
    """One container to stop.

    `exit_code`: the agent has reported this end of the container's process to the backend. It is of `generation`, which
    is required with it: a newer one is not stopped by it.
    """

    container_id: str
    reason: str = "Stopped on request."
    exit_code: int | None = None
    generation: int | None = None


def parse_stop_request(document: object) -> StopRequest:
    """The request in a decoded JSON document. Raises `Refused` (InvalidRequest)."""
    if not isinstance(document, dict):
        raise wrong_request(["the request must be an object"])
    names = [one.name for one in fields(StopRequest)]
    given = {name: document[name] for name in names if document.get(name) not in (None, "")}
    wrong = [f"{name}: {says}" for name, says in _wrong(given)]
    wrong += [f"{str(name)[:80]}: is unknown; allowed are {', '.join(names)}" for name in document if name not in names]
    if wrong:
        raise wrong_request(wrong)
    return StopRequest(**given)


def _wrong(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "container_id" not in given:
        yield "container_id", "is required"
    for name in given.keys() & {"container_id", "reason"}:
        if says := _wrong_text(name, given[name]):
            yield name, says
    for name, (least, most) in _NUMBERS.items():
        number = given.get(name, least)
        if isinstance(number, bool) or not isinstance(number, int):
            yield name, "must be a whole number"
        elif not least <= number <= most:
            yield name, f"must be from {least} to {most}"
    if "exit_code" in given and "generation" not in given:
        yield "generation", "is required with exit_code: that of the start whose process exited, from its answer"


def _wrong_text(name: str, text: object) -> str | None:
    if not isinstance(text, str):
        return "must be a string"
    if name == "container_id" and not re.fullmatch(CONTAINER_ID.pattern, text):
        return CONTAINER_ID.description
    if len(text) > _LONGEST:
        return f"must have at most {_LONGEST} characters"
    return flaw_of(text)
