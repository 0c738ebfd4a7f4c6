"""Writers in several processes meet on one item of an engine that serialises writes: no fact of any of them is lost."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from core.adapters.dynamodb import DynamoStore
from core.control.settle import ATTEMPTS, settle_event
from core.model.errors import ContendedRecord
from core.model.record import Settled
from tests.contract.conftest import client_of
from tests.factories import CONTAINER_ID, TASK, observed
from tests.fakes import FakeEcs
from tests.records import healthy
from tests.world import NONE, PortsInMemory

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from tests.contract.conftest import DynamoTable

FACTS = int(os.environ.get("RACING_FACTS", "10"))
"""Of each writer; `make races` has more."""
WRITERS = 3


def other_task(number: int) -> str:
    """A task that the container is not to have."""
    return f"{TASK.rpartition('/')[0]}/{number:032x}"


_together: list[Barrier] = []
"""In a writer's process: all of them begin at once."""


def together(barrier: Barrier) -> None:
    """Initializes a writer's process."""
    _together.append(barrier)


def settle_all(endpoint: str, table: str, writer: int) -> tuple[int, int]:
    """In a process: reports a task too many, again and again. How many conflicts it met, and how often it gave up."""
    store = DynamoStore(table, client_of("dynamodb", endpoint))
    ports = PortsInMemory(store=store, ecs=FakeEcs(), performs=NONE)
    store.load(CONTAINER_ID)  # connects
    _together[0].wait()
    conflicts = given_up = 0
    for number in range(writer * FACTS, (writer + 1) * FACTS):
        fact = observed(4, task_arn=other_task(number))
        while True:
            try:
                settled = settle_event(ports, fact)
            except ContendedRecord:
                given_up += 1  # the platform's retry
                continue
            assert isinstance(settled, Settled)
            conflicts += settled.conflicts
            break
    return conflicts, given_up


@pytest.mark.parametrize("dynamo", ["ministack"], indirect=True)
def test_processes_that_meet_lose_no_fact(dynamo: DynamoTable, ministack: str, tell: Callable[[str], None]) -> None:
    """Each fact is in the item, each by one write; and they did meet."""
    dynamo.store.save(healthy(revision=1))
    spawn = get_context("spawn")
    with ProcessPoolExecutor(WRITERS, spawn, together, (spawn.Barrier(WRITERS),)) as pool:
        met = list(pool.map(partial(settle_all, ministack, dynamo.name), range(WRITERS)))
    record = dynamo.store.load(CONTAINER_ID)
    assert record is not None
    assert sorted(task.task_arn for task in record.unwanted_tasks) == [other_task(n) for n in range(WRITERS * FACTS)]
    assert record.revision == 1 + WRITERS * FACTS
    conflicts, given_up = (sum(column) for column in zip(*met, strict=True))
    tell(f"{WRITERS * FACTS} facts, {conflicts + ATTEMPTS * given_up} conflicts")
    assert conflicts + ATTEMPTS * given_up > 0
