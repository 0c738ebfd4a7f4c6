"""RegisterTaskDefinition is the slowest call of ECS: it is made once for each shape, whoever starts however many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import pytest

from core.adapters.clock import SystemClock
from core.control.start import start_container
from core.model.record import Record
from core.model.state import State
from tests.fakes import MemoryRegistrations, MemoryStore
from tests.unit.local.fargate.harness import LocalServer
from tests.unit.local.starts import control_plane, function, request
from tests.world import PortsInMemory

STARTS: Final = 1000
SHAPES: Final = 5
FUNCTIONS: Final = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with control_plane(tmp_path) as running:
        yield running


def started(ports: PortsInMemory, document: dict[str, Any]) -> Record:
    record = start_container(ports, document, "start")
    assert (record.state, record.error) == (State.PENDING, None)
    return record


def test_a_thousand_starts_of_five_shapes_register_five_definitions(server: LocalServer) -> None:
    """Over functions that are replaced now and then; every start is one RunTask, and one more that finds no shape."""
    store = MemoryStore()
    used: Counter[str | None] = Counter()
    for one in range(FUNCTIONS):
        ports = function(server, store)
        for number in range(one, STARTS, FUNCTIONS):
            used[started(ports, request(number, number % SHAPES)).task_definition_arn] += 1

    assert sorted(arn or "" for arn in used) == sorted(server.ecs.list_task_definitions()["taskDefinitionArns"])
    assert set(used.values()) == {STARTS // SHAPES}
    calls = server.local.calls()
    assert calls.pop("ListTaskDefinitions") == 1
    assert calls == {"RegisterTaskDefinition": SHAPES, "RunTask": STARTS + SHAPES}
    assert len(server.local.tasks()) == STARTS


def test_a_warm_start_makes_exactly_one_call(server: LocalServer) -> None:
    """RunTask, and nothing else of ECS."""
    ports = function(server, MemoryStore())
    started(ports, request(1))
    server.local.reset_calls()

    started(ports, request(2))

    assert server.local.calls() == {"RunTask": 1}


def test_functions_that_need_a_definition_at_once_register_it_once(server: LocalServer) -> None:
    """One has the turn, the others wait until it has registered; all start with the same revision."""
    store, turns = MemoryStore(), MemoryRegistrations()
    together = Barrier(FUNCTIONS)

    def start(number: int) -> Record:
        ports = function(server, store, turns, clock=SystemClock())
        together.wait(10)
        return started(ports, request(number))

    with ThreadPoolExecutor(FUNCTIONS) as pool:
        used = {record.task_definition_arn for record in pool.map(start, range(FUNCTIONS))}

    assert list(used) == server.ecs.list_task_definitions()["taskDefinitionArns"]
    assert server.local.calls()["RegisterTaskDefinition"] == 1
