"""Images of a private registry, with the login that `repository_credentials` names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from core.model.failure import Cause, ErrorCode, Failure
from core.model.record import Record
from tests.docker.registry import FILE, REPOSITORY, TAG, registry
from tests.e2e.stack import Stack

LOGIN = ("ci", "hunter2")
ABSENT = "arn:aws:secretsmanager:us-east-1:000000000000:secret:absent-AbCdEf"


@pytest.fixture
def image() -> Iterator[str]:
    """An image of a private registry. The engine forgets it afterwards."""
    with registry(LOGIN) as host:
        name = f"{host}/{REPOSITORY}:{TAG}"
        yield name
        subprocess.run(["docker", "image", "rm", name], check=False, capture_output=True)


def secret(stack: Stack, container_id: str, **login: str) -> str:
    """The ARN of a new secret with this login."""
    service = stack.cloud.client("secretsmanager")
    return str(service.create_secret(Name=f"registry/{container_id}", SecretString=json.dumps(login))["ARN"])


def ended(stack: Stack, container_id: str, image: str, credentials: str | None) -> Record:
    """The record of a container of this image, whose program cannot be executed."""
    stack.start(container_id, image=image, repository_credentials=credentials, entrypoint=[f"/{FILE}"], cmd=[])
    return stack.until(container_id, lambda seen: seen.state.ended, "the container has ended")


def failure(record: Record) -> Failure:
    assert record.error is not None
    assert record.error.code is ErrorCode.TASK_FAILED_TO_START
    assert LOGIN[1] not in str(record.error)
    return record.error


def test_the_right_login_pulls(stack: Stack, container_id: str, image: str) -> None:
    """The image comes, and with it a pull that ended; its program is another matter."""
    record = ended(stack, container_id, image, secret(stack, container_id, username=LOGIN[0], password=LOGIN[1]))
    assert record.error is None or record.error.cause is not Cause.IMAGE_PULL_FAILED
    assert "pull_stopped" in record.timings
    assert subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_login_cannot_pull(stack: Stack, container_id: str, image: str, password: str | None) -> None:
    """A wrong password, and no login at all: ECS's words, and the member that mends it."""
    credentials = secret(stack, container_id, username=LOGIN[0], password=password) if password else None
    found = failure(ended(stack, container_id, image, credentials))
    assert found.cause is Cause.IMAGE_PULL_FAILED
    assert "CannotPullContainerError: pull image manifest has been retried" in found.message
    assert f"[manifests {TAG}]: 401 Unauthorized" in found.message
    assert "repository_credentials" in found.remedy


def test_a_login_is_used_although_the_engine_has_the_image(stack: Stack, container_id: str, image: str) -> None:
    """As on Fargate, where nothing is kept between tasks."""
    ended(stack, container_id, image, secret(stack, container_id, username=LOGIN[0], password=LOGIN[1]))
    other = container_id[::-1]
    wrong = secret(stack, other, username=LOGIN[0], password="wrong")
    assert failure(ended(stack, other, image, wrong)).cause is Cause.IMAGE_PULL_FAILED


def test_a_secret_that_does_not_exist_is_named(stack: Stack, container_id: str, image: str) -> None:
    """The task fails before it pulls."""
    found = failure(ended(stack, container_id, image, ABSENT))
    assert found.cause is Cause.SECRETS
    assert "unable to get registry auth from asm" in found.message
    assert ABSENT in found.message


def test_a_secret_without_a_login_is_named(stack: Stack, container_id: str, image: str) -> None:
    """The remedy says which members it needs."""
    found = failure(ended(stack, container_id, image, secret(stack, container_id, user="ci")))
    assert found.cause is Cause.SECRETS
    assert "username and password" in found.remedy
