"""This machine's Python as files for an image: the functions were built for it, and no registry has to be asked.

It brings the C library and the loader it was linked with, so it runs on any base image of the same architecture.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HOME: Final = "/opt/python"
"""PYTHONHOME in the image."""
LIBRARIES: Final = "/opt/python/shared"
LOADER: Final = f"{LIBRARIES}/ld.so"
PROGRAM: Final = f"{HOME}/bin/python3"

_LEFT_OUT: Final = frozenset(
    {
        "dist-packages",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "site-packages",
        "test",
        "tkinter",
        "turtledemo",
    }
)
_LEFT_OUT_MODULES: Final = re.compile(r"_tkinter|_test|xxlimited|_ctypes_test")
_DEPENDENCY: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
"""A line of ldd: `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)`, or the loader, `/lib64/ld-...so.2 (0x...)`."""


def files(packages: Path) -> Iterator[tuple[Path, str]]:
    """Each file with its path in the image: the interpreter, the standard library, and the libraries they need.

    Also the libraries of `packages`, which are put into the image by somebody else.
    """
    program = Path(os.path.realpath(sys.executable))
    yield program, PROGRAM
    modules = sorted(packages.rglob("*.so"))
    for source, target in _standard_library():
        if source.suffix == ".so":
            modules.append(source)
        yield source, target
    for library in _libraries([program, *modules]):
        yield library, LOADER if library.name.startswith("ld-") else f"{LIBRARIES}/{library.name}"


def command(*arguments: str) -> list[str]:
    """The command line that runs it in the image."""
    return [LOADER, "--library-path", LIBRARIES, PROGRAM, *arguments]


def _standard_library() -> Iterator[tuple[Path, str]]:
    version = f"python3.{sys.version_info.minor}"
    roots = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    for root in sorted(roots):
        for folder, names, found in os.walk(root):
            names[:] = sorted(name for name in names if name not in _LEFT_OUT and not name.startswith("config-"))
            inside = Path(folder).relative_to(root)
            for name in sorted(found):
                if not _LEFT_OUT_MODULES.match(name):
                    yield Path(folder, name), str(Path(HOME, sys.platlibdir, version, inside, name))


def _libraries(programs: list[Path]) -> list[Path]:
    """What the dynamic loader would load for these."""
    listed = subprocess.run(["ldd", *map(str, programs)], check=True, capture_output=True, text=True).stdout
    by_name = {Path(path).name: Path(path) for path in _DEPENDENCY.findall(listed)}
    return [by_name[name] for name in sorted(by_name)]
