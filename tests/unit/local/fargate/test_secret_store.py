"""Secrets of a task and logins to registries, and ECS's words when they cannot be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from local.fargate.reasons import InitializationFailed
from local.fargate.secret_store import SecretStore
from tests.moto_aws import client, moto_aws

RETRIEVAL = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
)
ASM = f"{RETRIEVAL}unable to retrieve secret from asm: service call has been retried 1 time(s): "
SSM = f"{RETRIEVAL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
LOGIN = f"{RETRIEVAL}unable to get registry auth from asm: service call has been retried 1 time(s): "
ABSENT = "arn:aws:secretsmanager:us-east-1:123456789012:secret:absent-AbCdEf"
PARAMETERS = "arn:aws:ssm:us-east-1:123456789012:parameter"


@pytest.fixture
def store() -> Iterator[SecretStore]:
    """That of an account in which nothing is kept."""
    with moto_aws():
        yield SecretStore({name: client(name) for name in ("secretsmanager", "ssm")})


def kept(value: str) -> str:
    """The ARN of a new secret."""
    return str(client("secretsmanager").create_secret(Name="team/db", SecretString=value)["ARN"])


def read(store: SecretStore, value_from: str) -> str:
    return asyncio.run(store.value(value_from))


def failure(store: SecretStore, value_from: str) -> str:
    """Why it cannot be read."""
    with pytest.raises(InitializationFailed) as caught:
        read(store, value_from)
    return str(caught.value)


def test_a_secret_is_read_whole_by_key_and_by_version(store: SecretStore) -> None:
    """What follows the ARN selects; a value that is no text stays JSON."""
    arn = kept(json.dumps({"password": "old", "port": 5432}))
    new = json.dumps({"password": "new", "port": 5432})
    version = client("secretsmanager").put_secret_value(SecretId=arn, SecretString=new)["VersionId"]

    assert read(store, arn) == read(store, f"{arn}:::") == new
    assert (read(store, f"{arn}:password::"), read(store, f"{arn}:port::")) == ("new", "5432")
    assert read(store, f"{arn}:password:AWSPREVIOUS:") == "old"
    assert read(store, f"{arn}:password::{version}") == "new"


@pytest.mark.parametrize("name", ["password", "/password", "/team/password"])
def test_a_parameter_is_read_by_arn_and_by_name(store: SecretStore, name: str) -> None:
    """An ARN does not say whether a name without a directory begins with a slash."""
    client("ssm").put_parameter(Name=name, Value="hunter2", Type="SecureString")
    assert read(store, f"{PARAMETERS}/{name.lstrip('/')}") == read(store, name) == "hunter2"


def test_what_is_not_there_is_said_as_ecs_says_it(store: SecretStore) -> None:
    """Secrets Manager by its error, Parameter Store by the names that it does not know."""
    not_found = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
    assert failure(store, ABSENT) == f"{ASM}failed to fetch secret {ABSENT} from secrets manager: {not_found}"
    assert failure(store, f"{PARAMETERS}/team/absent") == f"{SSM}invalid ssm parameters: team/absent"
    assert failure(store, "/absent") == f"{SSM}invalid ssm parameters: /absent"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"user": "hunter2"}', "retrieved secret from Secrets Manager did not contain json key password"),
        ('["hunter2"]', "retrieved secret from Secrets Manager did not contain json key password"),
        ("hunter2", "invalid character looking for beginning of value"),
    ],
)
def test_a_secret_without_the_key_shows_no_value(store: SecretStore, value: str, says: str) -> None:
    """The key is named, the secret is not shown."""
    message = failure(store, f"{kept(value)}:password::")
    assert message == ASM + says
    assert "hunter2" not in message


def test_without_an_aws_nothing_can_be_read() -> None:
    """A local Fargate alone has no secrets, and says so."""
    assert failure(SecretStore({}), ABSENT).endswith("no AWS endpoint is configured")


def test_a_login_is_user_name_and_password(store: SecretStore) -> None:
    """Other members of the secret do not matter."""
    arn = kept(json.dumps({"username": "ci", "password": "hunter2", "note": "x"}))
    assert asyncio.run(store.login(arn)) == {"username": "ci", "password": "hunter2"}


@pytest.mark.parametrize("value", ["hunter2", '"hunter2"', '{"username": "hunter2"}'])
def test_a_login_that_is_none_is_refused(store: SecretStore, value: str) -> None:
    """Not JSON, not an object, not both members; the secret is not shown."""
    with pytest.raises(InitializationFailed) as caught:
        asyncio.run(store.login(kept(value)))
    assert str(caught.value).startswith(f"{LOGIN}asm fetching authorization data: ")
    assert "hunter2" not in str(caught.value)


def test_a_login_that_is_not_there_is_said_as_ecs_says_it(store: SecretStore) -> None:
    """The agent's own words, with the ARN and Secrets Manager's error."""
    with pytest.raises(InitializationFailed) as caught:
        asyncio.run(store.login(ABSENT))
    assert str(caught.value).startswith(f"{LOGIN}asm fetching secret from the service for {ABSENT}: ResourceNotFound")
