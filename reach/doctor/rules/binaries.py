"""What a file is, by its first bytes (System V ABI, ELF header)."""

from __future__ import annotations

from typing import Final

from core.launch.request import Platform
from reach.staging.elf import MACHINES

_MAGIC: Final = b"\x7fELF"
_PLATFORMS: Final = {machine: platform for platform, machine in MACHINES.items()}
_LITTLE: Final = 1
_READ: Final = 20
"""Bytes up to the end of `e_machine`, which has two."""


def platform_of(head: bytes) -> Platform | str | None:
    """The platform of an ELF file; the number of a machine that Fargate does not have; None for what is no ELF file."""
    if not head.startswith(_MAGIC) or len(head) < _READ:
        return None
    machine = int.from_bytes(head[_READ - 2 : _READ], "little" if head[5] == _LITTLE else "big")
    return _PLATFORMS.get(machine, f"machine {machine:#x}")
