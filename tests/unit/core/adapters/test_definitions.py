"""What ECS may answer about task definitions and the local Fargate does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from core.adapters.ecs import BotoDefinitions, BotoEcs
from core.model.errors import CallFailed, DefinitionGone
from core.model.failure import Cause
from tests.factories import CLUSTER

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

FAMILY = "sockerless-0123456789abcdef0123456789abcdef"
ARN = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{FAMILY}"
RUN: dict[str, Any] = {"taskDefinition": FAMILY, "cluster": CLUSTER, "clientToken": "token"}


@pytest.fixture
def client() -> ECSClient:
    return boto3.client("ecs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def answers(client: ECSClient) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def described(revision: int, status: str = "ACTIVE") -> dict[str, Any]:
    """The answer to RegisterTaskDefinition and DescribeTaskDefinition."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return {"taskDefinition": {"taskDefinitionArn": f"{ARN}:{revision}", "status": status, "registeredAt": at}}


@pytest.mark.parametrize("status", ["INACTIVE", "DELETE_IN_PROGRESS"])
def test_a_description_of_what_is_not_active_is_none(client: ECSClient, answers: Stubber, status: str) -> None:
    """ECS promises the latest ACTIVE revision of a bare family, and is eventually consistent."""
    answers.add_response("describe_task_definition", described(1, status), {"taskDefinition": FAMILY})

    assert BotoDefinitions(client, CLUSTER).newest(FAMILY) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ClientException", "TaskDefinition is inactive"),
        ("InvalidParameterException", "TaskDefinition is inactive"),
        ("ClientException", "TaskDefinition not found."),
        ("ClientException", "Unable to describe task definition."),
        ("ClientException", "The specified task definition does not exist."),
        ("ClientException", "The task definition is in DELETE_IN_PROGRESS status."),
    ],
)
def test_run_task_says_that_the_definition_is_gone(
    client: ECSClient, answers: Stubber, code: str, message: str
) -> None:
    """In every text that has been seen; the code and the text stay readable."""
    answers.add_client_error("run_task", code, message, http_status_code=400)

    with pytest.raises(DefinitionGone, match=message) as gone:
        BotoEcs(client).run(RUN)

    assert (gone.value.code, gone.value.cause, gone.value.uncertain) == (code, Cause.TASK_DEFINITION, False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ClientException", "Cluster not found."),
        ("InvalidParameterException", "Override for container named x is not a container in the TaskDefinition."),
        ("ServerException", "Unable to describe task definition."),
    ],
)
def test_other_refusals_of_run_task_are_not(client: ECSClient, answers: Stubber, code: str, message: str) -> None:
    """Registering again would help none of them."""
    answers.add_client_error("run_task", code, message, http_status_code=400)

    with pytest.raises(CallFailed) as failed:
        BotoEcs(client).run(RUN)

    assert not isinstance(failed.value, DefinitionGone)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_failed_description_is_not_none(client: ECSClient, answers: Stubber, code: str) -> None:
    """A description that fails for another reason is an error."""
    answers.add_client_error("describe_task_definition", code, "Rate exceeded", http_status_code=400)
    with pytest.raises(CallFailed, match=code):
        BotoDefinitions(client, CLUSTER).newest(FAMILY)


def test_what_ecs_did_not_delete_is_named(client: ECSClient, answers: Stubber) -> None:
    """But for what it does not know: that is gone already."""
    arns = [f"{ARN}:{revision}" for revision in (1, 2, 3)]
    failures = [{"arn": arns[1], "reason": "INTERNAL"}, {"arn": arns[2], "reason": "TASK_DEFINITION_NOT_FOUND"}]
    answers.add_response(
        "delete_task_definitions", {"taskDefinitions": [], "failures": failures}, {"taskDefinitions": arns}
    )

    assert BotoDefinitions(client, CLUSTER).delete(arns) == [arns[1]]


def test_all_pages_are_read(client: ECSClient, answers: Stubber) -> None:
    """Families and revisions come a hundred at a time."""
    request = {"familyPrefix": FAMILY[:19], "status": "ALL"}
    answers.add_response("list_task_definition_families", {"families": ["a"], "nextToken": "t"}, request)
    answers.add_response("list_task_definition_families", {"families": ["b"]}, {**request, "nextToken": "t"})
    request = {"familyPrefix": FAMILY, "status": "INACTIVE"}
    answers.add_response("list_task_definitions", {"taskDefinitionArns": ["1"], "nextToken": "t"}, request)
    answers.add_response("list_task_definitions", {"taskDefinitionArns": ["2"]}, {**request, "nextToken": "t"})
    definitions = BotoDefinitions(client, CLUSTER)

    assert definitions.families(FAMILY[:19]) == ["a", "b"]
    assert definitions.revisions(FAMILY, active=False) == ["1", "2"]
