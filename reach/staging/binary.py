"""The agent's binary as a file of this machine, checked before it goes anywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.launch.request import Platform
from reach import Refused
from reach.staging.elf import fault_of
from reach.staging.faults import failed


@dataclass(frozen=True, slots=True)
class Binary:
    """`size` is in bytes."""

    path: Path
    size: int
    sha256: str


def read_binary(path: Path, platform: Platform | None) -> Binary:
    """The file, which can be the agent of tasks of this platform; without a platform any file will do.

    Raises `Refused` for what is no readable file, and `StagingFailed`.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            fault = None if platform is None else fault_of(file, size, platform)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}. What to do: --file names the agent's binary.") from error
    if fault is not None:
        raise failed(str(path), fault)
    return Binary(path, size, sha256)
