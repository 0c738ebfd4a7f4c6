"""Converts Docker's limits into Fargate's: sizes, stop time-out, open files.

Fargate takes only the pairs of cpu and memory in this table (AWS, RegisterTaskDefinition, `cpu`; ecs.md 7).
"""

from dataclasses import dataclass
from typing import Final

CPU_UNITS_PER_VCPU: Final = 1024
NANO_CPUS_PER_VCPU: Final = 10**9
BYTES_PER_MIB: Final = 2**20

FARGATE_MEMORY_MIB: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""cpu units -> their memory sizes in MiB, both ascending."""

MAX_CPU_UNITS: Final = max(FARGATE_MEMORY_MIB)
MAX_MEMORY_MIB: Final = FARGATE_MEMORY_MIB[MAX_CPU_UNITS][-1]
MIN_STOP_TIMEOUT: Final = 2
MAX_STOP_TIMEOUT: Final = 120
"""Seconds (ECS API, ContainerDefinition, `stopTimeout`)."""
MAX_OPEN_FILES: Final = 1024 * 1024
"""Linux's own `fs.nr_open`. AWS publishes no maximum for Fargate, only its default of 65,535."""


@dataclass(frozen=True, slots=True)
class TaskSize:
    """A pair that Fargate accepts."""

    cpu_units: int
    memory_mib: int


def cpu_units_of(nano_cpus: int) -> int:
    """Docker's `NanoCpus` (10⁹ = one CPU) as ECS cpu units (1024 = one vCPU), rounded up."""
    return -(-nano_cpus * CPU_UNITS_PER_VCPU // NANO_CPUS_PER_VCPU)


def mebibytes_of(memory_bytes: int) -> int:
    """Docker's `Memory` (bytes) as MiB, rounded up."""
    return -(-memory_bytes // BYTES_PER_MIB)


def stop_timeout_of(seconds: int) -> int:
    """Docker's `StopTimeout` for Fargate. Docker's 0 kills at once; Fargate waits at least 2 seconds."""
    return max(seconds, MIN_STOP_TIMEOUT)


def smallest_size(cpu_units: int = 0, memory_mib: int = 0) -> TaskSize:
    """The smallest pair with at least this cpu and this memory; 256/512 without a demand.

    The pair with the least cpu also has the least memory, because the sizes of a smaller cpu begin lower and lie no
    further apart. Raises `ValueError` if no size is large enough.
    """
    for cpu, sizes in FARGATE_MEMORY_MIB.items():
        if cpu >= cpu_units:
            for memory in sizes:
                if memory >= memory_mib:
                    return TaskSize(cpu, memory)
    raise ValueError(
        f"no Fargate task has {cpu_units} cpu units and {memory_mib} MiB; "
        f"the largest has {MAX_CPU_UNITS} and {MAX_MEMORY_MIB}"
    )
