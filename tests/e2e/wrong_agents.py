"""Agents that cannot be executed, staged where the strategies take theirs from."""

from __future__ import annotations

import platform
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.cloud.cloud import AGENT_IMAGE, LocalCloud
from local.cloud.staging import agent_directory
from local.fargate.state_directory import image_directory
from tests.e2e.stack import Stack

STRATEGIES: Final[dict[str, Callable[[LocalCloud], Path]]] = {
    "efs": lambda cloud: agent_directory(cloud.layout, cloud.parameters),
    "init-container": lambda cloud: image_directory(cloud.layout.fargate, AGENT_IMAGE),
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
    file = STRATEGIES[strategy](stack.cloud) / "sockerless-agent"
    kept = file.with_name("kept")
    file.rename(kept)
    try:
        if content is not None:
            file.write_bytes(content)
            file.chmod(mode)
        yield
    finally:
        kept.replace(file)
