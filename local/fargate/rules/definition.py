"""What ECS checks in a task definition as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.launch.ecs_rules import MAX_DEFINITION_BYTES, definition_size
from local.fargate.rules.containers import container_violations
from local.fargate.rules.naming import LONG_NAME, MAX_NAME, has_foreign_characters
from local.fargate.rules.size import ephemeral_violations, size_violations
from local.fargate.rules.tagging import tag_violations
from local.fargate.rules.violation import Violation, quoted
from local.fargate.rules.volumes import volume_violations

MAX_CONTAINERS: Final = 10


def violations(definition: Mapping[str, Any]) -> tuple[Violation, ...]:
    """What AWS would object to in these parameters of RegisterTaskDefinition; empty when it would take them."""
    return tuple(_violations(definition))


def _violations(definition: Mapping[str, Any]) -> Iterator[Violation]:
    yield from _family(definition.get("family", ""))
    if (size := definition_size(definition)) > MAX_DEFINITION_BYTES:
        says = f"Actual length: '{size}'. Max allowed length is '{MAX_DEFINITION_BYTES}' bytes."
        yield quoted("definition", says)
    yield from _fargate(definition)
    yield from ephemeral_violations(definition)
    yield from volume_violations(definition.get("volumes", ()))
    yield from _number_of_containers(definition)
    yield from container_violations(definition)
    yield from tag_violations(definition.get("tags", ()))


def _family(family: str) -> Iterator[Violation]:
    if not family:
        yield quoted("family", "Family can not be blank.")
    if has_foreign_characters(family):
        yield quoted("family", "Family contains invalid characters.")
    if len(family) > MAX_NAME:
        yield Violation("family", LONG_NAME)


def _fargate(definition: Mapping[str, Any]) -> Iterator[Violation]:
    if definition.get("requiresCompatibilities") != ["FARGATE"]:
        yield Violation("requiresCompatibilities", "must be FARGATE: the local Fargate has nothing else")
    if definition.get("networkMode") != "awsvpc":
        # The quotation marks are ECS's own.
        yield quoted("networkMode", "Fargate only supports network mode \u2018awsvpc\u2019.")
    yield from size_violations(definition)
    if definition.get("runtimePlatform", {}).get("cpuArchitecture") not in (None, "X86_64", "ARM64"):
        yield Violation("runtimePlatform.cpuArchitecture", "must be X86_64 or ARM64")


def _number_of_containers(definition: Mapping[str, Any]) -> Iterator[Violation]:
    containers = definition.get("containerDefinitions", ())
    if not containers:
        yield quoted("containerDefinitions", "Container list cannot be empty.")
    elif not any(each.get("essential", True) for each in containers):
        yield quoted("containerDefinitions", "Task definition doesn't have any essential container.")
    if len(containers) > MAX_CONTAINERS:
        yield quoted("containerDefinitions", "Too many containers.")
