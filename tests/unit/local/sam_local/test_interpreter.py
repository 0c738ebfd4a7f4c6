"""This machine's Python as files of an image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.sam_local import interpreter


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files where they would be in the image."""
    root = tmp_path_factory.mktemp("image")
    for source, target in interpreter.files(root):
        link = root / target.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source.resolve())
    return root


def test_it_runs_elsewhere_with_its_own_libraries(root: Path) -> None:
    """The copied interpreter imports what needs libraries of the system, and finds nothing outside of its home."""
    program = "import bz2, ctypes, hashlib, json, lzma, ssl, sqlite3, sys; print(*sys.version_info[:2], *sys.path)"
    arguments = interpreter.command("-S", "-c", program)
    done = subprocess.run(
        [argument.replace(interpreter.HOME, str(root / interpreter.HOME.lstrip("/"))) for argument in arguments],
        env={"PYTHONHOME": str(root / interpreter.HOME.lstrip("/"))},
        check=True,
        capture_output=True,
        text=True,
    )
    major, minor, *path = done.stdout.split()
    assert (int(major), int(minor)) == sys.version_info[:2]
    assert [folder for folder in path if not folder.startswith(str(root))] == []


def test_packages_of_this_machine_stay_here(root: Path) -> None:
    """Neither what is installed beside the standard library nor its tests."""
    names = {path.name for path in root.rglob("*")}
    assert names.isdisjoint({"site-packages", "dist-packages", "tkinter", "idlelib"})
    assert "ld.so" in names
