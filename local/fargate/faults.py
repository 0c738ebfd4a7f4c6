"""Faults on request: which task, call or event each applies to, and how often.

A fault matches by a substring of the task's startedBy, of one of its images or of its ARN. `times` counts tasks for
the faults of a start, calls for those of RunTask, events for `events`; None is without end.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class FaultName(StrEnum):
    """The faults that `POST /_local/faults` takes."""

    IMAGE_PULL = "image-pull"
    AGENT_MISSING = "agent-missing"
    PORT_BLOCKED = "port-blocked"
    PORT_REFUSED = "port-refused"
    EFS_MOUNT = "efs-mount"
    ENI_PROVISIONING = "eni-provisioning"
    CAPACITY = "capacity"
    CAPACITY_PROVIDER = "capacity-provider"
    """The cluster is not associated with the provider that RunTask's strategy names."""
    SPOT_CAPACITY = "spot-capacity"
    """RunTask has no Spot capacity, and says so."""
    SPOT_CAPACITY_LATE = "spot-capacity-late"
    """RunTask answers with a task of Spot, which then fails to start."""
    SPOT_INTERRUPTION = "spot-interruption"
    """Spot takes its capacity back `after_seconds` from RUNNING."""
    THROTTLE = "throttle"
    EVENTS = "events"


OF_A_CALL: Final = frozenset({
    FaultName.CAPACITY, FaultName.CAPACITY_PROVIDER, FaultName.SPOT_CAPACITY, FaultName.THROTTLE,
})  # fmt: skip
_OF_SPOT: Final = frozenset({FaultName.SPOT_CAPACITY, FaultName.SPOT_CAPACITY_LATE, FaultName.SPOT_INTERRUPTION})
OF_A_TASK: Final = frozenset(set(FaultName) - OF_A_CALL - {FaultName.EVENTS})
OVERTAKEN_SECONDS: Final = 2.0


class BadFault(Exception):
    """The request for a fault is wrong; the message says what is allowed."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _probability(value: Any) -> bool:
    return _seconds(value) and value <= 1


_REASON: Final[dict[str, Callable[[Any], bool]]] = {"reason": _text}
_PARAMETERS: Final[dict[FaultName, dict[str, Callable[[Any], bool]]]] = {
    FaultName.IMAGE_PULL: _REASON,
    FaultName.EFS_MOUNT: _REASON,
    FaultName.ENI_PROVISIONING: _REASON,
    FaultName.CAPACITY: _REASON,
    FaultName.SPOT_CAPACITY: _REASON,
    FaultName.SPOT_CAPACITY_LATE: _REASON,
    FaultName.SPOT_INTERRUPTION: {"after_seconds": _seconds},
    FaultName.EVENTS: {
        "drop": _probability,
        "duplicate": _probability,
        "reorder": _probability,
        "delay_seconds": _seconds,
        "scatter_seconds": _seconds,
        "last_status": _text,
        "seed": lambda value: isinstance(value, int),
    },
}


def met_on(provider: str | None, names: frozenset[FaultName]) -> frozenset[FaultName]:
    """Those of the faults that a RunTask for this capacity provider can meet; None is On-Demand by its launch type."""
    if provider is None:
        return names - _OF_SPOT - {FaultName.CAPACITY_PROVIDER}
    return names if provider == "FARGATE_SPOT" else names - _OF_SPOT


@dataclass(slots=True)
class Fault:
    """One request for a fault. `random` has the request's seed: the same requests have the same effect."""

    name: FaultName
    match: str
    parameters: dict[str, Any]
    times: int | None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    applied: int = 0
    random: random.Random = field(default_factory=random.Random, repr=False)

    @property
    def spent(self) -> bool:
        return self.times is not None and self.applied >= self.times

    def document(self) -> dict[str, Any]:
        return {"id": self.id, "fault": self.name, "match": self.match, "times": self.times, "applied": self.applied,
                **self.parameters}  # fmt: skip


def parse(request: Any) -> Fault:
    """Reads `{"match", "fault", "times", …parameters}`. Raises `BadFault`."""
    if not isinstance(request, dict):
        raise BadFault("a fault is a JSON object")
    parameters = {key: value for key, value in request.items() if key not in ("match", "fault", "times")}
    match, times = request.get("match"), request.get("times")
    try:
        name = FaultName(str(request.get("fault")))
    except ValueError as exc:
        raise BadFault(f"fault must be one of: {', '.join(FaultName)}") from exc
    if not isinstance(match, str):
        raise BadFault("match must be a string: part of startedBy, of an image or of a task ARN; empty matches all")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise BadFault("times must be a positive number, or null for ever")
    allowed = _PARAMETERS.get(name, {})
    for key, value in parameters.items():
        if key not in allowed:
            raise BadFault(f"{name} takes {', '.join(sorted(allowed)) or 'no parameters'}, not {key}")
        if not allowed[key](value):
            raise BadFault(f"{key} of {name} is out of range")
    return Fault(name, match, parameters, times, random=random.Random(parameters.get("seed")))  # noqa: S311 - chance, no secret


class Faults:
    """Those in force, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def documents(self) -> list[dict[str, Any]]:
        return [fault.document() for fault in self._faults]

    def take(
        self, names: Iterable[FaultName], subjects: Iterable[str | None], last_status: str | None = None
    ) -> dict[FaultName, Fault]:
        """The first fault in force of each name that matches one of the subjects; each counts as applied once.

        A fault of one `last_status` matches only that.
        """
        known = [subject for subject in subjects if subject]
        taken: dict[FaultName, Fault] = {}
        for fault in self._faults:
            matching = not fault.match or any(fault.match in subject for subject in known)
            matching = matching and fault.parameters.get("last_status") in (None, last_status)
            if fault.name in names and fault.name not in taken and not fault.spent and matching:
                fault.applied += 1
                taken[fault.name] = fault
        return taken


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one event to the bus.

    `held` has one number for each copy: for so many seconds it is held back while later events pass. Without copies
    the event is lost. `delay` keeps later ones waiting too.
    """

    held: tuple[float, ...] = (0.0,)
    delay: float = 0


def route(faults: Faults, subjects: Iterable[str | None], last_status: str) -> Route:
    """The route under the first `events` fault that matches.

    `reorder` holds some events back for `OVERTAKEN_SECONDS`; `scatter_seconds` every copy of each, up to so long.
    """
    taken = faults.take((FaultName.EVENTS,), subjects, last_status)
    fault = taken.get(FaultName.EVENTS)
    if fault is None:
        return Route()
    chance = fault.random.random
    lost, doubled, late = (chance() < fault.parameters.get(what, 0) for what in ("drop", "duplicate", "reorder"))
    scatter = float(fault.parameters.get("scatter_seconds", 0))
    # Always drawn, so that the route of an event does not depend on the routes before it.
    held = [(OVERTAKEN_SECONDS if late else 0.0) + chance() * scatter for _ in range(2)]
    return Route(
        held=() if lost else tuple(held if doubled else held[:1]),
        delay=float(fault.parameters.get("delay_seconds", 0)),
    )
