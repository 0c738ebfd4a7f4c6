"""What the adapter requests of CloudWatch Logs, with botocore checking both sides against its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from core.adapters.logs import PAGES, CloudWatchOutput
from core.model.errors import CallFailed
from tests.factories import TASK

TASK_ID = TASK.rpartition("/")[2]
REQUEST: dict[str, Any] = {
    "logGroupName": "/tasks",
    "logStreamName": f"web/main/{TASK_ID}",
    "limit": 2,
    "startFromHead": False,
}


class Answers:
    """The adapter before a service that gives a test's answers."""

    def __init__(self) -> None:
        logs = boto3.Session("test", "test", region_name="us-east-1").client("logs")
        self.logs = Stubber(logs)
        self.output = CloudWatchOutput(logs, "/tasks", "web")

    def page(self, *lines: str, token: str, after: str | None = None) -> None:
        events = [{"timestamp": 1, "message": line, "ingestionTime": 2} for line in lines]
        answer = {"events": events, "nextForwardToken": "f/0", "nextBackwardToken": token}
        self.logs.add_response("get_log_events", answer, {**REQUEST, **({"nextToken": after} if after else {})})


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    with answers.logs:
        yield answers
        answers.logs.assert_no_pending_responses()


def test_the_newest_lines_of_the_containers_stream(answers: Answers) -> None:
    """The stream is prefix/container/task id."""
    answers.page("one", "two", token="b/1")
    assert answers.output.last_lines(TASK, "main", 2) == ("one", "two")


def test_a_short_page_is_not_the_whole_log(answers: Answers) -> None:
    """Earlier pages are read until there are enough lines; the answer has no line too many."""
    answers.page("three", token="b/1")
    answers.page("one", "two", token="b/2", after="b/1")
    assert answers.output.last_lines(TASK, "main", 2) == ("two", "three")


def test_a_token_that_comes_back_is_the_end(answers: Answers) -> None:
    """One line is all that the container printed."""
    answers.page("only", token="b/1")
    answers.page(token="b/1", after="b/1")
    assert answers.output.last_lines(TASK, "main", 2) == ("only",)


def test_endless_empty_pages_are_not_followed(answers: Answers) -> None:
    """A few calls, whatever CloudWatch Logs has."""
    for number in range(PAGES):
        answers.page(token=f"b/{number + 1}", after=f"b/{number}" if number else None)
    assert answers.output.last_lines(TASK, "main", 2) == ()


def test_a_stream_without_a_line_is_not_there_yet(answers: Answers) -> None:
    """That is no error."""
    answers.logs.add_client_error("get_log_events", "ResourceNotFoundException", "no such stream", 400)
    assert answers.output.last_lines(TASK, "main", 2) == ()


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException", "ThrottlingException"])
def test_a_refused_read_has_awss_code(answers: Answers, code: str) -> None:
    """Translated like every other call."""
    answers.logs.add_client_error("get_log_events", code, "no", 400)
    with pytest.raises(CallFailed, match=f"GetLogEvents failed with {code}"):
        answers.output.last_lines(TASK, "main", 2)
