"""What every output promises (`core.ports.Output`), on the fake and on the engines."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Protocol

import pytest

from core.adapters.logs import CloudWatchOutput
from tests.factories import TASK
from tests.fakes import MemoryOutput

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

    from core.ports import Output
    from tests.contract.conftest import Clients

GROUP = "/contract/tasks"


class Printed(Protocol):
    """An output under test, and the task whose container `main` prints."""

    task_arn: str

    @property
    def output(self) -> Output:
        """The output under test."""

    def prints(self, *lines: str) -> None:
        """`main` starts and prints these."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.task_arn = TASK
        self.output = MemoryOutput()

    def prints(self, *lines: str) -> None:
        self.output.streams[self.task_arn, "main"] = list(lines)


class OnEngine:
    """A new task on the engine."""

    def __init__(self, clients: Clients) -> None:
        self.logs = clients("logs")
        self.id = uuid.uuid4().hex
        self.task_arn = f"{TASK.rpartition('/')[0]}/{self.id}"
        self.output = CloudWatchOutput(self.logs, GROUP, "contract")
        if not self.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
            self.logs.create_log_group(logGroupName=GROUP)

    def prints(self, *lines: str) -> None:
        stream = f"contract/main/{self.id}"
        self.logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        if lines:
            now = int(time.time() * 1000)
            events: list[InputLogEventTypeDef] = [{"timestamp": now, "message": line} for line in lines]
            self.logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@pytest.fixture
def printed(clients: Clients | None) -> Printed:
    """A task that has printed nothing."""
    return InMemory() if clients is None else OnEngine(clients)


@pytest.mark.parametrize("lines", [(), ("one",), ("one", "two"), ("one", "two", "three"), tuple("abcdefgh")])
def test_the_newest_lines_come_last(printed: Printed, lines: tuple[str, ...]) -> None:
    """As many as there are, and no more than were asked for."""
    printed.prints(*lines)
    assert printed.output.last_lines(printed.task_arn, "main", 2) == lines[-2:]


def test_a_stream_that_is_not_there_has_no_lines_yet(printed: Printed) -> None:
    """The first line makes it."""
    assert printed.output.last_lines(printed.task_arn, "main", 2) == ()
    printed.prints("one")
    assert printed.output.last_lines(printed.task_arn, "main", 2) == ("one",)


def test_containers_have_streams_of_their_own(printed: Printed) -> None:
    """What `main` prints is nobody else's."""
    printed.prints("one")
    assert printed.output.last_lines(printed.task_arn, "init", 2) == ()
