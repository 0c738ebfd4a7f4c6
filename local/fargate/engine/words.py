"""The engine's refusals in ECS's words.

ECS names the step that failed and passes on what containerd and runc said; Docker passes on the same sentences with
a beginning of its own. What runc says after the program has been handed to the kernel (`exec format error`, a missing
interpreter) is no refusal, neither here nor on Fargate: the container has started, prints it, and exits with 1
(AWS Knowledge Center, "How do I troubleshoot an exec format error that causes my Amazon ECS tasks to fail").
"""

from __future__ import annotations

from typing import Final

OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"
"""The reason of a container that the kernel ended for its memory."""

_RUNC: Final = "OCI runtime create failed"
_NO_TASK: Final = (
    "ResourceInitializationError: failed to create new container runtime task: failed to create shim task: "
)
_NO_CONTAINER: Final = "ResourceInitializationError: unable to create new container: "


def cannot_start(message: str) -> str:
    """Why a container that was created does not start. From runc's name on, the engine's words are Fargate's."""
    before, runc, said = message.strip().partition(_RUNC)
    return (
        f"CannotStartContainerError: {_NO_TASK}{runc}{said}"
        if runc
        else (f"CannotStartContainerError: {_NO_CONTAINER}{before}")
    )


def cannot_create(message: str) -> str:
    """Why a container cannot be created: no command, a mount that cannot be, a bad user."""
    return f"CannotCreateContainerError: {message.strip()}"
