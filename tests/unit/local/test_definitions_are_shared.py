"""RegisterTaskDefinition is the slowest call of ECS: it is made once for each shape, whoever starts however many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import pytest

from core.lifecycle import State
from core.record import Record
from core.starting import Starter
from tests.fakes import MemoryStore
from tests.unit.local.fargate.harness import LocalServer, ecs_client
from tests.unit.local.starts import control_plane, function, request

STARTS: Final = 1000
SHAPES: Final = 5
FUNCTIONS: Final = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with control_plane(tmp_path) as running:
        yield running


def started(starter: Starter, document: dict[str, Any]) -> Record:
    record = starter.start(document).record
    assert record is not None
    assert (record.state, record.error) == (State.PENDING, None)
    return record


def test_a_thousand_starts_of_five_shapes_register_five_definitions(server: LocalServer) -> None:
    """Over functions that know nothing of each other and are replaced now and then; every start is one RunTask."""
    store = MemoryStore()
    used: Counter[str | None] = Counter()
    for one in range(FUNCTIONS):
        starter = function(server, store)
        for number in range(one, STARTS, FUNCTIONS):
            used[started(starter, request(number, number % SHAPES)).task_definition_arn] += 1

    assert sorted(arn or "" for arn in used) == sorted(server.ecs.list_task_definitions()["taskDefinitionArns"])
    assert set(used.values()) == {STARTS // SHAPES}
    calls = server.local.calls()
    assert calls.pop("ListTaskDefinitions") == 1
    assert calls == {"RegisterTaskDefinition": SHAPES, "DescribeTaskDefinition": SHAPES * FUNCTIONS, "RunTask": STARTS}
    assert len(server.local.tasks()) == STARTS


def test_a_warm_start_makes_exactly_one_call(server: LocalServer) -> None:
    """RunTask, and nothing else of ECS."""
    starter = function(server, MemoryStore())
    started(starter, request(1))
    server.local.reset_calls()

    started(starter, request(2))

    assert server.local.calls() == {"RunTask": 1}


class Simultaneous:
    """A client whose RegisterTaskDefinition waits until another function makes it too."""

    def __init__(self, client: Any, together: Barrier) -> None:
        self._client = client
        self._together = together

    def register_task_definition(self, **parameters: Any) -> Any:
        self._together.wait(10)
        return self._client.register_task_definition(**parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_two_functions_that_register_at_once_share_a_usable_definition(server: LocalServer) -> None:
    """Two revisions of one family, both ACTIVE and both started with; whoever comes later takes the latest."""
    store, together = MemoryStore(), Barrier(2)
    clients = [Simultaneous(ecs_client(server.endpoint), together) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda number: started(function(server, store, client=clients[number]), request(number)), range(2))
        )
    later = started(function(server, store), request(2))

    active = server.ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    assert sorted(str(record.task_definition_arn) for record in both) == active
    assert len({arn.rpartition(":")[0] for arn in active}) == 1
    assert later.task_definition_arn == active[-1]
    assert server.local.calls()["RegisterTaskDefinition"] == 2
