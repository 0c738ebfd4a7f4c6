"""AWS as moto has it, inside this process, and what its ECS lacks.

moto checks requests against botocore's model and keeps what they leave behind: that is what these tests want of it.
It is no measure of what it gets wrong (moto 5.2, each seen by running it):

- DynamoDB loses conditional writes that come from several threads. Tests of races stay on ministack.
- RunTask fails on a container without a memory of its own, which Fargate allows. `_no_placement` mends it.
- A task shows the first container of its definition alone, with an exit code while it runs, and has neither a version
  nor an instant; a definition has no `registeredAt`. `_like_ecs` mends what the product reads.
- Every DescribeTasks moves a task on towards STOPPED, with `desiredStatus` RUNNING. `moto_aws` holds it.
- RunTask ignores `clientToken`, and runs a definition that is INACTIVE. A bare family is its newest revision, in
  whatever status; only of a family that was never registered it says that there is none.
- DescribeTasks leaves out what it does not know, and names no failure; StopTask of an unknown task raises a bare
  `Exception`, which no client of AWS can meet. So nothing here asks about tasks that were never started.
- ListTasks shows stopped tasks too where ECS means RUNNING. `_list_like_ecs` mends it. It has no pages.
- ListTaskDefinitionFamilies shows all families, whatever status is asked for.
- Nothing is ever written to EventBridge, and nothing is throttled. Tests give the events, and refuse a call themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import Any, Final
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.utils import utcnow
from moto.ecs.models import EC2ContainerServiceBackend, Task, TaskDefinition, ecs_backends
from moto.moto_api import state_manager

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
"""moto's own, and the account of the files in `events/`."""

_TASK: Final = "ecs::task"
_run_task: Final = EC2ContainerServiceBackend.run_task
_list_tasks: Final[Any] = EC2ContainerServiceBackend.list_tasks
_register: Final = EC2ContainerServiceBackend.register_task_definition


@cache
def session() -> boto3.Session:
    """One for all clients, because reading AWS's models takes most of the time that making a client takes."""
    return boto3.Session("test", "test", region_name=REGION)


@cache
def client(service: str) -> Any:
    """One for all tests: it keeps nothing, and takes a tenth of a second to make."""
    return session().client(service)  # type: ignore[call-overload]  # the service is any of them


@contextmanager
def moto_aws() -> Iterator[None]:
    """An empty account for as long as it lasts."""
    backend = EC2ContainerServiceBackend
    state_manager.set_transition(_TASK, {"progression": "manual", "times": 10**9})
    try:
        with (
            mock_aws(),
            patch.dict(
                os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
            ),  # a second for machines that nothing here uses
            patch.object(boto3, "DEFAULT_SESSION", session()),
            patch.object(backend, "_calculate_task_resource_requirements", _no_placement),
            patch.object(backend, "run_task", _run_like_ecs),
            patch.object(backend, "list_tasks", _list_like_ecs),
            patch.object(backend, "register_task_definition", _register_like_ecs),
        ):
            yield
    finally:
        state_manager.unset_transition(_TASK)


def ecs_backend() -> EC2ContainerServiceBackend:
    """moto's ECS of this account: to show what AWS would, or to refuse a call."""
    return ecs_backends[ACCOUNT][REGION]


def task_of(task_arn: str) -> Any:
    """moto's own task. Its attributes are what DescribeTasks shows, in snake case."""
    [found] = [tasks[task_arn] for tasks in ecs_backend().tasks.values() if task_arn in tasks]
    return found


def _no_placement(_backend: EC2ContainerServiceBackend, _definition: TaskDefinition) -> dict[str, Any]:
    """Fargate has room: what the containers need is for instances only."""
    return {}


def _run_like_ecs(backend: EC2ContainerServiceBackend, *arguments: Any, **named: Any) -> list[Task]:
    tasks = _run_task(backend, *arguments, **named)
    for task in tasks:
        _like_ecs(task, backend.describe_task_definition(task.task_definition_arn))
    return tasks


def _like_ecs(task: Any, definition: TaskDefinition) -> None:
    """The members of a new task that the product reads and moto leaves out or gets wrong."""
    task.version = 1
    task.created_at = utcnow()
    task.stopped_reason = None
    [shown] = task.containers
    task.containers = [_container(shown, one, task.task_arn) for one in definition.container_definitions]


def _container(shown: Any, definition: dict[str, Any], task_arn: str) -> Any:
    """moto's one container as that of this definition, without an end and a health check that it has not."""
    container = copy(shown)
    container.name, container.image, container.task_arn = definition["name"], definition["image"], task_arn
    container.exitCode = container.health_status = None
    return container


def _list_like_ecs(*arguments: Any) -> list[Task]:
    *others, desired_status = arguments
    tasks: list[Task] = _list_tasks(*others, desired_status or "RUNNING")
    return tasks


def _register_like_ecs(backend: EC2ContainerServiceBackend, *arguments: Any, **named: Any) -> TaskDefinition:
    definition: Any = _register(backend, *arguments, **named)
    definition.registered_at = utcnow()
    registered: TaskDefinition = definition
    return registered
