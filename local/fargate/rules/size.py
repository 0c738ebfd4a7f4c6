"""The size of a task: cpu, memory and ephemeral storage, and what Fargate sells of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.launch.sizing import FARGATE_MEMORY_MIB
from local.fargate.rules.violation import Violation, quoted

_EPHEMERAL_GIB: Final = range(21, 201)
_AMOUNT: Final = re.compile(r"([0-9]+)|([0-9]*\.?[0-9]+)\s*(vcpu|gb)", re.IGNORECASE)


def cpu_units(text: str) -> int | None:
    """`256`, `.25 vCPU`, `1 vcpu` as cpu units; None for anything else."""
    return _amount(text, "vcpu")


def memory_mib(text: str) -> int | None:
    """`512`, `0.5GB`, `1 gb` as MiB; None for anything else."""
    return _amount(text, "gb")


def _amount(text: str, unit: str) -> int | None:
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    if found[1]:
        return int(found[1])
    amount = float(found[2]) * 1024
    return int(amount) if found[3].lower() == unit and amount.is_integer() else None


def size_violations(sized: Mapping[str, Any]) -> Iterator[Violation]:
    cpu, memory = sized.get("cpu"), sized.get("memory")
    if not cpu:
        yield quoted("cpu", "Fargate requires that 'cpu' be defined at the task level.")
    if not memory:
        yield quoted("memory", "Fargate requires that 'memory' be defined at the task level.")
    if not (cpu and memory):
        return
    sizes = FARGATE_MEMORY_MIB.get(cpu_units(cpu) or 0)
    if sizes is None:
        yield quoted(
            "cpu",
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
            "Developer Guide.",
        )
    elif memory_mib(memory) not in sizes:
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
