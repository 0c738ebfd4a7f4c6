"""The smallest Fargate size that holds a demand, and labels as tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.launch.ecs_rules import (
    FARGATE_MEMORY_MIB,
    MAX_CPU_UNITS,
    MAX_MEMORY_MIB,
    MAX_TAGS,
    TaskSize,
    cpu_units_of,
    mebibytes_of,
    smallest_size,
    tags_of,
)
from local.fargate.rules import override_violations

PAIRS = [TaskSize(cpu, memory) for cpu, sizes in FARGATE_MEMORY_MIB.items() for memory in sizes]
RUN = {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}


@given(st.integers(0, MAX_CPU_UNITS), st.integers(0, MAX_MEMORY_MIB))
def test_no_smaller_pair_would_do(cpu_units: int, memory_mib: int) -> None:
    """The answer is a valid pair, holds the demand, and every other pair that does has more cpu, or more memory."""
    size = smallest_size(cpu_units, memory_mib)
    holding = [pair for pair in PAIRS if pair.cpu_units >= cpu_units and pair.memory_mib >= memory_mib]
    assert size in holding
    assert size.cpu_units == min(pair.cpu_units for pair in holding)
    assert size.memory_mib == min(pair.memory_mib for pair in holding if pair.cpu_units == size.cpu_units)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.cpu_units}-{pair.memory_mib}")
def test_every_pair_is_its_own_answer(pair: TaskSize) -> None:
    """A demand of exactly one pair of Fargate gives that pair."""
    assert smallest_size(pair.cpu_units, pair.memory_mib) == pair


def test_the_table_is_fargates() -> None:
    """From 256/512 to 32768/249856, with AWS's number of sizes for each cpu."""
    assert [len(sizes) for sizes in FARGATE_MEMORY_MIB.values()] == [3, 4, 7, 13, 23, 12, 12, 3]
    assert smallest_size() == TaskSize(256, 512)
    assert smallest_size(MAX_CPU_UNITS, MAX_MEMORY_MIB) == TaskSize(32768, 249856)


@pytest.mark.parametrize(("cpu_units", "memory_mib"), [(MAX_CPU_UNITS + 1, 0), (0, MAX_MEMORY_MIB + 1)])
def test_too_large_is_refused(cpu_units: int, memory_mib: int) -> None:
    """What no Fargate task has is an error that names the largest there is, never a smaller task."""
    with pytest.raises(ValueError, match="the largest has 32768 and 249856"):
        smallest_size(cpu_units, memory_mib)


@pytest.mark.parametrize(
    ("nano_cpus", "units"), [(0, 0), (1, 1), (250_000_000, 256), (500_000_001, 513), (10**9, 1024), (32 * 10**9, 32768)]
)
def test_nano_cpus_round_up(nano_cpus: int, units: int) -> None:
    """A part of a cpu unit needs a whole one."""
    assert cpu_units_of(nano_cpus) == units


@pytest.mark.parametrize(("memory_bytes", "mebibytes"), [(0, 0), (1, 1), (2**20, 1), (2**20 + 1, 2), (2**29, 512)])
def test_bytes_round_up(memory_bytes: int, mebibytes: int) -> None:
    """A part of a MiB needs a whole one."""
    assert mebibytes_of(memory_bytes) == mebibytes


@given(st.dictionaries(st.text(max_size=140), st.text(max_size=270), max_size=60))
def test_every_label_is_a_tag_or_named_as_left_out(labels: dict[str, str]) -> None:
    """No label is lost in silence or altered, and AWS takes the tags."""
    tags, left_out = tags_of(labels)
    assert {tag["key"]: tag["value"] for tag in tags} | {key: labels[key] for key in left_out} == labels
    assert override_violations({**RUN, "tags": tags}) == ()


def test_what_aws_does_not_allow_is_left_out() -> None:
    """Reserved prefixes, foreign characters and lengths: such a label stays with the caller."""
    labels = {"team": "Straße 1+2=3", "": "x", "k" * 129: "", "long": "v" * 257, "AWS:x": "", "y": "aws:z", "a": "b,c"}
    tags, left_out = tags_of(labels)
    assert tags == [{"key": "team", "value": "Straße 1+2=3"}]
    assert set(left_out) == set(labels) - {"team"}


def test_signs_of_workflow_engines_are_left_out_by_name() -> None:
    """A quotation mark and brackets, as users put them into labels: those two stay out, the third is a tag."""
    tags, left_out = tags_of({"flow": "Hello World: ' ", "step": "process[file_1]", "ok": "yes"})
    assert tags == [{"key": "ok", "value": "yes"}]
    assert set(left_out) == {"flow", "step"}


def test_the_first_fifty_by_name_become_tags() -> None:
    """More than AWS's fifty: which ones stay does not depend on the order they came in."""
    labels = {f"label-{number:03}": "" for number in range(MAX_TAGS + 5)}
    tags, left_out = tags_of(dict(reversed(labels.items())))
    assert [tag["key"] for tag in tags] == sorted(labels)[:MAX_TAGS]
    assert list(left_out) == sorted(labels)[MAX_TAGS:]
