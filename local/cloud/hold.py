"""Which process runs the cloud of a directory: one at a time, known to the commands that come later.

The kernel's lock (flock(2)) decides who it is, also between two that start at the same moment; it goes with its
process, however that ends. Who has it stands in the file.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from local.cloud.layout import Layout
from local.cloud.processes import CloudError, Daemon


class AlreadyUp(CloudError):
    """A cloud of this directory runs already."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs a cloud. A keeper (`make up`) is to be stopped by others, a demo or a test is not."""

    process: Daemon
    keeper: bool


class Hold:
    """The right to run the cloud of a directory, until `release`."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, layout: Layout, *, keeper: bool = False) -> Self:
        """Raises `AlreadyUp` when another process has it."""
        layout.directory.mkdir(parents=True, exist_ok=True)
        file = layout.hold.open("a+")  # not "w": the file is the holder's until the lock is ours
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise already_up(layout) from error
        own = Daemon.this("keeper", layout.logs / "keeper.log")
        file.truncate(0)
        json.dump({"keeper": keeper, "pid": own.pid, "started": own.started, "log": str(own.log)}, file)
        file.flush()
        return cls(file)

    def release(self) -> None:
        """Idempotent."""
        if not self._file.closed:
            self._file.truncate(0)
            self._file.close()


def holder(layout: Layout) -> Holder | None:
    """Who runs the cloud of this directory now, if anybody does."""
    try:
        note = json.loads(layout.hold.read_text())
    except (FileNotFoundError, ValueError):  # empty, or about to be written
        return None
    process = Daemon("keeper", note["pid"], note["started"], Path(note["log"]))
    return Holder(process, note["keeper"]) if process.alive() else None


def already_up(layout: Layout) -> AlreadyUp:
    """Who has the directory, in words."""
    found = holder(layout)
    if found is None or found.keeper:
        return AlreadyUp(f"The local cloud of {layout.directory} runs already. What to do: make down")
    return AlreadyUp(
        f"Process {found.process.pid}, a demo or a test, uses {layout.directory}. "
        "What to do: wait for it or end it, or give another --directory."
    )
