"""Secrets of a container, and the login to its registry: read by the execution role, shown by nothing of the stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.model.failure import Cause, ErrorCode, Failure
from core.model.state import State
from reach.agent import client as agent_client
from tests.e2e import logs
from tests.e2e.stack import PATIENCE, Stack
from tests.factories import event

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:team/db-AbCdEf"
"""That of the file in `events/`."""
ABSENT = "arn:aws:secretsmanager:us-east-1:000000000000:secret:absent-AbCdEf"
VALUES = {"DB_PASSWORD": "correct horse battery staple", "API_KEY": "hunter2-hunter2"}


def secret(stack: Stack, name: str, value: object) -> str:
    """The ARN of a new secret."""
    service = stack.cloud.client("secretsmanager")
    return str(service.create_secret(Name=name, SecretString=json.dumps(value))["ARN"])


def failure(stack: Stack, container_id: str, **request: Any) -> Failure:
    """Why this container never started."""
    stack.start(container_id, **request)
    record = stack.reaches(container_id, State.FAILED)
    assert record.error is not None
    assert record.error.code is ErrorCode.TASK_FAILED_TO_START
    return record.error


def test_the_event_file_with_secrets_runs(stack: Stack) -> None:
    """A JSON key of a secret and a parameter are variables of the container, and in nothing that ECS or the stack has.

    Also in a read-only root, with a capability, and with a security group of the request's own.
    """
    arn = secret(stack, "team/db", {"password": VALUES["DB_PASSWORD"]})
    ssm = stack.cloud.client("ssm")
    ssm.put_parameter(Name="/team/api-key", Value=VALUES["API_KEY"], Type="SecureString")
    document = json.loads(json.dumps(event("start-container-secrets")).replace(SECRET, arn))
    assert stack.invoke("StartContainer", document)["state"] == "pending"
    agent = stack.client.wait_until_healthy(document["container_id"], PATIENCE)
    ran = agent_client.run(agent.address, agent.token, ["sh", "-c", 'echo "$DB_USER $DB_PASSWORD $API_KEY"'])
    assert ran.stdout.decode().split("\n")[0] == f"app {VALUES['DB_PASSWORD']} {VALUES['API_KEY']}"

    described = stack.ecs.describe_tasks(tasks=[agent.record.task_arn])["tasks"]
    definition = stack.ecs.describe_task_definition(taskDefinition=agent.record.task_definition_arn)["taskDefinition"]
    assert (agent.record.security_groups, definition["containerDefinitions"][-1]["stopTimeout"]) == (
        ("sg-0c0ffee0000000002",),
        10,
    )
    written = [*stack.answers, *(path.read_text(errors="replace") for path in logs.files(stack.cloud))]
    kept = [described, definition, stack.item(document["container_id"]), written]
    assert [value for value in VALUES.values() if value in json.dumps(kept, default=str)] == []
    stack.stop(document["container_id"])


@pytest.mark.parametrize(
    ("value_from", "says"),
    [
        (ABSENT, "failed to fetch secret"),
        (f"{ABSENT}:key::", "Secrets Manager can't find the specified secret"),
        ("arn:aws:ssm:us-east-1:000000000000:parameter/team/absent", "invalid ssm parameters: team/absent"),
    ],
)
def test_a_secret_that_does_not_exist_is_diagnosed(stack: Stack, container_id: str, value_from: str, says: str) -> None:
    """The task fails in ECS's words, before anything of it runs."""
    found = failure(stack, container_id, secrets={"KEY": value_from})
    assert found.cause is Cause.SECRETS
    assert "ResourceInitializationError: unable to pull secrets or registry auth: execution" in found.message
    assert says in found.message


def test_a_key_that_a_secret_lacks_is_named_and_no_value_is(stack: Stack, container_id: str) -> None:
    """The item names the key; nothing shows what the secret holds."""
    arn = secret(stack, f"other/{container_id}", {"user": "hunter2"})
    found = failure(stack, container_id, secrets={"KEY": f"{arn}:password::"})
    assert found.cause is Cause.SECRETS
    assert "did not contain json key password" in found.message
    assert "hunter2" not in str(stack.item(container_id))


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (None, "unable to get registry auth from asm"),
        ({"user": "hunter2"}, "asm fetching authorization data"),
    ],
)
def test_the_login_to_a_registry_has_to_be_there(stack: Stack, container_id: str, login: object, says: str) -> None:
    """A secret that does not exist, and one without user name and password."""
    arn = secret(stack, f"registry/{container_id}", login) if login else ABSENT
    found = failure(stack, container_id, repository_credentials=arn)
    assert found.cause is Cause.SECRETS
    assert says in found.message
    assert "hunter2" not in str(stack.item(container_id))


def test_a_login_that_is_there_starts(stack: Stack, container_id: str) -> None:
    """Only Docker mode asks the registry (`tests/docker`)."""
    arn = secret(stack, f"registry/{container_id}", {"username": "ci", "password": "hunter2"})
    stack.start(container_id, repository_credentials=arn)
    stack.reaches(container_id, State.AGENT_HEALTHY)
    stack.stop(container_id)
