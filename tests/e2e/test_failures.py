"""What becomes of containers that meet a fault, and what their items say about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.model.errors import ContainerFailed
from core.model.failure import Cause, ErrorCode
from core.model.state import State
from tests.e2e.stack import HEALTH_TIMEOUT, PATIENCE, Stack


@dataclass(frozen=True)
class Fault:
    """A fault that stays, the failure it must become, and words of the message and the remedy."""

    name: str
    code: ErrorCode
    cause: Cause | None
    message: tuple[str, ...]
    remedy: str
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def container_id(self) -> str:
        return hashlib.sha256(f"fault {self.name}".encode()).hexdigest()


NOT_STARTED = ErrorCode.TASK_FAILED_TO_START
UNREACHABLE = ErrorCode.AGENT_UNREACHABLE
BLOCKED = Fault(
    "port-blocked", UNREACHABLE, None, (":9111", f"within {HEALTH_TIMEOUT} s", "timed out"), "security group"
)
REFUSED = Fault("port-refused", UNREACHABLE, None, (":9111", f"within {HEALTH_TIMEOUT} s", "refused"), "agent")
FAULTS = (
    Fault(
        "agent-missing",
        NOT_STARTED,
        Cause.AGENT_BINARY_MISSING,
        ("TaskFailedToStart", "/sockerless-agent/sockerless-agent", "no such file or directory"),
        "agent",
    ),
    Fault("image-pull", NOT_STARTED, Cause.IMAGE_PULL_FAILED, ("CannotPullContainerError", "not found"), "image"),
    Fault("efs-mount", NOT_STARTED, Cause.EFS_MOUNT_FAILED, ("ResourceInitializationError",), "2049"),
    BLOCKED,
    REFUSED,
)


@pytest.fixture(scope="module", autouse=True)
def _all_started(stack: Stack) -> None:
    """All at once: most of what follows is waiting for health time-outs."""
    for fault in FAULTS:
        stack.fargate.fault(fault.container_id, fault.name)
        stack.start(fault.container_id, **fault.request)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_failure_says_what_happened_and_what_to_do(stack: Stack, fault: Fault) -> None:
    """The backend that waits gets code, cause, the facts and the remedy; the item shows no address any more."""
    with pytest.raises(ContainerFailed) as failed:
        stack.client.wait_until_healthy(fault.container_id, PATIENCE)
    failure = failed.value.failure
    assert (failure.code, failure.cause) == (fault.code, fault.cause)
    for words in fault.message:
        assert words in failure.message
    assert fault.remedy in failure.remedy
    assert failure.remedy
    shown = stack.client.inspect(fault.container_id)
    assert (shown["status"], shown["agent_address"], shown["agent_token"]) == ("dead", None, None)


@pytest.mark.parametrize("fault", [BLOCKED, REFUSED], ids=lambda fault: fault.name)
def test_an_unreachable_task_is_stopped(stack: Stack, fault: Fault) -> None:
    """Nobody will ever reach it, so it would cost money for nothing: it is stopped, with the reason."""
    record = stack.reaches(fault.container_id, State.FAILED)
    stack.reconcile()
    task = stack.task_becomes(record.task_arn, "STOPPED")
    assert task["stopped_reason"].startswith(f"{UNREACHABLE}: ")
    # What ECS says afterwards is added, and changes neither the state nor the error.
    learnt = stack.until(
        fault.container_id,
        lambda seen: seen.stop is not None and seen.stop.code == "UserInitiated",
        "the stop is noted",
    )
    assert (learnt.state, learnt.error) == (State.FAILED, record.error)


def test_no_capacity_is_an_answer(stack: Stack, container_id: str) -> None:
    """A launch that ECS refuses is refused to the caller with the reason, and recorded with the same."""
    stack.fargate.fault(container_id, "capacity")
    error = stack.start(container_id)["error"]
    assert (error["code"], error["cause"], error["transient"]) == (ErrorCode.LAUNCH_FAILED, Cause.CAPACITY, True)
    assert "Capacity is unavailable" in error["message"]
    assert error["remedy"]
    recorded = stack.client.inspect(container_id)
    assert (recorded["status"], recorded["error"]) == ("dead", error)
    assert stack.tasks(container_id) == []


def test_a_failed_container_can_be_started_again(stack: Stack, container_id: str) -> None:
    """When the fault is over, the next generation knows nothing of the failure."""
    stack.fargate.fault(f"{container_id}/1", "capacity")
    assert "error" in stack.start(container_id)
    assert stack.start(container_id)["generation"] == 2
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    assert (record.error, record.stop) == (None, None)
