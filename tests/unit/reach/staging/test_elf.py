from __future__ import annotations

import io
import platform
from pathlib import Path

import pytest

from core.launch.request import Platform
from reach.staging.elf import fault_of
from reach.staging.faults import Fault
from tests.unit.reach.staging.cases import CASES, Case

PROGRAMS = [Path("/bin/ls"), Path("/bin/sh"), Path("/usr/bin/env")]
HERE = Platform.ARM64 if platform.machine() == "aarch64" else Platform.X86_64
OTHER = Platform.X86_64 if HERE is Platform.ARM64 else Platform.ARM64


def fault(content: bytes, wanted: Platform = Platform.X86_64) -> Fault | None:
    return fault_of(io.BytesIO(content), len(content), wanted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_keeps_a_file_from_being_the_agent(case: Case) -> None:
    """A statically linked executable of the tasks' processor is one, nothing else is; each other has its fault."""
    assert fault(case.content, case.platform) == case.fault


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_programs_of_this_machine_are_linked_dynamically(program: Path) -> None:
    """A distribution's programs need a loader; of another processor's tasks they are not the agent at all."""
    content = program.read_bytes()
    assert fault(content, HERE) is Fault.DYNAMIC
    assert fault(content, OTHER) is Fault.OTHER_MACHINE


def test_a_library_of_this_machine_is_no_program() -> None:
    """A shared library is an ELF file of the same kind as a position-independent program, without an entry point."""
    libraries = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libc.so" in line]
    if not libraries:
        pytest.skip("this Python has no libc of its own file")
    content = Path(libraries[0]).read_bytes()
    assert fault(content, HERE) in {Fault.NO_PROGRAM, Fault.DYNAMIC}  # glibc's can be executed, and names its loader


@pytest.mark.parametrize("program", PROGRAMS[:1], ids=str)
def test_a_program_that_was_cut_off_is_never_taken_for_a_whole_one(program: Path) -> None:
    """Wherever it ends."""
    content = program.read_bytes()
    for end in (0, 3, 6, 63, 64, 100, 119, 500, len(content) // 2):
        assert fault(content[:end], HERE) is not None
