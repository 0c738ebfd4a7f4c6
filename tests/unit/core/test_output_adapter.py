"""What the adapter asks of ECS and CloudWatch Logs, with botocore checking both sides against its models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from core.adapters.log_options import BotoLogOptions
from core.adapters.output import PAGES, CloudWatchOutput
from core.budget import Budget, BudgetSpent
from core.errors import CallFailed
from core.paced import PacedOutput
from tests.factories import DEFINITION, TASK, exited
from tests.fakes import MemoryOutput

TASK_ID = TASK.rpartition("/")[2]
ENDED = exited(9, exit_code=1)
LOGGED = {
    "name": "main",
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/tasks", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
    },
}
ASKED: dict[str, Any] = {
    "logGroupName": "/tasks",
    "logStreamName": f"web/main/{TASK_ID}",
    "limit": 2,
    "startFromHead": False,
}


class Answers:
    """The adapter between two services that answer what a test tells them to."""

    def __init__(self) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        ecs, logs = session.client("ecs"), session.client("logs")
        self.ecs, self.logs = Stubber(ecs), Stubber(logs)
        self.output = CloudWatchOutput(BotoLogOptions(ecs), logs)

    def defines(self, *containers: dict[str, Any]) -> None:
        answer = {"taskDefinition": {"taskDefinitionArn": DEFINITION, "containerDefinitions": list(containers)}}
        self.ecs.add_response("describe_task_definition", answer, {"taskDefinition": DEFINITION})

    def page(self, *lines: str, token: str, asked: str | None = None) -> None:
        events = [{"timestamp": 1, "message": line, "ingestionTime": 2} for line in lines]
        answer = {"events": events, "nextForwardToken": "f/0", "nextBackwardToken": token}
        self.logs.add_response("get_log_events", answer, {**ASKED, **({"nextToken": asked} if asked else {})})


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()
    with answers.ecs, answers.logs:
        yield answers
        answers.ecs.assert_no_pending_responses()
        answers.logs.assert_no_pending_responses()


def test_the_newest_lines_of_the_containers_stream(answers: Answers) -> None:
    """Group and prefix are the definition's; the stream is prefix/container/task id."""
    answers.defines({"name": "init"}, LOGGED)
    answers.page("one", "two", token="b/1")
    assert answers.output.last_lines(ENDED, "main", 2) == ("one", "two")


def test_a_short_page_is_not_the_whole_log(answers: Answers) -> None:
    """More is asked for until there are enough lines, older ones in front; not one too many is given."""
    answers.defines(LOGGED)
    answers.page("three", token="b/1")
    answers.page("one", "two", token="b/2", asked="b/1")
    assert answers.output.last_lines(ENDED, "main", 2) == ("two", "three")


def test_a_token_that_comes_back_is_the_end(answers: Answers) -> None:
    """One line is all that the container printed."""
    answers.defines(LOGGED)
    answers.page("only", token="b/1")
    answers.page(token="b/1", asked="b/1")
    assert answers.output.last_lines(ENDED, "main", 2) == ("only",)


def test_endless_empty_pages_are_not_followed(answers: Answers) -> None:
    """A few calls, whatever CloudWatch Logs has."""
    answers.defines(LOGGED)
    for number in range(PAGES):
        answers.page(token=f"b/{number + 1}", asked=f"b/{number}" if number else None)
    assert answers.output.last_lines(ENDED, "main", 2) == ()


@pytest.mark.parametrize(
    "container",
    [
        {"name": "main"},
        {"name": "init", "logConfiguration": LOGGED["logConfiguration"]},
        {"name": "main", "logConfiguration": {"logDriver": "splunk", "options": {"splunk-url": "https://x"}}},
        {"name": "main", "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/tasks"}}},
        {"name": "main", "logConfiguration": {"logDriver": "awslogs"}},
    ],
)
def test_a_container_that_logs_elsewhere_has_no_lines(answers: Answers, container: dict[str, Any]) -> None:
    """No driver, another one, or a stream whose name cannot be known: CloudWatch Logs is not asked."""
    answers.defines(container)
    assert answers.output.last_lines(ENDED, "main", 2) == ()


def test_a_definition_is_read_once(answers: Answers) -> None:
    """A revision never changes, and many containers share one."""
    answers.defines({"name": "main"})
    for _ in range(3):
        assert answers.output.last_lines(ENDED, "main", 2) == ()


def test_a_task_without_its_definition_has_no_lines(answers: Answers) -> None:
    """A snapshot may leave it out: nobody is asked."""
    assert answers.output.last_lines(exited(9, exit_code=1, task_definition_arn=None), "main", 2) == ()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ThrottlingException"])
def test_a_refused_read_has_awss_code(answers: Answers, code: str) -> None:
    """Translated like every other call."""
    answers.defines(LOGGED)
    answers.logs.add_client_error("get_log_events", code, "no", 400)
    with pytest.raises(CallFailed, match=f"GetLogEvents failed with {code}"):
        answers.output.last_lines(ENDED, "main", 2)


def test_a_refused_description_is_asked_for_again(answers: Answers) -> None:
    """What is not known is not remembered as having no log."""
    answers.ecs.add_client_error("describe_task_definition", "ThrottlingException", "Rate exceeded", 400)
    with pytest.raises(CallFailed, match="DescribeTaskDefinition failed with ThrottlingException"):
        answers.output.last_lines(ENDED, "main", 2)
    answers.defines({"name": "main"})
    assert answers.output.last_lines(ENDED, "main", 2) == ()


def test_the_reconciler_listens_within_its_budget() -> None:
    """One read of ECS for each container, and none without one."""
    output = MemoryOutput({(TASK, "main"): ["only"]})
    reads = Budget(rate=5, most=1, monotonic=lambda: 0, sleep=lambda _: None, time_left=lambda: 60)
    paced = PacedOutput(output, reads)
    assert paced.last_lines(ENDED, "main", 2) == ("only",)
    with pytest.raises(BudgetSpent, match="limit"):
        paced.last_lines(ENDED, "main", 2)
    assert len(output.calls) == 1
