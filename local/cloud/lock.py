"""One command at a time works on the cloud of a directory.

The kernel's lock (flock(2)) decides which, also between two that start at the same moment; it goes with its process,
however that ends. The file names the process for the others' messages.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import psutil

from local.cloud.layout import Layout
from local.cloud.processes import CloudError, running

_STOP_SECONDS = 60.0
"""For an `up` that was interrupted: more than its processes get, one after the other."""
_NOTE_SECONDS = 2.0
"""For whoever has the lock to write who it is."""
_POLL_SECONDS = 0.02


class AlreadyUp(CloudError):
    """Another command works on this directory, or `up` left a cloud running in it."""


@contextmanager
def locked(layout: Layout, command: str, *, wait_for: str | None = None) -> Iterator[None]:
    """Inside, no other command works on this directory.

    A lock that a command named `wait_for` has is waited for. Raises `AlreadyUp` when another command has it,
    `CloudError` when the directory cannot be written.
    """
    _make_directory(layout)
    with layout.lock.open("a+") as file:  # not "w": until the lock is ours, the content is its owner's
        if not _acquire(file):
            pid, owner = _named_owner(file)
            if owner != wait_for:
                raise AlreadyUp(
                    f"Process {pid} ({owner}) uses {layout.directory}. "
                    "What to do: wait for it or end it, or give another --directory."
                )
            print(f"Process {pid} (`{owner}`) is at work on {layout.directory}; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        json.dump({"pid": os.getpid(), "command": command}, file)
        file.flush()
        yield
        file.truncate(0)


def interrupt(layout: Layout, command: str) -> bool:
    """Ends the command of this name that has the lock; False when there is none."""
    with layout.lock.open("a+") as file:
        if _acquire(file):
            return False
        pid, owner = _named_owner(file)
    if owner != command:
        return False
    process = psutil.Process(pid)
    process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while running(process) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return True


def _make_directory(layout: Layout) -> None:
    try:
        layout.directory.mkdir(parents=True, exist_ok=True)
        if not os.access(layout.directory, os.W_OK):
            raise PermissionError("it is not yours, or read-only")
    except OSError as error:
        raise CloudError(
            f"{layout.directory} cannot be written: {error.strerror or error}. "
            "What to do: correct that, or give another --directory."
        ) from error


def _acquire(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named_owner(file: IO[str]) -> tuple[int, str]:
    """As `_owner`; one that has just got the lock is given a moment to write its note."""
    deadline = time.monotonic() + _NOTE_SECONDS
    while not (owner := _owner(file))[0] and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return owner


def _owner(file: IO[str]) -> tuple[int, str]:
    file.seek(0)
    note = json.loads(file.read() or "{}")
    return note.get("pid", 0), note.get("command", "another command")
