"""A Docker backend that restarts: all it needs is in the table, and what it is shown of the logs is there."""

from __future__ import annotations

import hashlib

from core.adapters.clients import reach_client
from core.client import ReachClient
from core.model.state import State
from local.cloud.cloud import TASK_LOG_GROUP
from tests.e2e.stack import PATIENCE, Stack


def restarted(stack: Stack) -> ReachClient:
    """The client of a backend that has just begun: it knows the table and nothing else."""
    return reach_client(stack.cloud.outputs["ContainersTableName"], stack.cloud.client("dynamodb"))


def test_a_restarted_backend_finds_its_containers_again(stack: Stack, container_id: str) -> None:
    """Three start; the new client lists them, waits for the end of one, and finds it, its labels and its output."""
    ids = [container_id, *(hashlib.sha256(f"{container_id}/{number}".encode()).hexdigest() for number in (1, 2))]
    for number, one in enumerate(ids):
        labels = {"com.example.name": f"shop-{number}", "note": "two\nlines", "debug": ""}
        stack.start(one, labels=labels, log={"stream_prefix": f"shop-{number}"})
    for one in ids:
        stack.reaches(one, State.AGENT_HEALTHY)

    backend = restarted(stack)
    listed = backend.list()
    assert listed.unreadable == ()
    found = {one: record.labels["com.example.name"] for one, record in listed.records.items() if one in ids}
    assert found == {one: f"shop-{number}" for number, one in enumerate(ids)}
    assert [one for one in listed.records if one in ids] == ids[::-1]

    task = stack.record(ids[1])
    assert task is not None
    stack.fargate.kill(str(task.task_arn))
    end = backend.wait_until_ended(ids[1], PATIENCE)
    assert (end.exit_code, end.record.generation) == (128 + 9, 1)
    assert set(backend.list().records) & set(ids) == {ids[0], ids[2]}
    assert backend.list(ended=True).records[ids[1]].state is State.STOPPED
    assert set(backend.get_many(ids).records) == set(ids)

    shown = backend.inspect(ids[1])
    assert shown["labels"] == {"com.example.name": "shop-1", "note": "two\nlines", "debug": ""}
    assert shown["logs"] == {"group": TASK_LOG_GROUP, "stream": f"shop-1/main/{str(task.task_arn)[-32:]}"}
    logs = stack.cloud.client("logs")
    where = {"logGroupName": shown["logs"]["group"], "logStreamName": shown["logs"]["stream"]}
    printed = [event["message"] for event in logs.get_log_events(**where, startFromHead=True)["events"]]
    assert printed == ["serving"]
    for one in (ids[0], ids[2]):
        stack.stop(one)
        assert backend.wait_until_ended(one, PATIENCE).exit_code is not None
