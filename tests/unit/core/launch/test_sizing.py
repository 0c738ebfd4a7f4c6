"""The smallest Fargate size that holds a demand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.launch.ecs_rules import (
    FARGATE_MEMORY_MIB,
    MAX_CPU_UNITS,
    MAX_MEMORY_MIB,
    TaskSize,
    cpu_units_of,
    mebibytes_of,
    smallest_size,
)

PAIRS = [TaskSize(cpu, memory) for cpu, sizes in FARGATE_MEMORY_MIB.items() for memory in sizes]


@given(st.integers(0, MAX_CPU_UNITS), st.integers(0, MAX_MEMORY_MIB))
def test_no_smaller_pair_would_do(cpu_units: int, memory_mib: int) -> None:
    """The answer is a valid pair, holds the demand, and every other pair that does is at least as large in both."""
    size = smallest_size(cpu_units, memory_mib)
    holding = [pair for pair in PAIRS if pair.cpu_units >= cpu_units and pair.memory_mib >= memory_mib]
    assert size in holding
    assert size.cpu_units == min(pair.cpu_units for pair in holding)
    assert size.memory_mib == min(pair.memory_mib for pair in holding)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.cpu_units}-{pair.memory_mib}")
def test_every_pair_is_its_own_answer(pair: TaskSize) -> None:
    """A demand of exactly one pair of Fargate gives that pair."""
    assert smallest_size(pair.cpu_units, pair.memory_mib) == pair


def test_the_table_is_fargates() -> None:
    """From 256/512 to 16384/122880, with AWS's number of sizes for each cpu."""
    assert [len(sizes) for sizes in FARGATE_MEMORY_MIB.values()] == [3, 4, 7, 13, 23, 12, 12]
    assert smallest_size() == TaskSize(256, 512)
    assert smallest_size(MAX_CPU_UNITS, MAX_MEMORY_MIB) == TaskSize(16384, 122880)


@pytest.mark.parametrize(("cpu_units", "memory_mib"), [(MAX_CPU_UNITS + 1, 0), (0, MAX_MEMORY_MIB + 1)])
def test_too_large_is_refused(cpu_units: int, memory_mib: int) -> None:
    """What no Fargate task has is an error that names the largest there is, never a smaller task."""
    with pytest.raises(ValueError, match="the largest has 16384 and 122880"):
        smallest_size(cpu_units, memory_mib)


@pytest.mark.parametrize(
    ("nano_cpus", "units"), [(0, 0), (1, 1), (250_000_000, 256), (500_000_001, 513), (10**9, 1024), (16 * 10**9, 16384)]
)
def test_nano_cpus_round_up(nano_cpus: int, units: int) -> None:
    """A part of a cpu unit needs a whole one."""
    assert cpu_units_of(nano_cpus) == units


@pytest.mark.parametrize(("memory_bytes", "mebibytes"), [(0, 0), (1, 1), (2**20, 1), (2**20 + 1, 2), (2**29, 512)])
def test_bytes_round_up(memory_bytes: int, mebibytes: int) -> None:
    """A part of a MiB needs a whole one."""
    assert mebibytes_of(memory_bytes) == mebibytes
