"""How the agent gets into a container, is started and configured (contract.md 5; agent-protocol.md 1)."""

from dataclasses import dataclass
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


class AgentFlavor(StrEnum):
    """Which agent is injected. They differ in their arguments, and in how the end of their child shows.

    The agent of the specification exits with its child. The public Sockerless agent stays, so that only its `/health`
    shows the end (agent-protocol.md 5).
    """

    SPEC = "spec"
    SOCKERLESS = "sockerless"


@dataclass(frozen=True, slots=True)
class Child:
    """What `/health` says of the process that the agent started (agent-protocol.md 2)."""

    pid: int
    exited: bool = False
    exit_code: int | None = None


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


def starts_child(flavor: AgentFlavor, *, keep_alive: bool) -> bool:
    """Whether the agent starts the container's command. The public agent needs one, so it starts the idle one too."""
    return flavor is AgentFlavor.SOCKERLESS or not keep_alive


def agent_arguments(
    flavor: AgentFlavor, port: int, entrypoint: tuple[str, ...], cmd: tuple[str, ...], *, keep_alive: bool
) -> list[str]:
    """What follows the agent's path: the container's own command as its child, or no child at all."""
    if not starts_child(flavor, keep_alive=keep_alive):
        return ["--keep-alive", "--"]
    if flavor is AgentFlavor.SPEC:
        return ["--", *entrypoint, *cmd]
    # Without -keep-alive it starts no child. It writes a line into the container's log for each identity check.
    return ["-addr", f":{port}", "-log-level", "fatal", "-keep-alive", "--", *entrypoint, *cmd]
