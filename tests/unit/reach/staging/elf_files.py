"""ELF files made of a header and segments, as much of a program as the kernel reads before it runs one."""

from __future__ import annotations

import struct
from collections.abc import Sequence

X86_64, AARCH64 = 62, 183
LOAD, DYNAMIC, INTERPRETER = 1, 2, 3


def elf(  # one member of the header each
    *,
    machine: int = X86_64,
    kind: int = 2,
    entry: int = 0x400000,
    segments: Sequence[tuple[int, int, int]] = ((LOAD, 0, 120),),
    bits: int = 2,
    order: int = 1,
    segments_at: int = 64,
) -> bytes:
    """`segments`: (type, offset, length). The file ends behind the last header; a statically linked one by default."""
    ident = b"\x7fELF" + bytes((bits, order, 1)) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, entry, segments_at, 0, 0, 64, 56, len(segments), 0, 0, 0)
    return (
        ident
        + header
        + b"".join(struct.pack("<IIQQQQQQ", one, 5, at, 0, 0, size, size, 0) for one, at, size in segments)
    )
