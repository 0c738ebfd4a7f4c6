"""Files that are the agent and files that are not, for the parser and for `stage.sh`, which must judge alike."""

from __future__ import annotations

from typing import NamedTuple

from core.launch.request import Platform
from reach.staging.elf import MOST_SEGMENTS
from reach.staging.faults import Fault
from tests.unit.reach.staging.elf_files import AARCH64, DYNAMIC, INTERPRETER, LOAD, elf


class Case(NamedTuple):
    """A file, the platform of the tasks, and what is wrong with it."""

    name: str
    content: bytes
    fault: Fault | None = None
    platform: Platform = Platform.X86_64


_WHOLE = ((LOAD, 0, 120),)
CASES = (
    Case("static", elf()),
    Case("static, for ARM", elf(machine=AARCH64), platform=Platform.ARM64),
    Case("static and position-independent", elf(kind=3, segments=((LOAD, 0, 176), (DYNAMIC, 0, 100)))),
    Case("its data after the headers", elf(segments=((LOAD, 0, 400),)) + bytes(400)),
    Case("the most segments", elf(segments=_WHOLE * MOST_SEGMENTS)),
    Case("dynamic", elf(segments=((LOAD, 0, 176), (INTERPRETER, 64, 8))), Fault.DYNAMIC),
    Case("dynamic and position-independent", elf(kind=3, segments=((INTERPRETER, 64, 8),)), Fault.DYNAMIC),
    Case("dynamic, its loader named last", elf(segments=(*_WHOLE * 12, (INTERPRETER, 64, 8))), Fault.DYNAMIC),
    Case("another processor", elf(machine=AARCH64), Fault.OTHER_MACHINE),
    Case("another processor, for ARM", elf(), Fault.OTHER_MACHINE, Platform.ARM64),
    Case("32 bits", elf(bits=1), Fault.NOT_ELF),
    Case("big endian", elf(order=2), Fault.NOT_ELF),
    Case("empty", b"", Fault.NOT_ELF),
    Case("a script", b"#!/bin/sh\nexec /bin/agent\n", Fault.NOT_ELF),
    Case("a long script", b"#!/bin/sh\n" + b"true\n" * 100, Fault.NOT_ELF),
    Case("an archive", b"\x1f\x8b\x08" + bytes(200), Fault.NOT_ELF),
    Case("the magic number alone", b"\x7fELF\x02\x01", Fault.NOT_ELF),
    Case("half a header", elf()[:40], Fault.NOT_ELF),
    Case("an object file", elf(kind=1, entry=0), Fault.NO_PROGRAM),
    Case("a core dump", elf(kind=4, entry=0), Fault.NO_PROGRAM),
    Case("a library", elf(kind=3, entry=0), Fault.NO_PROGRAM),
    Case("no segments", elf(segments=()), Fault.NO_PROGRAM),
    Case("too many segments", elf(segments=_WHOLE * (MOST_SEGMENTS + 1)), Fault.NO_PROGRAM),
    Case("cut off in the headers of its segments", elf()[:100], Fault.CUT_OFF),
    Case("segments behind its end", elf(segments_at=4096), Fault.CUT_OFF),
    Case("segments where no file can be", elf(segments_at=(1 << 64) - 1), Fault.CUT_OFF),
    Case("cut off in its data", elf(segments=((LOAD, 0, 5000),)) + bytes(400), Fault.CUT_OFF),
    Case("a segment that begins behind its end", elf(segments=((LOAD, 1 << 62, 1),)), Fault.CUT_OFF),
    Case("a segment longer than any file", elf(segments=((LOAD, 0, (1 << 64) - 1),)), Fault.CUT_OFF),
)
