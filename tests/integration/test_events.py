"""Every task state change of `events/`: what becomes of the record that waits for it.

The unit tests hold each case in detail; here it goes through the function, the role and the table.
"""

from __future__ import annotations

from typing import Any

import pytest

from core.model.capacity import Capacity
from core.model.failure import Cause
from core.model.state import State
from tests.factories import ADDRESS, EVENTS, event, pending
from tests.integration.account import LOG_GROUP, Account
from tests.moto_aws import task_of

REACHED = {
    "task-running": ADDRESS,
    "task-running-cloud-map-before-eni": ADDRESS,
    "task-running-guardduty": ADDRESS,
    "task-running-ipv6-only": "[2600:1f18:2c1e:5b00:7d3a:91ff:fe02:4c8e]:9111",
    "task-running-two-digit-fraction-init": ADDRESS,
    "task-running-two-enis": ADDRESS,
}
"""Files that show where the agent is."""
ENDED: dict[str, tuple[State, int | None, Cause | None]] = {
    "task-container-exited-while-running": (State.STOPPED, 2, None),
    "task-deprovisioning": (State.STOPPED, 0, None),
    "task-stopped": (State.STOPPED, 0, None),
    "task-stopped-by-user": (State.STOPPED, 143, None),
    "task-out-of-memory": (State.STOPPED, 137, None),
    "task-spot-stopped": (State.STOPPED, 143, Cause.SPOT_INTERRUPTION),
    "task-failed-agent-missing": (State.FAILED, None, Cause.AGENT_BINARY_MISSING),
    "task-failed-efs-mount": (State.FAILED, None, Cause.EFS_MOUNT_FAILED),
    "task-failed-image-pull": (State.FAILED, None, Cause.IMAGE_PULL_FAILED),
}
"""Files of an end that is final: state, exit code and cause."""
OTHERS = {
    "task-running-without-address",
    "task-failed-without-containers",
    "task-failed-spot-capacity",
    "task-spot-interruption",
}


def test_every_file_has_a_test_here() -> None:
    """A new one has to say what becomes of its record."""
    assert {path.stem for path in EVENTS.glob("task-*.json")} == REACHED.keys() | ENDED.keys() | OTHERS


@pytest.mark.parametrize("name", REACHED)
def test_a_running_task_is_probed_where_it_is(account: Account, name: str) -> None:
    """The address is in the record, and one message asks for its probe."""
    account.put(pending())
    address = REACHED[name].replace("9111", account.port)
    assert account.task_state(event(name))["state"] == "eni-resolved"
    assert account.record().agent_address == address
    [message] = account.probes()["Records"]
    assert address in message["body"]


@pytest.mark.parametrize("name", ENDED)
def test_an_ended_task_ends_its_container(account: Account, name: str) -> None:
    """With its exit code or its cause; neither address nor token stays."""
    account.put(pending())
    state, exit_code, cause = ENDED[name]
    assert account.task_state(event(name))["state"] == state
    record = account.record()
    stop, error = record.stop, record.error
    assert (stop and stop.exit_code, (error and error.cause) or (cause and stop and stop.cause)) == (exit_code, cause)
    assert (record.agent_address, record.agent_token) == (None, None)


def test_a_task_without_an_address_is_asked_for(account: Account) -> None:
    """The event lacks the interface, and DescribeTasks shows it."""
    task = account.started()
    assert account.told("task-running-without-address", task)["state"] == "eni-resolved"
    assert len(account.probes()["Records"]) == 1


def test_a_launch_that_failed_by_chance_is_made_again(account: Account) -> None:
    """Another task of the same definition and the same overrides; the record waits for that one."""
    task = account.started()
    account.told("task-failed-without-containers", task)
    record = account.record()
    assert (record.state, record.generation, len(record.launches)) == (State.PENDING, 1, 1)
    again: Any = task_of(record.task_arn or "")
    assert record.task_arn != task
    assert again.task_definition_arn == task_of(task).task_definition_arn
    assert again.overrides["containerOverrides"][0]["environment"] == _environment(task)


def test_a_task_without_spot_capacity_is_followed_by_on_demand(account: Account) -> None:
    """The copy differs in its capacity provider alone; the item keeps what was asked for and what was given up."""
    answer = account.start(event("start-container-spot"))
    [spot] = account.ecs.describe_tasks(cluster=account.cluster, tasks=[answer["task_arn"]])["tasks"]
    assert spot["capacityProviderName"] == "FARGATE_SPOT"
    account.told("task-failed-spot-capacity", answer["task_arn"])
    record = account.record()
    assert (record.capacity, record.capacity_provider) == (Capacity.SPOT_FIRST, "FARGATE")
    assert record.launches[0].failure.cause is Cause.CAPACITY
    again: Any = task_of(record.task_arn or "")
    assert again.task_definition_arn == task_of(answer["task_arn"]).task_definition_arn
    assert record.max_lifetime == 86400


def test_a_task_on_its_way_out_moves_nothing_forward(account: Account) -> None:
    """Spot's notice: the container still runs for two minutes, and is not reached any more."""
    task = account.started()
    account.told("task-running", task)
    account.probes()
    assert account.told("task-spot-interruption", task)["state"] == "eni-resolved"
    assert account.record().stopping


def test_what_a_container_printed_explains_its_end(account: Account) -> None:
    """The kernel refused the agent: that is in the container's log and in no event (facts of runc: exit code 1)."""
    task = account.started()
    stream = f"sockerless/main/{task.rpartition('/')[2]}"
    account.logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=stream)
    complaint = "exec /sockerless-agent/sockerless-agent: exec format error"
    at = int(account.record().created_at.timestamp() * 1000)
    account.logs.put_log_events(
        logGroupName=LOG_GROUP, logStreamName=stream, logEvents=[{"timestamp": at, "message": complaint}]
    )
    document = event("task-deprovisioning")
    document["detail"]["containers"][0]["exitCode"] = 1
    account.tells(document, task)
    error = account.record().error
    assert error is not None
    assert error.cause is Cause.AGENT_WRONG_ARCHITECTURE


def _environment(task_arn: str) -> Any:
    [main] = task_of(task_arn).overrides["containerOverrides"]
    return main["environment"]
