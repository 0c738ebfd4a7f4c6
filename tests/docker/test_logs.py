"""stdout and stderr in the log group of the task definition."""

from __future__ import annotations

from typing import Any

from tests.docker.definitions import one
from tests.e2e.stack import Stack
from tests.unit.local.fargate.harness import request

OPTIONS = {"awslogs-group": "/docker/tests", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}


def run(stack: Stack, **options: str) -> dict[str, Any]:
    """The stopped task of a container that prints two lines, with the awslogs driver."""
    logs = {"logDriver": "awslogs", "options": {**OPTIONS, **options}}
    definition = one("sh", "-c", "echo out; printf err >&2", logConfiguration=logs)
    role = "arn:aws:iam::000000000000:role/task-execution"
    stack.ecs.register_task_definition(**definition, executionRoleArn=role)
    task = stack.ecs.run_task(**request(definition["family"]))["tasks"][0]
    stack.task_becomes(task["taskArn"], "STOPPED")
    stopped: dict[str, Any] = stack.ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"][0]
    return stopped


def test_output_goes_to_the_log_group(stack: Stack) -> None:
    """The stream is prefix/container/task id; both outputs are there, line by line, when the task has stopped.

    In either order: they are two pipes of the container.
    """
    task = run(stack, **{"awslogs-create-group": "true"})
    stream = f"ecs/main/{task['taskArn'].rpartition('/')[2]}"
    logs = stack.cloud.client("logs")
    found = logs.get_log_events(logGroupName="/docker/tests", logStreamName=stream, startFromHead=True)
    assert {event["message"] for event in found["events"]} == {"out", "err"}


def test_without_its_log_group_a_task_does_not_start(stack: Stack) -> None:
    """The driver makes a group only where awslogs-create-group says so, and ECS passes on what it says."""
    task = run(stack, **{"awslogs-group": "/docker/nowhere"})
    assert task["stopCode"] == "TaskFailedToStart"
    assert "failed to create Cloudwatch log stream: " in task["stoppedReason"]
    assert "ResourceNotFoundException" in task["stoppedReason"]
