"""A run of the reconciler ends in time, whatever does not answer, and holds up nothing that does not hang on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.control.background_run import RunReport, limited
from core.control.find_leaked_tasks import Listing, find_leaked_tasks
from core.control.reconciler import reconcile
from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.parts import UnexplainedEnd
from core.model.record import Record
from core.model.state import State
from core.storage.item import to_item
from tests.factories import CLUSTER, DEFINITION, POLICY, TASK, at
from tests.fakes import MemoryOutput, MemoryVault
from tests.records import exited, healthy, resolved
from tests.world import PortsInMemory, World

SECONDS = 110.0
"""Of a run."""
LONGEST = 18.0
"""Of one call that is not answered: a connection, and a read."""
MANY = 150
"""More than a page holds."""


class Slow:
    """A port whose calls take their time, and then have an answer or none."""

    def __init__(self, world: World, port: object, *operations: str, error: CallFailed | None) -> None:
        self._world, self._port, self._operations, self._error = world, port, operations, error
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return self._slowed(getattr(self._port, name)) if name in self._operations else getattr(self._port, name)

    def _slowed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def slowed(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            self._world.clock.advance(LONGEST)
            if self._error is not None:
                raise self._error
            return call(*args, **kwargs)

        return slowed


def unanswered(**changes: Any) -> CallFailed:
    return CallFailed("Any", "ReadTimeoutError", "Read timeout", transient=True, uncertain=True, **changes)


ERRORS = [unanswered(), unanswered(cause=Cause.THROTTLED), None]
PORTS = {"vault": "erase", "queue": "send", "output": "last_lines"}


def placed(world: World, number: int, record: Record, status: str) -> Record:
    """The record of another container, due for as long as its number is small, and its task."""
    container_id, arn = f"{number:064x}", f"{TASK[:-32]}{number:032x}"
    ended = status == "STOPPED"
    world.ecs.tasks[arn] = {
        "taskArn": arn,
        "clusterArn": CLUSTER,
        "taskDefinitionArn": DEFINITION,
        "startedBy": f"sockerless/{container_id}/1",
        "version": 9,
        "lastStatus": status,
        "desiredStatus": status,
        "containers": [{"name": "main", "lastStatus": status, **({"exitCode": 1} if ended else {})}],
    }
    due: Any = {"container_id": container_id, "task_arn": arn, "watch": "shard-1", "check_at": at(number / 1000)}
    world.store.put_item(to_item(replace(record, **due)))
    return world.record(container_id)


def waiting_for(world: World, port: str, number: int) -> Record:
    """A record with an action pending that needs this port."""
    match port:
        case "vault":
            return placed(world, number, exited(token_parameter=f"/sockerless/{number:064x}/1/token"), "STOPPED")
        case "queue":
            return placed(world, number, resolved(), "RUNNING")
        case _:
            end = UnexplainedEnd(at(10), "main", (), None)
            return placed(world, number, resolved(agent_address=None, agent_token=None, unexplained=end), "STOPPED")


def run(world: World, job: Callable[[PortsInMemory, Callable[[], float]], RunReport], **ports: Any) -> float:
    """Seconds that it took."""
    begun = world.clock.monotonic()

    def time_left() -> float:
        return begun + SECONDS - world.clock.monotonic()

    mine = world.having(**ports)
    ecs, output, vault, queue = limited(mine, time_left)
    job(replace(mine, ecs=ecs, output=output, vault=vault, queue=queue), time_left)
    return world.clock.monotonic() - begun


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("port", PORTS)
def test_a_service_that_is_slow_or_down_holds_up_no_other_record(port: str, error: CallFailed | None) -> None:
    """The run ends within its time and one call; each record is looked at, or due. Without an answer, it asks once."""
    world = World(seconds=120, policy=replace(POLICY, reads_output=True), output=MemoryOutput())
    records = [waiting_for(world, port, number) for number in range(MANY)]
    lost = [placed(world, number, healthy(), "STOPPED") for number in range(MANY, MANY + 10)]
    slow = Slow(world, getattr(world, port), PORTS[port], error=error)

    assert run(world, reconcile, output_patience=0, **{port: slow}) <= SECONDS + LONGEST

    left = [one for one in (*records, *lost) if world.record(one.container_id) == one]
    assert all(one.check_at and one.check_at <= world.clock.now() for one in left)
    assert slow.calls > 0
    if error is not None:
        assert slow.calls == 1
        assert left == []
        assert {world.record(one.container_id).state for one in lost} == {State.STOPPED}


@pytest.mark.parametrize("error", ERRORS)
def test_a_slow_table_is_no_reason_to_go_on_for_longer(error: CallFailed | None) -> None:
    """Each write may take as long as its client lets it; what the time does not suffice for is due."""
    world = World(seconds=120)
    records = [placed(world, number, healthy(), "RUNNING") for number in range(MANY)]
    slow = Slow(world, world.store, "save", error=error)

    assert run(world, reconcile, store=slow) <= SECONDS + LONGEST
    left = [one for one in records if world.record(one.container_id) == one]
    assert left
    assert all(one.check_at and one.check_at <= world.clock.now() for one in left)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("operation", ["names", "erase"])
def test_the_search_for_leaks_ends_in_time_too(operation: str, error: CallFailed | None) -> None:
    """It deletes parameters, and what it does not come to the next one does."""
    world = World()
    vault = MemoryVault(clock=world.clock.now)
    for number in range(MANY):
        vault.put(f"/sockerless/{number:064x}/1/token", "token")
    world.clock.advance(POLICY.leak_grace)
    slow = Slow(world, vault, operation, error=error)

    seconds = run(world, lambda ports, _: find_leaked_tasks(ports, CLUSTER, Listing()), vault=slow)

    assert seconds <= SECONDS + LONGEST
    assert slow.calls == 1 if error is not None else slow.calls > 0
