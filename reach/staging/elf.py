"""Whether a file is an executable that Fargate can run in any image: its ELF header and segments (elf(5)).

`stage.sh` finds the same faults with `od`, where this cannot run: in the task that stages on EFS.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final, NamedTuple

from core.launch.request import Platform
from reach.staging.faults import Fault

MACHINES: Final = {Platform.X86_64: 62, Platform.ARM64: 183}
"""ELF's `e_machine`: EM_X86_64 and EM_AARCH64."""

_IDENT: Final = b"\x7fELF\x02\x01"
"""64 bits, little endian, as both platforms are."""
_HEADER: Final = struct.Struct("<16xHHIQQQIHHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_EXECUTABLES: Final = (2, 3)
"""`e_type`: ET_EXEC, and ET_DYN, which is a position-independent executable or a shared library."""
_INTERPRETER: Final = 3
"""`p_type`: PT_INTERP, the dynamic loader that the kernel starts in place of the program."""
MOST_SEGMENTS: Final = 64
"""Linkers write about ten. More is no program."""


class _Header(NamedTuple):
    kind: int
    machine: int
    version: int
    entry: int
    segments_at: int
    sections_at: int
    flags: int
    header_size: int
    segment_size: int
    segments: int


def fault_of(file: BinaryIO, size: int, platform: Platform) -> Fault | None:
    """Why this file of `size` bytes cannot be the agent of tasks of this platform; None if it can.

    A shared library has no entry point. A file that is shorter than its segments was cut off on its way.
    """
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_IDENT):
        return Fault.NOT_ELF
    header = _Header(*_HEADER.unpack(head))
    if header.machine != MACHINES[platform]:
        return Fault.OTHER_MACHINE
    if header.kind not in _EXECUTABLES or not header.entry or not 0 < header.segments <= MOST_SEGMENTS:
        return Fault.NO_PROGRAM
    faults = (_fault_of_segment(file, size, header, number) for number in range(header.segments))
    return next(filter(None, faults), None)


def _fault_of_segment(file: BinaryIO, size: int, header: _Header, number: int) -> Fault | None:
    file.seek(min(header.segments_at + number * header.segment_size, size))
    segment = file.read(_SEGMENT.size)
    if len(segment) < _SEGMENT.size:
        return Fault.CUT_OFF
    kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack(segment)
    if kind == _INTERPRETER:
        return Fault.DYNAMIC
    return Fault.CUT_OFF if offset + length > size else None
