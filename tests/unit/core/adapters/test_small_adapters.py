"""The small adapters: botocore checks what they send against AWS's model, and their answers too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from core.adapters.aws_errors import translated
from core.adapters.sqs import SqsProbeQueue
from core.adapters.ssm import SsmTokenVault
from core.model.errors import CallFailed
from core.model.identity import Ref
from tests.factories import ADDRESS, CONTAINER_ID, TOKEN

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/probes"
PARAMETER = f"/sockerless/{CONTAINER_ID}/1/token"


@pytest.fixture
def stubbed() -> Iterator[Callable[[str], tuple[Any, Stubber]]]:
    stubs: list[Stubber] = []

    def stub(service: str) -> tuple[Any, Stubber]:
        client = boto3.client(
            service,  # type: ignore[call-overload]
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        stubs.append(Stubber(client))
        stubs[-1].activate()
        return client, stubs[-1]

    yield stub
    for one in stubs:
        one.assert_no_pending_responses()


Stub = Callable[[str], tuple[Any, Stubber]]


def test_a_probe_message_names_what_to_probe_and_no_secret(stubbed: Stub) -> None:
    """The deadline and the token stay in the item."""
    client, answers = stubbed("sqs")
    body = json.dumps({"container_id": CONTAINER_ID, "generation": 2, "address": ADDRESS})
    for delay in (0, 21):
        answers.add_response("send_message", {}, {"QueueUrl": QUEUE, "MessageBody": body, "DelaySeconds": delay})

    SqsProbeQueue(QUEUE, client).send(Ref(CONTAINER_ID, 2), ADDRESS)
    SqsProbeQueue(QUEUE, client).send(Ref(CONTAINER_ID, 2), ADDRESS, 21)


def test_an_outage_of_the_queue_is_a_failed_call(stubbed: Stub) -> None:
    """With AWS's code, and certain: the message was refused."""
    client, answers = stubbed("sqs")
    answers.add_client_error("send_message", "ThrottlingException", "Rate exceeded", 400)

    with pytest.raises(CallFailed, match="SendMessage failed with ThrottlingException") as caught:
        SqsProbeQueue(QUEUE, client).send(Ref(CONTAINER_ID, 2), ADDRESS)

    assert (caught.value.transient, caught.value.uncertain) == (True, False)


def test_a_token_is_kept_encrypted(stubbed: Stub) -> None:
    """A SecureString; a second try of the same start writes over the first one's."""
    client, answers = stubbed("ssm")
    answers.add_response(
        "put_parameter",
        {},
        {
            "Name": PARAMETER,
            "Value": TOKEN,
            "Type": "SecureString",
            "Overwrite": True,
            "Description": "Token of one container's agent; deleted when the container ends.",
        },
    )

    SsmTokenVault(client).put(PARAMETER, TOKEN)


def test_erasing_is_idempotent(stubbed: Stub) -> None:
    """A parameter that is not there is as good as deleted; a refusal is not."""
    client, answers = stubbed("ssm")
    answers.add_response("delete_parameter", {}, {"Name": PARAMETER})
    answers.add_client_error("delete_parameter", "ParameterNotFound", "", 400)
    answers.add_client_error("delete_parameter", "AccessDeniedException", "no", 400)
    vault = SsmTokenVault(client)

    vault.erase(PARAMETER)
    vault.erase(PARAMETER)
    with pytest.raises(CallFailed, match="AccessDeniedException"):
        vault.erase(PARAMETER)


@pytest.mark.parametrize(
    ("error", "unreached"),
    [
        (ConnectTimeoutError(endpoint_url="https://dynamodb"), True),
        (EndpointConnectionError(endpoint_url="https://dynamodb"), True),
        (ReadTimeoutError(endpoint_url="https://dynamodb"), False),
        (ConnectionClosedError(endpoint_url="https://dynamodb"), False),
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_connection_that_never_came_about_is_unreached(error: Exception, unreached: bool) -> None:
    """It alone proves a missing route; a refused call, or one that was cut off later, had one."""
    with pytest.raises(CallFailed) as caught, translated("GetItem"):
        raise error
    assert caught.value.unreached is unreached
    assert (caught.value.operation, caught.value.uncertain) == ("GetItem", not isinstance(error, ClientError))
