"""What keeps an agent from being staged, and what to do. The numbers are the exit codes of `stage.sh`."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from core.model.errors import ReachError


class StagingFailed(ReachError):
    """The agent is not staged: the binary is no agent for these tasks, or the task that stages it failed."""


class Fault(IntEnum):
    """Of a binary, of a version, or of the image in which `stage.sh` runs."""

    NOTHING_COPIED = 40
    NOT_ELF = 41
    OTHER_MACHINE = 42
    NO_PROGRAM = 43
    DYNAMIC = 44
    CUT_OFF = 45
    ANOTHER_BINARY = 46
    NO_SUCH_VERSION = 47
    COPY_DIFFERS = 48
    NO_TOOL = 49


_STATIC: Final = "link it statically (in Go: CGO_ENABLED=0), or give --unchecked where every image has what it needs."
_TEXTS: Final = {
    Fault.NOTHING_COPIED: (
        "the copy command has written no file sockerless-agent to /sockerless-agent-volume",
        "correct AgentCopyCommand, or give --copy-command.",
    ),
    Fault.NOT_ELF: (
        "it is no 64-bit ELF executable",
        "give the agent's binary itself, no archive and no script; or --unchecked.",
    ),
    Fault.OTHER_MACHINE: (
        "it is for another processor than the tasks",
        "give the binary for this one, or --architecture.",
    ),
    Fault.NO_PROGRAM: ("it is an ELF file, and no program: a library or an object file", "give the agent's binary."),
    Fault.DYNAMIC: ("it is linked dynamically, so it needs a loader that not every image has", _STATIC),
    Fault.CUT_OFF: ("it is shorter than its own header says: it was cut off", "download or build it again."),
    Fault.ANOTHER_BINARY: (
        "a version of this name is staged already, with another binary, which containers may be running",
        "give another --version, or none: then it is named after its SHA-256.",
    ),
    Fault.NO_SUCH_VERSION: ("no version of this name is staged", "reach stage-agent --list"),
    Fault.COPY_DIFFERS: ("what was read back differs from what was written", "repeat the command."),
    Fault.NO_TOOL: (
        "its image lacks sh, or one of the usual commands (cp, ln, mv, od, sha256sum, stat)",
        "give an image that has them: --tools-image IMAGE, for instance one with busybox.",
    ),
}


def failed(subject: str, fault: Fault) -> StagingFailed:
    """The error: what happened, and what to do."""
    what, remedy = _TEXTS[fault]
    return StagingFailed(f"{subject}: {what}.\nWhat to do: {remedy}")
