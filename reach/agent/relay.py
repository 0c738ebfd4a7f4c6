"""A session of a person or a script: this process's streams, terminal and signals are the session's.

Where the command has a terminal and reads this one, this one is raw: Ctrl-C and the rest are bytes, and the other
terminal makes signals of them. Else signals are messages. Both have a way out of a session that hangs: the detach keys,
or a second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Final

from reach import Refused
from reach.agent import descriptors, detach_keys, terminal
from reach.agent.errors import AgentGone
from reach.agent.session import Attach, Exec, Session, Take, opened
from reach.agent.signal_queue import ENDING, caught

_HINT_SECONDS: Final = 1.0
_INSISTENT: Final = frozenset({signal.SIGINT, signal.SIGTERM})
_ENOUGH: Final = 2

Arrived = asyncio.Queue[signal.Signals]


class Left(Exception):
    """The session was left before its end, by signal `number`."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class Local:
    """This side of a session."""

    take: Take
    stdin: int | None
    """The descriptor to send; None: a command reads an empty input, and that of the main process stays as it is."""
    terminal: int | None
    """The descriptor of the terminal that this process reads, where it reads one."""
    keys: bytes
    """Those to leave with, where a terminal is sent; none where empty."""
    passes_signals: bool
    """Signals go to the process; else the first one leaves the session. On a raw terminal that is so in any case."""
    hint: Callable[[], object]
    """Called when the process has got Ctrl-C, and still runs."""


def run(address: str, token: str, request: Exec | Attach, local: Local) -> int:
    """The exit code of the session; 128 + n when signal n left it, SIGPIPE when the output is not read any more.

    Raises `AgentError`; `Detached`; `Refused` when the input cannot be read.
    """
    try:
        return asyncio.run(_relayed(address, token, request, local))
    except Left as left:
        return 128 + left.number
    except BrokenPipeError:
        return 128 + signal.SIGPIPE


async def _relayed(address: str, token: str, request: Exec | Attach, local: Local) -> int:
    on_tty = isinstance(request, Exec) and request.tty
    raw = on_tty and local.stdin is not None
    async with opened(address, token, request) as session:
        with caught(*ENDING) as arrived, caught(signal.SIGWINCH) as resized, _modes(local, raw=raw):
            passing = _Passing(session, local.hint, passes=local.passes_signals and not raw)
            companions = [passing.run(arrived)]
            if local.stdin is not None:
                source = _input(local.stdin, local.keys if local.terminal is not None else b"")
                # What a main process reads next may come from another one.
                companions.append(session.send(source, end=isinstance(request, Exec)))
            elif isinstance(request, Exec):
                companions.append(session.end_input())
            if on_tty and local.terminal is not None:
                companions.append(_follow_size(session, local.terminal, resized))
            code = await session.converse(local.take, *companions)
    return 128 + passing.last if code < 0 and passing.last else code


class _Passing:
    """Signals of this process, passed on. `last` is the one that the process got last."""

    def __init__(self, session: Session, hint: Callable[[], object], *, passes: bool) -> None:
        self._session = session
        self._hint = hint
        self._passes = passes
        self.last: signal.Signals | None = None

    async def run(self, arrived: Arrived) -> None:
        """Raises `Left` at the second SIGINT or SIGTERM, or at any signal when none is passed."""
        insisted = 0
        later: asyncio.TimerHandle | None = None
        try:
            while True:
                number = await arrived.get()
                insisted += number in _INSISTENT
                if not self._passes or insisted == _ENOUGH:
                    raise Left(number)
                self.last = number
                with suppress(AgentGone):  # there may be output to read, and to leave
                    await self._session.signal(number.name)
                if number is signal.SIGINT:
                    later = asyncio.get_running_loop().call_later(_HINT_SECONDS, self._hint)
        finally:
            if later is not None:
                later.cancel()


def _modes(local: Local, *, raw: bool) -> AbstractContextManager[object]:
    if local.stdin is None or local.terminal is None:
        return nullcontext()
    if raw:
        return terminal.raw(local.terminal)
    return terminal.by_line(local.terminal, local.keys[-1:]) if local.keys else nullcontext()


async def _input(fd: int, keys: bytes) -> AsyncIterator[bytes]:
    source = descriptors.read(fd)
    try:
        async for data in detach_keys.watched(source, keys) if keys else source:
            yield data
    except OSError as error:
        raise Refused(
            f"Standard input cannot be read: {error.strerror}. What to do: give a file, a pipe or a terminal, or leave "
            "--stdin out."
        ) from error


async def _follow_size(session: Session, fd: int, resized: Arrived) -> None:
    while True:
        if (found := terminal.size(fd)) is not None:
            await session.resize(*found)
        await resized.get()
