"""Who appears in the demo, what is done to each, and how each has been announced to end. Pure data."""

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
STOP_REASON: Final = "the demo is over"


@dataclass(frozen=True, slots=True)
class Part:
    """One container: its request, the fault it meets, and the state it is announced to reach.

    `proves` says what else must be true of its record then; it returns what is wrong, or None.
    """

    name: str
    story: str
    request: dict[str, Any]
    announced: State
    fault: str | None = None
    fault_parameters: dict[str, Any] = field(default_factory=dict)
    proves: Callable[[Record], str | None] = lambda _: None
    encore: bool = False
    """Starts when all the others are where they belong: by then the functions are warm."""

    @property
    def container_id(self) -> str:
        """64 hex characters, the same in every run."""
        return hashlib.sha256(f"demo {self.name}".encode()).hexdigest()

    @property
    def document(self) -> dict[str, Any]:
        """The start request."""
        return {"container_id": self.container_id, "image": IMAGE, **self.request}


def _address_is_known(record: Record) -> str | None:
    return None if record.agent_address and record.agent_token else "there is no address or no token"


def _exited_with(code: int) -> Callable[[Record], str | None]:
    def check(record: Record) -> str | None:
        actual = record.stop.exit_code if record.stop else None
        return None if actual == code else f"exit code {actual} instead of {code}"

    return check


def _failed_for(code: ErrorCode, cause: Cause | None, *said: str) -> Callable[[Record], str | None]:
    def check(record: Record) -> str | None:
        error = record.error
        if error is None or (error.code, error.cause) != (code, cause):
            return f"the error is {error and (error.code, error.cause)}, not {(code, cause)}"
        missing = [text for text in said if text not in f"{error.message} {error.remedy}"]
        return f"the error does not say {missing}" if missing else None

    return check


_TWO: Final = 2


def _launched_twice(record: Record) -> str | None:
    tasks = {launch.task_arn for launch in record.launches} | {record.task_arn}
    return _address_is_known(record) or (None if len(tasks) == _TWO else f"{len(tasks)} tasks were started, not 2")


CAST: Final = (
    Part(
        "efs",
        "agent from an EFS access point",
        {"cmd": list(SERVER)},
        State.AGENT_HEALTHY,
        proves=_address_is_known,
    ),
    Part(
        "init-container",
        "agent copied by an init container",
        {"cmd": list(SERVER), "injection": "init-container"},
        State.AGENT_HEALTHY,
        proves=_address_is_known,
    ),
    Part(
        "image",
        "agent baked into the image",
        {"cmd": list(SERVER), "injection": "image", "image": IMAGE_WITH_AGENT},
        State.AGENT_HEALTHY,
        proves=_address_is_known,
    ),
    Part(
        "keep-alive",
        "tail -f /dev/null: nothing runs but the agent",
        {"entrypoint": ["tail"], "cmd": ["-f", "/dev/null"]},
        State.AGENT_HEALTHY,
        proves=_address_is_known,
    ),
    Part(
        "second-try",
        "its first task never gets a network interface",
        {"cmd": list(SERVER)},
        State.AGENT_HEALTHY,
        fault="eni-provisioning",
        fault_parameters={"times": 1},
        proves=_launched_twice,
    ),
    Part(
        "job",
        "runs for a moment and exits with 7",
        {"cmd": ["sh", "-c", "sleep 1; exit 7"]},
        State.STOPPED,
        proves=_exited_with(7),
    ),
    Part(
        "no-agent",
        "the agent binary is not on the volume",
        {"cmd": list(SERVER)},
        State.FAILED,
        fault="agent-missing",
        proves=_failed_for(
            ErrorCode.TASK_FAILED_TO_START,
            Cause.AGENT_BINARY_MISSING,
            "TaskFailedToStart",
            "/sockerless-agent/sockerless-agent",
            "no such file or directory",
        ),
    ),
    Part(
        "blocked",
        "nothing can reach the agent's port",
        {"cmd": list(SERVER)},
        State.FAILED,
        fault="port-blocked",
        proves=_failed_for(ErrorCode.AGENT_UNREACHABLE, None, ":9111", " s. ", "timed out", "security group"),
    ),
    Part(
        "one-more",
        "started last, with all functions warm",
        {"cmd": list(SERVER)},
        State.AGENT_HEALTHY,
        proves=_address_is_known,
        encore=True,
    ),
)
