"""How the agent gets into a container, is started and configured (contract.md 5; agent-protocol.md 1)."""

from enum import StrEnum
from typing import Final

AGENT_DIRECTORY: Final = "/sockerless-agent"
AGENT_NAME: Final = "sockerless-agent"


class Injection(StrEnum):
    """How the agent binary gets into the container (contract.md 5)."""

    EFS = "efs"
    S3_FILES = "s3-files"
    INIT_CONTAINER = "init-container"
    IMAGE = "image"


class AgentVariable(StrEnum):
    """The environment variables that belong to the agent. A caller's environment may not set them."""

    PORT = "SOCKERLESS_AGENT_PORT"
    TOKEN = "SOCKERLESS_AGENT_TOKEN"  # noqa: S105  # the variable's name, not a token
    ORIGINAL_ENTRYPOINT = "SOCKERLESS_ORIGINAL_ENTRYPOINT"
    ORIGINAL_CMD = "SOCKERLESS_ORIGINAL_CMD"
    CONTAINER_ID = "SOCKERLESS_CONTAINER_ID"
    KEEP_ALIVE = "SOCKERLESS_KEEP_ALIVE"


def agent_path(injection: Injection) -> str:
    """Where the executable is: in the mounted directory, or at its place in an image that already has it.

    A volume mounts a directory, never a single file, so the two strategies cannot share one path.
    """
    return AGENT_DIRECTORY if injection is Injection.IMAGE else f"{AGENT_DIRECTORY}/{AGENT_NAME}"


def agent_arguments(entrypoint: tuple[str, ...], cmd: tuple[str, ...], *, keep_alive: bool) -> list[str]:
    """What follows the agent's path: the container's own command as its child, or no child at all."""
    return ["--keep-alive", "--"] if keep_alive else ["--", *entrypoint, *cmd]
