"""What the adapter makes of ECS's answers, with botocore checking both sides against its model."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from core.adapters.ecs import BotoEcs
from core.errors import CallFailed
from core.ports import TaskPage
from tests.factories import CLUSTER, TASK


@pytest.fixture
def stubbed() -> Iterator[tuple[BotoEcs, Stubber]]:
    client = boto3.client(
        "ecs",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as answers:
        yield BotoEcs(client), answers
        answers.assert_no_pending_responses()


def test_missing_is_one_thing_and_not_shown_another(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """Only MISSING says that there is no such task; any other reason is an error to tell, with its detail."""
    ecs, answers = stubbed
    asked = [TASK, TASK + "1", TASK + "2", TASK + "3"]
    answers.add_response(
        "describe_tasks",
        {
            "tasks": [{"taskArn": TASK}],
            "failures": [
                {"arn": asked[1], "reason": "MISSING"},
                {"arn": asked[2], "reason": "ACCESS_DENIED", "detail": "not yours"},
                {},
            ],
        },
        {"cluster": CLUSTER, "tasks": asked, "include": ["TAGS"]},
    )
    answer = ecs.describe(CLUSTER, asked)
    assert answer.tasks == ({"taskArn": TASK},)
    assert answer.missing == (asked[1],)
    assert [str(one) for one in answer.refused] == [
        f"DescribeTasks failed with Failure: {asked[2]} is not shown: ACCESS_DENIED: not yours",
        "DescribeTasks failed with Failure: a task without ARN is not shown: no reason given",
    ]


def test_running_tasks_page_by_page(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """A hundred a call, with the token of the page before; the last page has none."""
    ecs, answers = stubbed
    asked = {"cluster": CLUSTER, "desiredStatus": "RUNNING", "launchType": "FARGATE", "maxResults": 100}
    answers.add_response("list_tasks", {"taskArns": [TASK], "nextToken": "more"}, asked)
    answers.add_response("list_tasks", {"taskArns": []}, {**asked, "nextToken": "more"})
    assert ecs.running(CLUSTER) == TaskPage((TASK,), "more")
    assert ecs.running(CLUSTER, after="more") == TaskPage((), None)


def test_a_refused_listing(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """AWS's code, and whose turn it is."""
    ecs, answers = stubbed
    answers.add_client_error("list_tasks", "ThrottlingException", "Rate exceeded", 400)
    with pytest.raises(CallFailed) as failed:
        ecs.running(CLUSTER)
    assert (failed.value.code, str(failed.value.cause), failed.value.transient) == (
        "ThrottlingException",
        "throttled",
        True,
    )
