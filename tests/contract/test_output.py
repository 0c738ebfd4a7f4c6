"""What every output promises (`core.ports.Output`), on the fake and on the engine."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from botocore.config import Config

from core.adapters.log_options import BotoLogOptions
from core.adapters.output import CloudWatchOutput
from core.errors import CallFailed
from tests.factories import TASK, exited
from tests.fakes import MemoryOutput

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

    from core.facts import TaskObserved
    from core.ports import Output

GROUP = "/contract/tasks"


class Printed(Protocol):
    """An output under test, and the task whose containers print. `main` logs, `quiet` does not."""

    task: TaskObserved

    @property
    def output(self) -> Output:
        """The output under test."""

    def prints(self, *lines: str) -> None:
        """`main` starts and prints these."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.task = exited(9)
        self.output = MemoryOutput(quiet={"quiet"})

    def prints(self, *lines: str) -> None:
        self.output.streams[self.task.task_arn, "main"] = list(lines)


class OnEngine:
    """A new task definition and task on the engine."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        ecs = session.client("ecs", endpoint_url=endpoint, config=config)
        self.logs = session.client("logs", endpoint_url=endpoint, config=config)
        self.id = uuid.uuid4().hex
        options = {"awslogs-group": GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "contract"}
        registered = ecs.register_task_definition(
            family=f"contract-{self.id}",
            containerDefinitions=[
                {"name": "main", "image": "x", "logConfiguration": {"logDriver": "awslogs", "options": options}},
                {"name": "quiet", "image": "x"},
            ],
        )
        definition = registered["taskDefinition"]["taskDefinitionArn"]
        self.task = exited(9, task_arn=f"{TASK.rpartition('/')[0]}/{self.id}", task_definition_arn=definition)
        self.output = CloudWatchOutput(BotoLogOptions(ecs), self.logs)
        if not self.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
            self.logs.create_log_group(logGroupName=GROUP)

    def prints(self, *lines: str) -> None:
        stream = f"contract/main/{self.id}"
        self.logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        if lines:
            now = int(time.time() * 1000)
            events: list[InputLogEventTypeDef] = [{"timestamp": now, "message": line} for line in lines]
            self.logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@pytest.fixture(params=["memory", "engine"])
def printed(request: pytest.FixtureRequest) -> Printed:
    """The same tests run on the fake and on the engine."""
    return InMemory() if request.param == "memory" else OnEngine(request.getfixturevalue("engine"))


@pytest.mark.parametrize("lines", [(), ("one",), ("one", "two"), ("one", "two", "three"), tuple("abcdefgh")])
def test_the_newest_lines_come_last(printed: Printed, lines: tuple[str, ...]) -> None:
    """As many as there are, and no more than were asked for."""
    printed.prints(*lines)
    assert printed.output.last_lines(printed.task, "main", 2) == lines[-2:]


def test_a_container_that_logs_nowhere_has_no_lines(printed: Printed) -> None:
    """Without a log there is nothing to miss: no error."""
    printed.prints("one")
    assert printed.output.last_lines(printed.task, "quiet", 2) == ()


def test_a_stream_that_is_not_there_is_an_error(printed: Printed) -> None:
    """Not the same as a container that printed nothing."""
    with pytest.raises(CallFailed) as failed:
        printed.output.last_lines(printed.task, "main", 2)
    assert (failed.value.operation, failed.value.code) == ("GetLogEvents", "ResourceNotFoundException")
