"""The `error` member of an item and of a refusal, with its codes and causes (contract.md 3, 4 and 6)."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """`error.code`: the seven of an item, then the three refusals of a request."""

    LAUNCH_FAILED = "LaunchFailed"
    START_TIMEOUT = "StartTimeout"
    TASK_FAILED_TO_START = "TaskFailedToStart"
    TASK_STOPPED = "TaskStopped"
    ENI_NOT_FOUND = "EniNotFound"
    AGENT_UNREACHABLE = "AgentUnreachable"
    TASK_LOST = "TaskLost"

    INVALID_REQUEST = "InvalidRequest"
    ALREADY_RUNNING = "AlreadyRunning"
    NOT_FOUND = "NotFound"


class Cause(StrEnum):
    """`error.cause`: the diagnosed cause, where one is known."""

    AGENT_BINARY_MISSING = "agent-binary-missing"
    AGENT_WRONG_ARCHITECTURE = "agent-wrong-architecture"
    AGENT_NOT_EXECUTABLE = "agent-not-executable"
    EFS_MOUNT_FAILED = "efs-mount-failed"
    IMAGE_PULL_FAILED = "image-pull-failed"
    ENI_PROVISIONING = "eni-provisioning"
    CAPACITY = "capacity"
    THROTTLED = "throttled"
    PERMISSION = "permission"
    SECRETS = "secrets"
    OUT_OF_MEMORY = "out-of-memory"
    SPOT_INTERRUPTION = "spot-interruption"
    USER_STOPPED = "user-stopped"
    TASK_DEFINITION = "task-definition"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a container failed, or why a request was refused.

    `message` reads: what happened, the facts. `remedy` says what to do next.
    `transient` is true when the same request may succeed later without a change.
    """

    code: ErrorCode
    message: str
    remedy: str
    cause: Cause | None = None
    transient: bool = False

    def as_document(self) -> dict[str, str | bool | None]:
        """JSON: every member, None for a cause that is not known."""
        cause = self.cause and self.cause.value
        error = {"code": self.code.value, "cause": cause, "message": self.message, "remedy": self.remedy}
        return {**error, "transient": self.transient}
