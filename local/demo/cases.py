"""The containers of the demo: what each shows, the fault it meets, and the end that is expected. Pure data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from core.model.failure import Cause, ErrorCode
from core.model.record import Record
from core.model.state import State
from local.cloud.cloud import IMAGE_WITH_AGENT

IMAGE: Final = "python:3.13-slim"
SERVER: Final = ("sh", "-c", "echo serving; exec sleep 3600")

Check = Callable[[Record], str | None]
"""The fault of a record that is in the expected state, or None."""


def _has_address(record: Record) -> str | None:
    return None if record.agent_address and record.agent_token else "there is no address or no token"


def _exited_with(code: int) -> Check:
    def check(record: Record) -> str | None:
        actual = record.stop.exit_code if record.stop else None
        return None if actual == code else f"exit code {actual} instead of {code}"

    return check


def _failed_for(code: ErrorCode, cause: Cause | None, *said: str) -> Check:
    def check(record: Record) -> str | None:
        error = record.error
        if error is None or (error.code, error.cause) != (code, cause):
            return f"the error is {error and (error.code, error.cause)}, not {(code, cause)}"
        missing = [text for text in said if text not in f"{error.message} {error.remedy}"]
        return f"the error does not say {missing}" if missing else None

    return check


def _launched_twice(record: Record) -> str | None:
    expected, started = 2, len({launch.task_arn for launch in record.launches} | {record.task_arn})
    return _has_address(record) or (None if started == expected else f"{started} tasks were started, not {expected}")


@dataclass(frozen=True, slots=True)
class Case:
    """One container: what of its start request is not the demo's default, what is expected, and the fault it meets."""

    name: str
    shows: str
    request: dict[str, Any] = field(default_factory=dict)
    expected: State = State.AGENT_HEALTHY
    check: Check = _has_address
    fault: str | None = None
    fault_parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def container_id(self) -> str:
        """64 hex characters, the same in every run."""
        return hashlib.sha256(f"demo {self.name}".encode()).hexdigest()

    @property
    def document(self) -> dict[str, Any]:
        """The start request."""
        return {"container_id": self.container_id, "image": IMAGE, "cmd": list(SERVER), **self.request}


CASES: Final = (
    Case("efs", "agent from an EFS access point"),
    Case("s3-files", "agent from an S3 bucket, by S3 Files", {"injection": "s3-files"}),
    Case("init-container", "agent copied by an init container", {"injection": "init-container"}),
    Case("image", "agent baked into the image", {"injection": "image", "image": IMAGE_WITH_AGENT}),
    Case("keep-alive", "tail -f /dev/null: only the agent runs", {"entrypoint": ["tail"], "cmd": ["-f", "/dev/null"]}),
    Case(
        "second-try",
        "its first task gets no network interface",
        check=_launched_twice,
        fault="eni-provisioning",
        fault_parameters={"times": 1},
    ),
    Case(
        "job",
        "runs for a moment and exits with 7",
        {"cmd": ["sh", "-c", "sleep 1; exit 7"]},
        State.STOPPED,
        _exited_with(7),
    ),
    Case(
        "no-agent",
        "the agent binary is not on the volume",
        expected=State.FAILED,
        check=_failed_for(
            ErrorCode.TASK_FAILED_TO_START,
            Cause.AGENT_BINARY_MISSING,
            "TaskFailedToStart",
            "/sockerless-agent/sockerless-agent",
            "no such file or directory",
        ),
        fault="agent-missing",
    ),
    Case(
        "blocked",
        "the agent's port cannot be reached",
        expected=State.FAILED,
        check=_failed_for(ErrorCode.AGENT_UNREACHABLE, None, ":9111", " s. ", "timed out", "security group"),
        fault="port-blocked",
    ),
)
