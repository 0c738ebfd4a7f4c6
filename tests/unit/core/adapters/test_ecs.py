"""What the adapter makes of ECS's answers, with botocore checking both sides against its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from core.adapters.aws_errors import translated
from core.adapters.ecs import BotoEcs
from core.model.errors import CallFailed
from core.model.failure import Cause
from core.ports import Launched, TaskPage
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
    """Only MISSING says that there is no such task; any other reason is an error, with its detail."""
    ecs, answers = stubbed
    request = [TASK, TASK + "1", TASK + "2", TASK + "3"]
    answers.add_response(
        "describe_tasks",
        {
            "tasks": [{"taskArn": TASK}],
            "failures": [
                {"arn": request[1], "reason": "MISSING"},
                {"arn": request[2], "reason": "ACCESS_DENIED", "detail": "not yours"},
                {},
            ],
        },
        {"cluster": CLUSTER, "tasks": request, "include": ["TAGS"]},
    )
    answer = ecs.describe(CLUSTER, request)
    assert answer.tasks == ({"taskArn": TASK},)
    assert answer.missing == (request[1],)
    assert [str(one) for one in answer.refused] == [
        f"DescribeTasks failed with Failure: {request[2]} is not shown: ACCESS_DENIED: not yours",
        "DescribeTasks failed with Failure: a task without ARN is not shown: no reason given",
    ]


def test_a_task_without_its_arn_is_refused(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """Of a task or a failure without an ARN nothing can be concluded, and the others count all the same."""
    ecs, answers = stubbed
    answer = {"tasks": [{"taskArn": TASK}, {"version": 3}], "failures": [{"reason": "MISSING"}]}
    answers.add_response("describe_tasks", answer)
    described = ecs.describe(CLUSTER, [TASK])
    assert (described.tasks, described.missing) == (({"taskArn": TASK},), ())
    assert [str(one).partition("not shown: ")[2] for one in described.refused] == [
        "MISSING",
        "the answer names no task",
    ]


def test_running_tasks_page_by_page(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """A hundred a call, with the token of the page before; the last page has none."""
    ecs, answers = stubbed
    request = {"cluster": CLUSTER, "desiredStatus": "RUNNING", "launchType": "FARGATE", "maxResults": 100}
    answers.add_response("list_tasks", {"taskArns": [TASK], "nextToken": "more"}, request)
    answers.add_response("list_tasks", {"taskArns": []}, {**request, "nextToken": "more"})
    assert ecs.running(CLUSTER) == TaskPage((TASK,), "more")
    assert ecs.running(CLUSTER, after="more") == TaskPage((), None)


def test_a_refused_listing(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """The error has AWS's code, its cause and its transience."""
    ecs, answers = stubbed
    answers.add_client_error("list_tasks", "ThrottlingException", "Rate exceeded", 400)
    with pytest.raises(CallFailed) as failed:
        ecs.running(CLUSTER)
    assert (failed.value.code, str(failed.value.cause), failed.value.transient) == (
        "ThrottlingException",
        "throttled",
        True,
    )


RUN = {"cluster": CLUSTER, "taskDefinition": "family"}


def test_a_run_answers_with_its_task(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """The first task; RunTask's count is 1."""
    ecs, answers = stubbed
    task = {"taskArn": TASK, "taskDefinitionArn": "definition", "clusterArn": CLUSTER}
    answers.add_response("run_task", {"tasks": [task], "failures": []}, RUN)

    assert ecs.run(RUN) == Launched(TASK, "definition", CLUSTER)

    answers.add_response("run_task", {"tasks": [{**task, "capacityProviderName": "FARGATE_SPOT"}], "failures": []}, RUN)
    assert ecs.run(RUN).capacity_provider_name == "FARGATE_SPOT"


@pytest.mark.parametrize(
    ("failures", "said", "cause"),
    [
        (
            [{"reason": "Capacity is unavailable at this time. Please try again later"}],
            "Capacity is unavailable",
            Cause.CAPACITY,
        ),
        ([{"reason": "RESOURCE:ENI", "detail": "no more"}], "RESOURCE:ENI: no more", Cause.CAPACITY),
        ([], "neither a task nor a failure", Cause.UNKNOWN),
    ],
)  # fmt: skip
def test_a_run_without_a_task_is_a_failed_call(
    stubbed: tuple[BotoEcs, Stubber], failures: list[dict[str, str]], said: str, cause: Cause
) -> None:
    """200 with `failures` and no task (ecs.md 5): certain, and with its cause."""
    ecs, answers = stubbed
    answers.add_response("run_task", {"tasks": [], "failures": failures}, RUN)

    with pytest.raises(CallFailed, match=said) as caught:
        ecs.run(RUN)

    assert (caught.value.cause, caught.value.uncertain) == (cause, False)


def test_a_task_that_is_not_found_was_not_stopped(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """Told apart from one that ECS has begun to stop; anything else is an error."""
    ecs, answers = stubbed
    request = {"cluster": CLUSTER, "task": TASK, "reason": "enough"}
    message = "The referenced task was not found."
    answers.add_client_error("stop_task", "InvalidParameterException", message, 400, expected_params=request)
    answers.add_client_error("stop_task", "ServerException", "try again", 500, expected_params=request)

    assert not ecs.stop(CLUSTER, TASK, "enough")
    with pytest.raises(CallFailed, match="ServerException") as caught:
        ecs.stop(CLUSTER, TASK, "enough")

    assert caught.value.uncertain
    answers.add_response("stop_task", {"task": {"taskArn": TASK}}, request)
    assert ecs.stop(CLUSTER, TASK, "enough")


LISTED = {"cluster": CLUSTER, "startedBy": "p/c/1"}


def test_stopped_tasks_are_listed_apart(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """ListTasks shows running tasks, unless it is asked for stopped ones."""
    ecs, answers = stubbed
    answers.add_response("list_tasks", {"taskArns": [TASK]}, LISTED)
    answers.add_response("list_tasks", {"taskArns": [TASK + "1"]}, {**LISTED, "desiredStatus": "STOPPED"})

    assert ecs.find(CLUSTER, "p/c/1") == (TASK,)
    assert ecs.find(CLUSTER, "p/c/1", stopped=True) == (TASK + "1",)


def test_a_call_that_ecs_never_takes_finds_no_stopped_task(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """A refusal of a second filter (API Reference, ListTasks) says that there is no more. Any other says nothing."""
    ecs, answers = stubbed
    for code in ("ThrottlingException", "InvalidParameterException"):
        answers.add_client_error("list_tasks", code, "no", 400, expected_params={**LISTED, "desiredStatus": "STOPPED"})
    answers.add_client_error("list_tasks", "InvalidParameterException", "no", 400, expected_params=LISTED)

    with pytest.raises(CallFailed, match="ThrottlingException"):
        ecs.find(CLUSTER, "p/c/1", stopped=True)
    assert ecs.find(CLUSTER, "p/c/1", stopped=True) == ()
    with pytest.raises(CallFailed, match="InvalidParameterException"):
        ecs.find(CLUSTER, "p/c/1")


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (ReadTimeoutError(endpoint_url="https://ecs"), True),
        (ConnectionClosedError(endpoint_url="https://ecs"), True),
        (ConnectTimeoutError(endpoint_url="https://ecs"), False),
        (EndpointConnectionError(endpoint_url="https://ecs"), False),
    ],
)
def test_a_call_that_was_never_sent_is_certain(error: BotoCoreError, uncertain: bool) -> None:
    """RunTask and RegisterTaskDefinition are made once by the SDK, so nothing came before; others may be repeats."""
    with pytest.raises(CallFailed) as single, translated("RunTask", single=True):
        raise error
    with pytest.raises(CallFailed) as repeated, translated("StopTask"):
        raise error

    assert (single.value.uncertain, repeated.value.uncertain) == (uncertain, True)


def test_what_starts_a_task_goes_through_the_client_that_repeats_nothing() -> None:
    """A throttled call fails at once: the start itself repeats it, and knows the answer to each try."""
    credentials: Any = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    usual, single = (boto3.client("ecs", **credentials) for _ in range(2))
    ecs = BotoEcs(usual, lambda: single)
    definition: Any = {"family": "f", "containerDefinitions": []}
    with Stubber(usual), Stubber(single) as answers:
        answers.add_response("register_task_definition", {}, definition)
        answers.add_client_error("run_task", "ThrottlingException", "Rate exceeded", 400, expected_params=RUN)

        ecs.register(definition)
        with pytest.raises(CallFailed) as caught:
            ecs.run(RUN)

    assert (caught.value.cause, caught.value.transient, caught.value.uncertain) == (Cause.THROTTLED, True, False)


def test_a_member_that_the_sdk_does_not_know_is_the_sdks_age(stubbed: tuple[BotoEcs, Stubber]) -> None:
    """Lambda's runtime brings the SDK, and the request is the plan's: the reader is sent to the SDK, not to either."""
    ecs, answers = stubbed
    answers.deactivate()  # the SDK refuses the request itself, before it is sent
    volumes = [{"name": "agent", "newerVolumeConfiguration": {}}]
    with pytest.raises(CallFailed, match='"newerVolumeConfiguration"') as caught:
        ecs.register({"family": "a", "containerDefinitions": [], "volumes": volumes})
    assert "Update the AWS SDK" in caught.value.remedy
    assert not caught.value.uncertain
