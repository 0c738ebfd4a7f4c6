"""A program on a pseudo-terminal, and the person who types: every wait is for output, and has an end."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

PATIENCE: Final = 30.0
"""Seconds after which a test has failed; nothing takes that long."""
_ON_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal the controlling one, for signals, in place of what may not run after a fork."""


class Terminal:
    """To be made by `on_terminal`."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.shown = b""
        """All output so far."""
        self._master: int | None = master
        self._seen = 0

    def type(self, keys: bytes) -> None:
        """As the keyboard sends them."""
        assert self._master is not None
        os.write(self._master, keys)

    def until(self, pattern: bytes) -> re.Match[bytes]:
        """Waits until the output, after what an earlier call has found, has this."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.compile(pattern, re.DOTALL).search(self.shown, self._seen)):
            assert self._more(deadline), f"never shown: {pattern!r}. All output: {self.shown!r}"
        self._seen = found.end()
        return found

    def resize(self, columns: int, lines: int) -> None:
        """The window gets another size; the kernel sends SIGWINCH."""
        assert self._master is not None
        termios.tcsetwinsize(self._master, (lines, columns))

    def modes(self) -> list[Any]:
        """The attributes of the terminal."""
        assert self._master is not None
        return termios.tcgetattr(self._master)

    def close(self) -> None:
        """The window is closed; the kernel sends SIGHUP."""
        assert self._master is not None
        os.close(self._master)
        self._master = None

    def end(self) -> int:
        """Waits for the program to end; its exit code, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self._master is not None and self._more(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _more(self, deadline: float) -> bool:
        """Reads what is shown next; False at the end."""
        assert self._master is not None
        ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
        assert ready, f"nothing was shown for {PATIENCE:g} s. All output: {self.shown!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False  # EIO: no program has the terminal open
        self.shown += data
        return bool(data)


@contextlib.contextmanager
def on_terminal(
    command: Sequence[str], env: Mapping[str, str], *, columns: int = 80, lines: int = 24, **streams: Any
) -> Iterator[Terminal]:
    """Starts a program as the leader of a session; `streams` are those of `Popen` that are not the terminal."""
    master, slave = os.openpty()
    termios.tcsetwinsize(master, (lines, columns))
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *command],
            env=env,
            start_new_session=True,
            **{"stdin": slave, "stdout": slave, "stderr": slave, **streams},
        )
    finally:
        os.close(slave)
    terminal = Terminal(master, process)
    try:
        yield terminal
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        if terminal._master is not None:
            terminal.close()
