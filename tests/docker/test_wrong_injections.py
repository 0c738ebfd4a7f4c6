"""A wrong agent on the deployed stack: the engine's own refusal, in ECS's words or in the log, diagnosed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.model.errors import ContainerFailed
from core.model.failure import Cause, ErrorCode, Failure
from tests.e2e.stack import PATIENCE, Stack
from tests.e2e.wrong_agents import PATH, STRATEGIES, another_agent, foreign_program


@dataclass(frozen=True)
class Wrong:
    """An agent that cannot be executed, what runc says of it, and what that means."""

    content: bytes | None
    mode: int
    said: str
    cause: Cause


MISSING = Wrong(None, 0, f'exec: "{PATH}": stat {PATH}: no such file or directory', Cause.AGENT_BINARY_MISSING)
NOT_EXECUTABLE = Wrong(b"#!/bin/sh\n", 0o644, f'exec: "{PATH}": permission denied', Cause.AGENT_NOT_EXECUTABLE)


@pytest.mark.parametrize(
    ("strategy", "wrong"),
    [("efs", MISSING), ("efs", NOT_EXECUTABLE), ("init-container", NOT_EXECUTABLE)],
    ids=["efs, missing", "efs, not executable", "init-container, not executable"],
)
def test_a_wrong_agent_is_diagnosed(stack: Stack, container_id: str, strategy: str, wrong: Wrong) -> None:
    """runc's refusal reaches the item, with the cause that follows from it and what to do."""
    with another_agent(stack, strategy, wrong.content, wrong.mode):
        failure = failure_of(stack, container_id, injection=strategy)
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, wrong.cause)
    assert wrong.said in failure.message
    assert failure.remedy


def test_an_agent_image_without_the_agent_fails_the_start(stack: Stack, container_id: str) -> None:
    """The copy fails, so `main` is never started: the item says what the operator has to look at."""
    with another_agent(stack, "init-container", None, 0):
        failure = failure_of(stack, container_id, injection="init-container")
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_BINARY_MISSING)
    assert failure.message.startswith("The init container failed, so there is no agent binary")
    assert "dependency [init] (STOPPED->RUNNING) - Exit: 1 for target [main]" in failure.message
    assert "AgentImage" in failure.remedy
    assert "AgentCopyCommand" in failure.remedy


def test_an_agent_image_of_another_architecture_is_diagnosed(stack: Stack, container_id: str) -> None:
    """Its copy command cannot be executed: `init` exits with 1, and says why in its log alone."""
    command = STRATEGIES["init-container"](stack.cloud) / "usr/local/bin/cp"
    command.parent.mkdir(parents=True)
    command.write_bytes(foreign_program())
    command.chmod(0o755)
    try:
        failure = failure_of(stack, container_id, injection="init-container")
    finally:
        command.unlink()
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_WRONG_ARCHITECTURE)
    assert failure.message.startswith("The agent image is for another CPU architecture than the task")
    assert "exit code 1, output: exec /usr/local/bin/cp: exec format error" in failure.message
    assert "AgentImage" in failure.remedy


def test_an_agent_without_its_interpreter_is_diagnosed(stack: Stack, container_id: str) -> None:
    """The file is there, and what it needs to run is not: runc does not look that far."""
    with another_agent(stack, "efs", b"#!/no/such/interpreter\n", 0o755):
        failure = failure_of(stack, container_id, injection="efs")
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_NOT_EXECUTABLE)
    assert f"output: exec {PATH}: no such file or directory" in failure.message
    assert "linked statically" in failure.remedy


def failure_of(stack: Stack, container_id: str, **request: str) -> Failure:
    """What a backend learns that waits for a container which cannot be started."""
    stack.start(container_id, **request)
    with pytest.raises(ContainerFailed) as failed:
        stack.client.wait_until_healthy(container_id, PATIENCE)
    return failed.value.failure
