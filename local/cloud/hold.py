"""Which process runs the cloud of a directory: one at a time, known to the commands that come later.

The kernel's lock (flock(2)) decides who it is, also between two that start at the same moment; it goes with its
process, however that ends. Who has it stands in the file.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Self

from local.cloud.layout import Layout
from local.cloud.processes import CloudError, Daemon

_FORK_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.02


class AlreadyUp(CloudError):
    """A cloud of this directory runs already."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs a cloud. A keeper (`make up`) is to be stopped by others, a demo or a test is not.

    `manner` has the options that it was started with, by name.
    """

    process: Daemon
    keeper: bool
    manner: Mapping[str, object] = field(default_factory=dict)


class Hold:
    """The right to run the cloud of a directory, until `release`."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, layout: Layout, *, keeper: bool = False, manner: Mapping[str, object] | None = None) -> Self:
        """Raises `AlreadyUp` when another process has it, `CloudError` when the directory cannot be written.

        Waits for a moment: a process that ended while it started another one has left it the lock until that one
        executes its program (fork(2), flock(2)).
        """
        make_directory(layout)
        file = layout.hold.open("a+")  # not "w": the file is the holder's until the lock is ours
        deadline = time.monotonic() + _FORK_SECONDS
        while not _locked(file):
            if holder(layout) is not None or time.monotonic() > deadline:
                file.close()
                raise already_up(layout)
            time.sleep(_LOOK_SECONDS)
        own = Daemon.this("keeper", layout.logs / "keeper.log")
        file.truncate(0)
        note = {"keeper": keeper, "pid": own.pid, "started": own.started, "log": str(own.log), "manner": manner or {}}
        json.dump(note, file)
        file.flush()
        return cls(file)

    def release(self) -> None:
        """Idempotent."""
        if not self._file.closed:
            self._file.truncate(0)
            self._file.close()


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_directory(layout: Layout) -> None:
    """The directory of a cloud, unless it is there. Raises `CloudError` when it cannot be made or written."""
    try:
        layout.directory.mkdir(parents=True, exist_ok=True)
        if not os.access(layout.directory, os.W_OK):
            raise PermissionError("it is not yours, or read-only")
    except OSError as error:
        raise CloudError(
            f"{layout.directory} cannot be written: {error.strerror or error}. "
            "What to do: correct that, or give another --directory."
        ) from error


def holder(layout: Layout) -> Holder | None:
    """Who runs the cloud of this directory now, if anybody does."""
    try:
        note = json.loads(layout.hold.read_text())
    except (FileNotFoundError, ValueError):  # empty, or about to be written
        return None
    process = Daemon("keeper", note["pid"], note["started"], Path(note["log"]))
    return Holder(process, note["keeper"], note.get("manner", {})) if process.alive() else None


def already_up(layout: Layout) -> AlreadyUp:
    """Who has the directory, in words."""
    found = holder(layout)
    if found is None or found.keeper:
        return AlreadyUp(f"The local cloud of {layout.directory} runs already. What to do: make down")
    return AlreadyUp(
        f"Process {found.process.pid}, a demo, a test or sam-local, uses {layout.directory}. "
        "What to do: wait for it or end it, or give another --directory."
    )
