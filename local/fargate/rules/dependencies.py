"""What ECS checks in the order that containers are to start in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from local.fargate.rules.violation import Violation, quoted

_CONDITIONS: Final = ("COMPLETE", "START", "SUCCESS")
_AFTER_EXIT: Final = frozenset({"COMPLETE", "SUCCESS"})


def dependency_violations(container: Mapping[str, Any], containers: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    known = {each.get("name"): each for each in containers}
    for dependency in container.get("dependsOn", ()):
        name, condition = dependency["containerName"], dependency["condition"]
        other = known.get(name)
        if condition not in _CONDITIONS:
            yield Violation(
                "dependsOn",
                f"{condition!r} is no condition here (no health checks are run); allowed are {', '.join(_CONDITIONS)}",
            )
        if other is None:
            # The stray plus sign is ECS's own.
            yield quoted("dependsOn", f"Cannot depend on container + '{name}' because it does not exist")
        elif condition in _AFTER_EXIT and other.get("essential", True):
            says = "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
            yield quoted("dependsOn", says)


def circular(containers: Iterable[Mapping[str, Any]]) -> bool:
    """True when no order of starting the containers satisfies all dependencies."""
    waiting = {each.get("name"): {d["containerName"] for d in each.get("dependsOn", ())} for each in containers}
    while startable := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in startable:
            del waiting[name]
    return bool(waiting)
