"""Retiring task definitions through boto3, against the local Fargate; and the start that meets a retired one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.adapters.ecs import BotoDefinitions
from core.control.retire_definitions import GRACE, retire_definitions
from core.control.start import start_container
from core.model.errors import CallFailed
from core.model.families import family_in, family_stem
from core.model.record import Record
from core.model.state import State
from core.storage.item import to_item
from tests.fakes import MemoryRegistrations, MemoryStore, SettableClock
from tests.unit.local.fargate.harness import LocalServer, ecs_client
from tests.unit.local.starts import CLUSTER, control_plane, function, request
from tests.world import PortsInMemory

OTHER_CLUSTER = f"{CLUSTER}-2"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with control_plane(tmp_path, clusters=("default", "default-2")) as running:
        yield running


class Stack:
    """One stack: a start function, its table, and its hourly run, two days later."""

    def __init__(self, server: LocalServer, cluster: str = CLUSTER) -> None:
        self.server = server
        self.cluster = cluster
        self.store = MemoryStore()
        self.turns = MemoryRegistrations()
        self.ports = function(server, self.store, self.turns, cluster=cluster)

    def start(self, number: int, shape: int = 0, ports: PortsInMemory | None = None) -> Record:
        record = start_container(ports or self.ports, request(number, shape), "start")
        assert record.task_definition_arn is not None
        return record

    def end(self, record: Record) -> None:
        """The task was stopped, and the item says so."""
        self.server.ecs.stop_task(cluster=self.cluster, task=record.task_arn)
        self.store.put_item(to_item(replace(record, state=State.STOPPED)))

    def retire(self) -> dict[str, float]:
        """What it counted, but for zeros."""
        clock = SettableClock(datetime.now(UTC) + 2 * GRACE)
        ports = replace(
            self.ports, definitions=BotoDefinitions(ecs_client(self.server.endpoint), self.cluster), clock=clock
        )
        report = retire_definitions(ports, family_stem("sockerless", self.cluster), lambda: 60.0)
        assert (report.errors, report.stopped) == ({}, None)
        return {name: count for name, count in report.counts.items() if count}

    def definitions(self, status: str = "ACTIVE") -> list[str]:
        arns: list[str] = self.server.ecs.list_task_definitions(status=status)["taskDefinitionArns"]
        return arns


@pytest.fixture
def stack(server: LocalServer) -> Stack:
    return Stack(server)


def test_the_unused_goes_and_the_used_stays(stack: Stack) -> None:
    """Deregistered and deleted: no revision of it is left in any status."""
    gone, kept = stack.start(1, shape=1), stack.start(2, shape=2)
    stack.end(gone)

    assert stack.retire() == {"families": 2, "needed": 1, "deregistered": 1, "deleted": 1}
    assert stack.definitions() == [kept.task_definition_arn]
    assert stack.definitions("INACTIVE") == []
    assert stack.retire() == {"families": 1, "needed": 1}


def test_a_task_without_an_item_keeps_its_definition(stack: Stack) -> None:
    """ECS itself is asked, just before: the start may not have come to save the task's ARN."""
    record = stack.start(1)
    stack.store.put_item(to_item(replace(record, task_arn=None, task_definition_arn=None)))

    assert stack.retire() == {"families": 1}
    assert stack.definitions() == [record.task_definition_arn]


def test_an_item_without_a_task_keeps_its_definition(stack: Stack) -> None:
    """The container has not ended as far as anybody knows."""
    record = stack.start(1)
    stack.server.ecs.stop_task(task=record.task_arn)

    assert stack.retire() == {"families": 1, "needed": 1}


def test_another_stack_with_the_same_prefix_keeps_its_own(stack: Stack) -> None:
    """On another cluster of the account, the same shape is another definition; a user's are nobody's."""
    other = Stack(stack.server, OTHER_CLUSTER)
    stack.end(stack.start(1))
    other.end(other.start(1))
    stack.server.ecs.register_task_definition(
        family="sockerless-web",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "web", "image": "nginx"}],
    )

    assert stack.retire()["deleted"] == 1
    assert [family_in(arn).rpartition("-")[0] for arn in stack.definitions()] == ["sockerless", "sockerless"]
    assert other.retire()["deleted"] == 1
    assert [family_in(arn) for arn in stack.definitions()] == ["sockerless-web"]


def test_what_a_dead_run_left_inactive_is_deleted(stack: Stack) -> None:
    """It deregistered two revisions, and ended before it could delete them."""
    record = stack.start(1)
    stack.end(record)
    for arn in (record.task_definition_arn, _registered_again(stack, record)):
        stack.server.ecs.deregister_task_definition(taskDefinition=arn)

    assert stack.retire() == {"families": 1, "deleted": 2}
    assert stack.definitions("INACTIVE") == []


def _registered_again(stack: Stack, record: Record) -> str:
    found = stack.server.ecs.describe_task_definition(taskDefinition=record.task_definition_arn)["taskDefinition"]
    members = ("family", "networkMode", "cpu", "memory", "requiresCompatibilities", "containerDefinitions", "volumes")
    again = stack.server.ecs.register_task_definition(**{name: found[name] for name in members})
    arn: str = again["taskDefinition"]["taskDefinitionArn"]
    return arn


def test_what_is_not_there_counts_as_gone(server: LocalServer) -> None:
    """Somebody else was faster: that is no failure. What is still ACTIVE is one."""
    definitions = BotoDefinitions(ecs_client(server.endpoint), CLUSTER)
    stack = Stack(server)
    arn = stack.start(1).task_definition_arn or ""
    missing = f"{arn}9"

    definitions.deregister(missing)
    assert definitions.delete([missing]) == []
    with pytest.raises(CallFailed, match="still in ACTIVE status"):
        definitions.delete([arn])
    with pytest.raises(CallFailed, match="Revision is missing"):
        definitions.deregister(family_in(arn))


@pytest.mark.parametrize("deleted", [False, True])
def test_a_warm_start_survives_the_loss_of_its_definition(stack: Stack, deleted: bool) -> None:
    """RunTask says that it is gone: it is registered again, and the start succeeds."""
    first = stack.start(1)
    stack.server.ecs.deregister_task_definition(taskDefinition=first.task_definition_arn)
    if deleted:
        stack.server.ecs.delete_task_definitions(taskDefinitions=[first.task_definition_arn])
    stack.server.local.reset_calls()
    stack.turns.held.clear()  # it was registered long ago

    second = stack.start(2)

    assert second.task_definition_arn == str(first.task_definition_arn).removesuffix(":1") + ":2"
    assert stack.server.local.calls() == {"RunTask": 2, "RegisterTaskDefinition": 1}
    stack.server.local.reset_calls()
    assert stack.start(3).task_definition_arn == second.task_definition_arn
    assert stack.server.local.calls() == {"RunTask": 1}


def test_warm_functions_share_what_one_of_them_registered_again(stack: Stack) -> None:
    """Only the first to notice registers; the others find it."""
    others = [function(stack.server, stack.store) for _ in range(3)]
    first = stack.start(0)
    for number, other in enumerate(others, start=1):
        stack.start(number, ports=other)
    stack.server.ecs.deregister_task_definition(taskDefinition=first.task_definition_arn)
    stack.server.local.reset_calls()

    again = {stack.start(10 + number, ports=other).task_definition_arn for number, other in enumerate(others)}

    assert again == set(stack.definitions())
    assert stack.server.local.calls()["RegisterTaskDefinition"] == 1
