"""A wrong agent on the deployed stack: the engine's own refusal, in ECS's words, diagnosed in the item."""

from __future__ import annotations

import platform
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from core.errors import Cause, ContainerExited, ContainerFailed, ErrorCode
from local.cloud.cloud import ACCESS_POINT, AGENT_IMAGE, FILE_SYSTEM
from local.fargate.view import image_directory
from local.fargate.volumes import efs_directory
from tests.e2e.stack import PATIENCE, Stack

STRATEGIES: Final[dict[str, Callable[[Path], Path]]] = {
    "efs": lambda state: efs_directory(state, FILE_SYSTEM, ACCESS_POINT),
    "init-container": lambda state: image_directory(state, AGENT_IMAGE),
}
"""Where each strategy takes the agent from."""

PATH: Final = "/sockerless-agent/sockerless-agent"
MACHINES: Final = {"aarch64": 62, "x86_64": 183}
"""ELF's number of a machine that the key is not: x86-64 and AArch64."""


def foreign_program() -> bytes:
    """The header of an ELF executable for another machine (elf(5)); the kernel reads no further."""
    machine = MACHINES.get(platform.machine(), 183)
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000, 64, 0, 0, 64, 56, 0, 0, 0, 0)


@contextmanager
def another_agent(stack: Stack, strategy: str, content: bytes | None, mode: int) -> Iterator[None]:
    """While it lasts, the strategy's source has this agent, or none."""
    file = STRATEGIES[strategy](stack.cloud.layout.fargate) / "sockerless-agent"
    kept = file.with_name("kept")
    file.rename(kept)
    try:
        if content is not None:
            file.write_bytes(content)
            file.chmod(mode)
        yield
    finally:
        kept.replace(file)


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
        stack.start(container_id, injection=strategy)
        with pytest.raises(ContainerFailed) as failed:
            stack.client.wait_until_healthy(container_id, PATIENCE)
    failure = failed.value.failure
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, wrong.cause)
    assert wrong.said in failure.message
    assert failure.remedy


def test_an_agent_image_without_the_agent_fails_the_start(stack: Stack, container_id: str) -> None:
    """The copy fails, so `main` is never started: the item tells of the init container."""
    with another_agent(stack, "init-container", None, 0):
        stack.start(container_id, injection="init-container")
        with pytest.raises(ContainerFailed) as failed:
            stack.client.wait_until_healthy(container_id, PATIENCE)
    failure = failed.value.failure
    assert failure.code is ErrorCode.TASK_FAILED_TO_START
    assert "dependency [init] (STOPPED->RUNNING) - Exit: 1 for target [main]" in failure.message


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_agent_of_another_architecture_exits_with_1(stack: Stack, container_id: str, strategy: str) -> None:
    """The kernel refuses it after the container has started, so ECS tells of an exit; only the log says why.

    AWS Knowledge Center, "exec format error": stopped reason "Essential container in task exited", exit code 1.
    """
    with another_agent(stack, strategy, foreign_program(), 0o755):
        task = stack.start(container_id, injection=strategy)["task_arn"]
        with pytest.raises(ContainerExited) as exited:
            stack.client.wait_until_healthy(container_id, PATIENCE)
    assert exited.value.exit_code == 1
    log = stack.cloud.layout.fargate / "logs" / task.rpartition("/")[2] / "main.log"
    assert log.read_text() == f"exec {PATH}: exec format error\n"
