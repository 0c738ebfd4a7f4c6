"""What an ordinary life asks of AWS, exactly: a change that adds a call, a read or a write fails here. No times.

Counted by `docs.functions_in_memory`: the functions' own handlers, DynamoDB's rules. Fewer is welcome: change the row.
`tests/integration/test_counts.py` counts what the SDK sends.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import astuple

import pytest

from docs.functions_in_memory import Stack, stack_in_memory
from docs.measured import measured
from docs.waiting import wait_units

READ, WRITE = "read of an item", "write of an item"
LIFE = [
    # event, function, calls, RRU, WRU of the item, WRU of the index, bytes of the item
    ("the start", "StartContainerFunction", {READ: 1, WRITE: 1, "RunTask": 1}, 1, 1, 1, 645),
    ("the task is RUNNING", "TaskStateFunction", {READ: 1, WRITE: 1, "SendMessage": 1}, 1, 2, 0, 1133),
    ("the agent answers", "AgentHealthFunction", {READ: 1, WRITE: 1}, 1, 2, 2, 1252),
    ("the stop", "StopContainerFunction", {READ: 1, WRITE: 1, "StopTask": 1}, 1, 2, 2, 1347),
    ("the task is STOPPING", "TaskStateFunction", {READ: 1}, 1, 0, 0, 1347),
    ("the task is DEPROVISIONING", "TaskStateFunction", {READ: 1, WRITE: 1}, 1, 2, 1, 1373),
    ("the task is STOPPED", "TaskStateFunction", {READ: 1}, 1, 0, 0, 1373),
]
MEMORY = {
    # KiB at the peak of one event, what is kept of it included; those of Python 3.11, measured
    "StartContainerFunction": 30,
    "TaskStateFunction": 26,
    "AgentHealthFunction": 51,
    "StopContainerFunction": 22,
}
TOLERANCE = 1.5
"""Of memory: objects are not as large in every Python, and a first call may fill a cache."""


def test_a_life_asks_for_this_and_no_more() -> None:
    """Each event, in the order of a life: calls, request units, the item's size."""
    assert [astuple(step) for step in measured().steps] == LIFE


def test_an_ordinary_life_is_five_writes_and_a_read_for_each_event() -> None:
    """Of the item, and 15 WRU with those of the index."""
    steps = measured().steps
    assert sum(step.calls.get(WRITE, 0) for step in steps) == 5
    assert {step.calls[READ] for step in steps} == {1}
    assert (measured().life.reads, measured().life.writes) == (7, 15)


def test_a_look_at_a_healthy_container_is_one_read_and_one_write() -> None:
    """By the minute's run. The index's Query is shared by all."""
    look = measured().staying["EveryMinute"]
    assert (look.reads, look.writes) == (1, 4)


@pytest.mark.parametrize(("seconds", "units"), [(2, 6.5), (40, 31), (300, 210.5)])
def test_a_wait_costs_so_many_reads(seconds: float, units: float) -> None:
    """Of a start of an image that the client has waited for five times."""
    assert wait_units(seconds) == units


@pytest.fixture
def warm() -> Iterator[Stack]:
    """A stack in a process that has lived a life."""
    with stack_in_memory() as stack:
        stack.live()
    with stack_in_memory() as stack:
        yield stack


def test_an_event_takes_no_more_memory(warm: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The peak of what is allocated during each event, without the SDK's part."""
    peaks: dict[str, float] = {}
    invoke = warm.invoke

    def traced(what: str, function: str, document: object) -> None:
        tracemalloc.start()
        try:
            invoke(what, function, document)  # type: ignore[arg-type]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        peaks[function] = max(peak / 1024, peaks.get(function, 0))

    monkeypatch.setattr(warm, "invoke", traced)
    warm.live()
    assert peaks.keys() == MEMORY.keys()
    assert {name: peak for name, peak in peaks.items() if peak > MEMORY[name] * TOLERANCE} == {}
