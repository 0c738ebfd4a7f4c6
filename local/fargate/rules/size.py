"""The size of a task: cpu, memory and ephemeral storage, and what Fargate sells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.launch.ecs_rules import FARGATE_MEMORY_MIB
from local.fargate.rules.violation import Violation, quoted

_EPHEMERAL_GIB: Final = range(21, 201)


def size_violations(sized: Mapping[str, Any]) -> Iterator[Violation]:
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
