"""One running command: its streams, its signals, its end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shlex
import signal
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from subprocess import PIPE, Popen
from typing import IO, Final, cast

from local.agent.protocol import Stream
from local.agent.reaper import Reaper
from local.agent.streams import chunks, write

Deliver = Callable[[Stream, bytes], Awaitable[None]]
"""Takes output; the next is read when it returns."""

_Outputs = Mapping[Stream, IO[bytes]]
_Started = tuple[Popen[bytes], IO[bytes], _Outputs]
"""The process, its standard input, its outputs."""

_END_OF_FILE: Final = b"\x04"  # VEOF: a terminal has no end to close
_QUEUED_WRITES: Final = 64


class CannotRun(Exception):
    """The command could not be started. `code` is a shell's: 127 not found, 126 not executable."""

    def __init__(self, command: Sequence[str], why: Exception) -> None:
        reason = why.strerror if isinstance(why, OSError) else str(why)
        where = f": {why.filename}" if isinstance(why, OSError) and why.filename else ""
        super().__init__(f"cannot run {shlex.join(command)}: {reason}{where}")
        self.code = 127 if isinstance(why, FileNotFoundError) else 126


class Process:
    """A process that leads a session and a process group. To be started on the reaper's event loop."""

    def __init__(self, pid: int, ended: asyncio.Future[int], stdin: IO[bytes], outputs: _Outputs, *, tty: bool) -> None:
        self.pid = pid
        self.ended = ended
        """The return code, negative for a signal. Await it through `asyncio.shield`."""
        self._stdin = stdin
        self._outputs = outputs
        self._tty = tty
        self._input: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUED_WRITES)
        self._input_closed = False
        for file in (stdin, *outputs.values()):
            os.set_blocking(file.fileno(), False)
        self._feeder = asyncio.create_task(self._feed())

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        reaper: Reaper,
        workdir: str | None = None,
        tty: bool = False,
    ) -> Process:
        """Starts `command`, found in the PATH of `env`. Raises `CannotRun`."""
        launch = _on_terminal if tty else _on_pipes
        try:
            popen, stdin, outputs = launch(command, env, workdir)
        except (OSError, ValueError) as exc:  # ValueError: a NUL in an argument
            raise CannotRun(command, exc) from exc
        return cls(popen.pid, reaper.register(popen), stdin, outputs, tty=tty)

    async def relay(self, deliver: Deliver) -> int:
        """Delivers the output until the process has ended; its return code. To be called once.

        Descriptors are closed at the end, also when `deliver` raises.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for stream, file in self._outputs.items():
                    group.create_task(self._pump(stream, file.fileno(), deliver))
            return await asyncio.shield(self.ended)
        finally:
            await self._stop_feeding()
            for file in (self._stdin, *self._outputs.values()):
                file.close()

    async def feed(self, data: bytes) -> bool:
        """Writes to the standard input, after what was fed before; False when `close_stdin` has ended it.

        Waits while the process is many messages behind. Dropped when the process has ended: the client cannot know yet.
        """
        if self._input_closed:
            return False
        if not self._feeder.done():
            await self._input.put(data)
        return True

    async def close_stdin(self) -> None:
        """Ends the standard input, after what was fed before."""
        if not self._input_closed:
            self._input_closed = True
            await self._input.put(None)

    def signal(self, number: int) -> None:
        if not self.ended.done():  # until it is reaped, no other process has its id
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills the process and what it left in its process group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # all of them have ended already

    def resize(self, width: int, height: int) -> None:
        """Sets the terminal's size in characters; nothing to do without a terminal or after the end."""
        if self._tty and not self._stdin.closed:
            termios.tcsetwinsize(self._stdin.fileno(), (height, width))

    async def _stop_feeding(self) -> None:
        self._feeder.cancel()
        await asyncio.wait([self._feeder])  # it may still wait for a descriptor that is about to be closed
        while not self._input.empty():  # a feed that waits for room returns
            self._input.get_nowait()

    async def _pump(self, stream: Stream, fd: int, deliver: Deliver) -> None:
        async for data in chunks(fd, self.ended):
            await deliver(stream, data)

    async def _feed(self) -> None:
        reads = True
        while (data := await self._input.get()) is not None:
            if reads:
                reads = await self._write(data)
        if self._tty:
            await self._write(_END_OF_FILE)
        else:
            self._stdin.close()

    async def _write(self, data: bytes) -> bool:
        try:
            await write(self._stdin.fileno(), data)
        except OSError:
            return False  # the process has closed its input or ended: the rest is dropped, as by a shell's pipe
        return True


def _on_pipes(command: Sequence[str], env: Mapping[str, str], workdir: str | None) -> _Started:
    popen = Popen(
        command, bufsize=0, cwd=workdir, env=env, start_new_session=True, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    stdin, stdout, stderr = (cast("IO[bytes]", file) for file in (popen.stdin, popen.stdout, popen.stderr))
    return popen, stdin, {Stream.STDOUT: stdout, Stream.STDERR: stderr}


def _on_terminal(command: Sequence[str], env: Mapping[str, str], workdir: str | None) -> _Started:
    """As `_on_pipes`, on a new terminal of 80 x 24 that carries both outputs as stdout. TERM is xterm if unset."""
    master_fd, terminal = os.openpty()
    master = os.fdopen(master_fd, "r+b", buffering=0)
    try:
        termios.tcsetwinsize(master_fd, (24, 80))
        popen = Popen(
            command,
            cwd=workdir,
            env={"TERM": "xterm", **env},
            start_new_session=True,
            # Makes it the controlling terminal, for ^C and job control. Safe, because the agent has no threads.
            preexec_fn=partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
    except BaseException:
        master.close()
        raise
    finally:
        os.close(terminal)
    return popen, master, {Stream.STDOUT: master}


def exit_code_of(returncode: int) -> int:
    """A return code as a shell and Docker report it: 128 + n for signal n."""
    return 128 - returncode if returncode < 0 else returncode
