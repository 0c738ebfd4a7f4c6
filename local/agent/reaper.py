"""Waiting for child processes on the event loop.

asyncio's child watchers either start a thread per process or ignore orphans. As PID 1 of a container the
agent inherits every orphan, and one that is never waited for stays a zombie as long as the container lives.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess


class Reaper:
    """Collects the exit status of ended children, and as PID 1 (`adopts`) of orphans.

    It must be made on the running event loop of the main thread, before the first process.
    """

    def __init__(self, *, adopts: bool) -> None:
        self._adopts = adopts
        self._children: dict[int, tuple[subprocess.Popen[bytes], asyncio.Future[int]]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def register(self, popen: subprocess.Popen[bytes]) -> asyncio.Future[int]:
        """The future return code, negative for a signal as in `Popen.returncode`.

        To be called before the loop runs again after the start: then no exit can be missed.
        """
        ended = self._loop.create_future()
        self._children[popen.pid] = (popen, ended)
        return ended

    def _reap(self) -> None:
        # One SIGCHLD may stand for several ends.
        if not self._adopts:
            for pid in tuple(self._children):
                self._collect(pid)
            return
        while self._collect(-1):
            pass

    def _collect(self, target: int) -> bool:
        try:
            pid, status = os.waitpid(target, os.WNOHANG)
        except ChildProcessError:
            return False  # there is no child at all
        if pid in self._children:
            popen, ended = self._children.pop(pid)
            # Popen would otherwise wait for the process again when it is deleted.
            popen.returncode = os.waitstatus_to_exitcode(status)
            ended.set_result(popen.returncode)
        return pid != 0
