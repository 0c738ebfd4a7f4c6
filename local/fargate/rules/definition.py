"""What ECS checks in a task definition around its containers: family, platform, size and volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.launch.ecs_rules import FARGATE_MEMORY_MIB, MAX_DEFINITION_BYTES, definition_size
from local.fargate.rules.containers import container_violations
from local.fargate.rules.violation import (
    LONG_NAME,
    MAX_NAME,
    Violation,
    has_foreign_characters,
    quoted,
    tag_violations,
)
from local.fargate.rules.volumes import volume_violations

_EPHEMERAL_GIB: Final = range(21, 201)
_MAX_CONTAINERS: Final = 10


def violations(definition: Mapping[str, Any]) -> tuple[Violation, ...]:
    """The rules that these parameters of RegisterTaskDefinition break."""
    return tuple(_violations(definition))


def _violations(definition: Mapping[str, Any]) -> Iterator[Violation]:
    yield from _family(definition.get("family", ""))
    if (size := definition_size(definition)) > MAX_DEFINITION_BYTES:
        yield quoted("definition", f"Actual length: '{size}'. Max allowed length is '{MAX_DEFINITION_BYTES}' bytes.")
    yield from _fargate(definition)
    yield from ephemeral_violations(definition)
    yield from volume_violations(definition)
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
    yield from _size(definition)
    if definition.get("runtimePlatform", {}).get("cpuArchitecture") not in (None, "X86_64", "ARM64"):
        yield Violation("runtimePlatform.cpuArchitecture", "must be X86_64 or ARM64")


def _number_of_containers(definition: Mapping[str, Any]) -> Iterator[Violation]:
    containers = definition.get("containerDefinitions", ())
    if not containers:
        yield quoted("containerDefinitions", "Container list cannot be empty.")
    elif not any(each.get("essential", True) for each in containers):
        yield quoted("containerDefinitions", "Task definition doesn't have any essential container.")
    if len(containers) > _MAX_CONTAINERS:
        yield quoted("containerDefinitions", "Too many containers.")


def _size(sized: Mapping[str, Any]) -> Iterator[Violation]:
    cpu, memory = sized.get("cpu"), sized.get("memory")
    if not cpu:
        yield quoted("cpu", "Fargate requires that 'cpu' be defined at the task level.")
    if not memory:
        yield quoted("memory", "Fargate requires that 'memory' be defined at the task level.")
    if not (cpu and memory):
        return
    sizes = FARGATE_MEMORY_MIB.get(int(cpu)) if cpu.isdecimal() else None
    if sizes is None:
        yield quoted(
            "cpu",
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
            "Developer Guide.",
        )
    elif not memory.isdecimal() or int(memory) not in sizes:
        yield quoted(
            "memory",
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
            "documentation for the valid values.",
        )


def ephemeral_violations(sized: Mapping[str, Any]) -> Iterator[Violation]:
    storage = sized.get("ephemeralStorage")
    if storage and storage.get("sizeInGiB") not in _EPHEMERAL_GIB:
        bounds = f"must be from {_EPHEMERAL_GIB.start} to {_EPHEMERAL_GIB.stop - 1}"
        yield Violation("ephemeralStorage.sizeInGiB", bounds)
