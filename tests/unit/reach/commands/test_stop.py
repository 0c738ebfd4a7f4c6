from __future__ import annotations

import pytest

from core.adapters.dynamodb import DynamoStore
from core.model.record import Record
from tests.factories import CONTAINER_ID
from tests.moto_aws import client
from tests.records import exited, failed, healthy
from tests.unit.reach.commands.test_containers import SHORT, Shell, document, printed, refused
from tests.unit.reach.deployment import OUTPUTS, TABLE_NAME, Deployment


def record() -> Record:
    found = DynamoStore(TABLE_NAME, client("dynamodb")).load(CONTAINER_ID)
    assert found
    return found


def test_a_stop_is_recorded(deployment: Deployment, capsys: Shell) -> None:
    """The function records it with the reason, and the command says in which state the container is."""
    deployment.put(healthy())
    shown = printed(capsys, "stop", SHORT, "--reason", "maintenance")
    assert shown == f"The stop of {SHORT} is recorded. Its state: agent-healthy\n"
    assert record().stop_requested
    assert document(capsys, "stop", SHORT) == {
        "container_id": CONTAINER_ID,
        "generation": 1,
        "state": "agent-healthy",
    }


@pytest.mark.parametrize("ended", [exited(0), failed()], ids=lambda one: one.state)
def test_a_stop_that_waits(deployment: Deployment, capsys: Shell, ended: Record) -> None:
    """A container that has failed has ended, too; one that had ended stays as it is."""
    deployment.put(ended)
    assert printed(capsys, "stop", SHORT, "--wait") == f"{SHORT} has ended: {ended.state}\n"
    assert document(capsys, "stop", SHORT, "--wait")["state"] == ended.state
    assert not record().stop_requested


def test_a_stop_that_takes_longer_is_124(deployment: Deployment, capsys: Shell) -> None:
    """It goes on, and the error says in which state the container is."""
    deployment.put(healthy())
    assert "was still agent-healthy after 20.0 s" in refused(capsys, 124, "stop", SHORT, "--wait", "--timeout", "20")
    assert record().stop_requested


def test_a_container_that_is_not_recorded_is_3(deployment: Deployment, capsys: Shell) -> None:
    """By a whole id only the function can know it."""
    assert "is not recorded. Check the id" in refused(capsys, 3, "stop", "f" * 64)
    assert "No container is live" in refused(capsys, 3, "stop", "f")


def test_a_refusal_is_1(deployment: Deployment, capsys: Shell) -> None:
    """With the message and the remedy of the answer."""
    deployment.put(healthy())
    assert "reason" in refused(capsys, 1, "stop", SHORT, "--reason", "x" * 5000)
    assert not record().stop_requested


def test_a_function_error_is_4(deployment: Deployment, capsys: Shell) -> None:
    """A bug or an outage: its log says which."""
    deployment.put(healthy())
    deployment.function_error = '{"errorType": "CallFailed"}'
    shown = refused(capsys, 4, "stop", SHORT)
    assert "Unhandled" in shown
    assert "What to do: Read the function's log" in shown


def test_a_stack_without_the_function_stops_nothing(deployment: Deployment, capsys: Shell) -> None:
    """The table alone is enough to read, and not to stop."""
    deployment.put(healthy())
    deployment.stacks = {"sockerless-reach": {name: OUTPUTS[name] for name in OUTPUTS if "Table" in name}}
    assert "has no output StopContainerFunctionArn" in refused(capsys, 3, "stop", SHORT)
