from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.fargate.api.idempotency import ClientTokens
from local.fargate.task import Task
from tests.unit.local.fargate.harness import LocalServer, container, definition, environment, request

SLEEPER = definition(container("sleep", "60"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_same_token_same_tasks(server: LocalServer) -> None:
    """The same request with the same token answers with the same tasks, as they are by now."""
    server.ecs.register_task_definition(**SLEEPER)
    run = request("tests", clientToken="token-1", count=2)
    first = server.ecs.run_task(**run)
    server.task_when(first["tasks"][0]["taskArn"], "RUNNING")
    second = server.ecs.run_task(**run)
    assert [task["taskArn"] for task in second["tasks"]] == [task["taskArn"] for task in first["tasks"]]
    assert second["tasks"][0]["lastStatus"] == "RUNNING"
    assert len(server.ecs.list_tasks()["taskArns"]) == 2


def test_same_token_other_parameters_conflict(server: LocalServer) -> None:
    """A token that was used for another request is a conflict that names the tasks."""
    server.ecs.register_task_definition(**SLEEPER)
    first = server.ecs.run_task(**request("tests", clientToken="token-1"))
    override = {"name": "main", "environment": environment(TOKEN="another")}
    with pytest.raises(ClientError) as caught:
        server.ecs.run_task(**request("tests", clientToken="token-1", overrides={"containerOverrides": [override]}))
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    answer = cast("dict[str, Any]", caught.value.response)
    assert answer["resourceIds"] == [first["tasks"][0]["taskArn"]]


def test_tokens_belong_to_a_cluster(tmp_path: Path) -> None:
    """The same token in another cluster is another request."""
    with LocalServer(tmp_path, clusters=("default", "blue")) as server:
        server.ecs.register_task_definition(**SLEEPER)
        server.ecs.run_task(**request("tests", clientToken="token-1"))
        server.ecs.run_task(**request("tests", clientToken="token-1", cluster="blue"))
        assert len(server.ecs.list_tasks(cluster="blue")["taskArns"]) == 1


def test_refused_request_is_not_remembered(server: LocalServer) -> None:
    """A throttled call with a token starts the task when it is repeated."""
    server.ecs.register_task_definition(**SLEEPER)
    server.local.fault("", "throttle", times=1)
    run = request("tests", clientToken="token-1")
    with pytest.raises(ClientError, match="Rate exceeded"):
        server.ecs.run_task(**run)
    assert len(server.ecs.run_task(**run)["tasks"]) == 1


@pytest.mark.parametrize(
    ("stopped_after", "repeated_after", "known"),
    [
        (timedelta(minutes=5), timedelta(minutes=64), True),
        (timedelta(minutes=5), timedelta(minutes=66), False),
        (None, timedelta(hours=23), True),
        (None, timedelta(hours=25), False),
    ],
)
def test_tokens_are_forgotten(stopped_after: timedelta | None, repeated_after: timedelta, *, known: bool) -> None:
    """ECS forgets a token an hour after its last task stopped, and after 24 hours in any case."""
    tokens = ClientTokens()
    stopped_at = None if stopped_after is None else NOON + stopped_after
    task = cast("Task", SimpleNamespace(arn="arn", stopped_at=stopped_at))
    tokens.remember("default", {"clientToken": "a"}, NOON, [task], [])
    assert (tokens.recall("default", {"clientToken": "a"}, NOON + repeated_after) is not None) is known
