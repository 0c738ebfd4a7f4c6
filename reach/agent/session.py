"""A session with an agent: a command in the container, or its main process. Bytes go both ways at the same time.

Nothing is collected: the next piece of input is taken when the connection has room for it, and the next piece of
output is read when the last one was taken, so that a slow side slows the other one down as a pipe does.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reach.agent.connection import CONNECT_SECONDS, Connection, connected
from reach.agent.errors import AgentGone, NotAnAgent, SessionRejected

CHUNK: Final = 32 * 1024
"""The most bytes in a message of input, before base64."""
END_OF_FILE: Final = b"\x04"
_NO_SUCH_SESSION: Final = "no such session"


class Stream(StrEnum):
    """Where output was written; also the type of the message that carries it."""

    STDOUT = "stdout"
    STDERR = "stderr"


Take = Callable[[Stream, bytes], Awaitable[object]]
"""Takes output; the next is read when it returns."""


@dataclass(frozen=True, slots=True)
class Exec:
    """Run `cmd`, with `env` (`K=V` texts) on top of the agent's; with `tty` on a terminal, whose output is stdout."""

    cmd: tuple[str, ...]
    env: tuple[str, ...] = ()
    workdir: str | None = None
    tty: bool = False


@dataclass(frozen=True, slots=True)
class Attach:
    """Join the streams of the main process."""


@asynccontextmanager
async def opened(
    address: str, token: str, request: Exec | Attach, *, connect_seconds: float = CONNECT_SECONDS
) -> AsyncIterator[Session]:
    """A session on a connection that ends with it: the agent then kills the command; the main process goes on.

    `address` is the item's `agent_address` (`10.0.1.47:9111`), `token` its `agent_token`. Raises `AgentError`.
    """
    async with connected(address, token, connect_seconds) as connection:
        session = Session(connection, request)
        await session.begin()
        yield session


class Session:
    """To be made by `opened`. Each method raises `AgentGone` when the connection has ended."""

    def __init__(self, connection: Connection, request: Exec | Attach) -> None:
        self._connection = connection
        self._request = request
        # Random, because an agent may keep one table for all connections (agent-protocol.md 3).
        self._id = secrets.token_hex(16)

    async def begin(self) -> None:
        """Sends the request. A refusal comes with the output."""
        match self._request:
            case Exec(cmd, env, workdir, tty):
                where = {} if workdir is None else {"workdir": workdir}
                await self._say("exec", cmd=cmd, env=env, tty=tty, **where)
            case Attach():
                await self._say("attach")

    async def write(self, data: bytes) -> None:
        """Input; returns when there is room for the next."""
        for start in range(0, len(data), CHUNK):
            piece = base64.b64encode(data[start : start + CHUNK]).decode("ascii")
            await self._say("stdin", data=piece)

    async def end_input(self) -> None:
        """Ends the input. On a terminal that is a character, since closing it hangs up (agent-protocol.md 5)."""
        if isinstance(self._request, Exec) and self._request.tty:
            await self.write(END_OF_FILE)
        else:
            await self._say("close_stdin")

    async def signal(self, name: str) -> None:
        """`SIGTERM` and the like, to the process itself."""
        await self._say("signal", signal=name)

    async def resize(self, columns: int, lines: int) -> None:
        """The size of its terminal, in characters."""
        await self._say("resize", width=columns, height=lines)

    async def read(self, take: Take) -> int:
        """Hands all output over, up to the end; then the exit code, -1 where the agent says no more than "killed".

        Raises `SessionRejected`, `NotAnAgent`.
        """
        while True:
            match await self._connection.receive():
                case {"type": "exit", "code": int(code)}:
                    return code
                # To what was sent when the process had just ended: the exit code has come, or comes.
                case {"type": "error", "message": str(text)} if text != _NO_SUCH_SESSION:
                    raise SessionRejected(_refusal(self._connection.address, self._request, text))
                case {"type": Stream.STDOUT | Stream.STDERR as stream, "data": str(data)}:
                    await take(Stream(stream), self._decoded(data))

    async def converse(self, take: Take, *companions: Coroutine[Any, Any, None]) -> int:
        """As `read`, while the companions run, which write: all at once, since a command may answer before it has read.

        They end with the session. What one of them raises ends it.
        """
        reading = asyncio.create_task(self.read(take))
        pending: set[asyncio.Task[Any]] = {reading, *map(asyncio.create_task, companions)}
        tasks = tuple(pending)
        try:
            while reading in pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for one in () if reading in done else done:
                    # A lost connection is the reader's to say, who may still have the last messages to read.
                    if not isinstance(one.exception(), AgentGone):
                        one.result()
            return reading.result()
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def send(self, source: AsyncIterable[bytes], *, end: bool) -> None:
        """Input from a source, which is asked for the next piece when there is room for it; `end`: then its end."""
        async for data in source:
            await self.write(data)
        if end:
            await self.end_input()

    def _decoded(self, data: str) -> bytes:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as exc:
            raise NotAnAgent(self._connection.address, "output that is not base64") from exc

    async def _say(self, type_: str, **members: Any) -> None:
        await self._connection.send({"type": type_, "id": self._id, **members})


def _refusal(address: str, request: Exec | Attach, text: str) -> str:
    what = f"The agent at {address} answered: {text}."
    match request:
        case Exec(tty=True):
            return (
                f"{what} Check that the program is in the image. Where the agent has no terminals, as Sockerless's "
                "before 2026-06, run the command without one."
            )
        case Exec():
            return f"{what} Check that the program and the directory are in the image."
        case Attach():
            return f"{what} A container whose agent runs no command is entered by exec."
