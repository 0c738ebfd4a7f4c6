"""What a start request asks of Fargate's sizes, in Docker's units or ECS's. Part of `core.launch.request`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.launch.documents import StrictDocument
from core.launch.ecs_rules import (
    BYTES_PER_MIB,
    MAX_CPU_UNITS,
    MAX_MEMORY_MIB,
    MAX_NANO_CPUS,
    MAX_OPEN_FILES,
    TaskSize,
    cpu_units_of,
    mebibytes_of,
    smallest_size,
)


class Limits(StrictDocument):
    """The container's demand, in Docker's units or ECS's. The task gets the smallest size that meets all of it."""

    nano_cpus: int = Field(0, ge=0, le=MAX_NANO_CPUS, description="Docker's NanoCpus: 10^9 is one CPU. 0: no demand.")
    cpu_shares: int = Field(
        0, ge=0, le=MAX_CPU_UNITS, description="Docker's CpuShares, read as ECS does: 1024 is one vCPU. 0: no demand."
    )
    memory_bytes: int = Field(
        0, ge=0, le=MAX_MEMORY_MIB * BYTES_PER_MIB, description="Docker's Memory, in bytes. 0: no demand."
    )
    memory_reservation_bytes: int = Field(
        0,
        ge=0,
        le=MAX_MEMORY_MIB * BYTES_PER_MIB,
        description="Docker's MemoryReservation, in bytes: the least that the task has. 0: no demand.",
    )
    cpu_units: int = Field(0, ge=0, le=MAX_CPU_UNITS, description="ECS cpu units: 1024 is one vCPU. 0: no demand.")
    memory_mib: int = Field(0, ge=0, le=MAX_MEMORY_MIB, description="ECS memory, in MiB. 0: no demand.")

    @property
    def size(self) -> TaskSize:
        """The smallest Fargate size that meets every demand. The bounds of the fields make sure that one exists."""
        return smallest_size(
            max(cpu_units_of(self.nano_cpus), self.cpu_shares, self.cpu_units),
            max(mebibytes_of(max(self.memory_bytes, self.memory_reservation_bytes)), self.memory_mib),
        )

    @model_validator(mode="after")
    def _reservation_within_memory(self) -> Limits:
        if 0 < self.memory_bytes < self.memory_reservation_bytes:
            raise PydanticCustomError(
                "reservation", "memory_reservation_bytes must not be more than memory_bytes; send more of that"
            )
        return self


class Ulimit(StrictDocument):
    """Docker's ulimit. Fargate sets only the number of open files."""

    name: Literal["nofile"]
    soft: int = Field(ge=1, le=MAX_OPEN_FILES)
    hard: int = Field(ge=1, le=MAX_OPEN_FILES)

    @model_validator(mode="after")
    def _soft_below_hard(self) -> Ulimit:
        if self.soft > self.hard:
            raise PydanticCustomError("ulimit", "soft must not be greater than hard")
        return self
