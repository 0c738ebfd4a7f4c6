"""The sessions of one connection: requests in, messages out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from local.agent import protocol
from local.agent.child import Child
from local.agent.process import CannotRun, Process, exit_code_of
from local.agent.protocol import Rejected, Stream
from local.agent.reaper import Reaper

Send = Callable[[str], Awaitable[None]]
"""Sends one message to the client; returns when there is room for the next, or when the client is gone."""


@dataclass(frozen=True, slots=True)
class Manners:
    """Where agents that serve differ (agent-protocol.md 5); by default they follow the protocol."""

    paths: frozenset[str] = frozenset({"/ws", "/"})
    """Where the WebSocket is."""
    token_in_query: bool = False
    """`?token=` is as good as the header."""
    logs_refusals: bool = False
    """The right token without an upgrade is a line of the log."""
    one_table: bool = False
    """All connections share their sessions' ids; a new session takes the place of another one's."""
    silent: bool = False
    """Of what is wrong, only `exec` and `attach` are answered."""
    exit_code: Callable[[int], int] = exit_code_of
    """What clients and `/health` read, of a return code that is negative for a signal."""


REFERENCE: Final = Manners()


@dataclass(frozen=True, slots=True)
class Container:
    """What all sessions of an agent share. `child` is None where the agent runs none."""

    env: Mapping[str, str]
    """The environment that commands inherit."""
    reaper: Reaper
    child: Child | None
    manners: Manners = REFERENCE

    @classmethod
    def start(cls, command: Sequence[str], env: Mapping[str, str], manners: Manners = REFERENCE) -> Container:
        """Starts `command`, if there is one, as the child; its output is the agent's. Raises `CannotRun`."""
        reaper = Reaper(adopts=os.getpid() == 1)
        if not command:
            return cls(env, reaper, None, manners)
        process = Process.start(command, env=env, reaper=reaper)
        return cls(env, reaper, Child(process, {Stream.STDOUT: 1, Stream.STDERR: 2}), manners)


@dataclass(frozen=True, slots=True)
class Session:
    """A command, or the child that a client is attached to."""

    process: Process
    task: asyncio.Task[None]
    attached: bool


class Sessions:
    """All sessions of one connection, each under the id that the client chose for it."""

    def __init__(self, container: Container, send: Send, table: dict[str, Session]) -> None:
        """`table`: the sessions by id, of this connection or of all (`Manners.one_table`)."""
        self._container = container
        self._send = send
        self._table = table
        self._ids: set[str] = set()
        """Those of this connection."""
        self.tasks: set[asyncio.Task[None]] = set()
        """One for each session, until its `exit` was sent."""

    async def handle(self, message: str | bytes) -> None:
        """Carries out one message of the client, or answers it with `error`."""
        request = None
        try:
            request = protocol.decode(message)
            await self._perform(request)
        except Rejected as exc:
            if not self._container.manners.silent or isinstance(request, protocol.Exec | protocol.Attach):
                await self._send(protocol.error(exc.session_id, exc.message))

    def kill(self) -> None:
        """Kills the commands that were started here; their `exit` follows. The child is only attached to."""
        for session in self._own():
            if not session.attached:
                session.process.kill()

    async def close(self) -> None:
        """Ends all sessions, because the connection is gone."""
        self.kill()
        for session in self._own():
            if session.attached:
                session.task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)

    def _own(self) -> list[Session]:
        return [self._table[session_id] for session_id in self._ids & self._table.keys()]

    async def _perform(self, request: protocol.Request) -> None:
        match request:
            case protocol.Exec():
                self._exec(request)
            case protocol.Attach(id=session_id):
                self._attach(session_id)
            case protocol.Stdin(id=session_id, data=data):
                if not await self._process(session_id).feed(data):
                    raise Rejected(session_id, "stdin is closed")
            case protocol.CloseStdin(id=session_id):
                await self._process(session_id).close_stdin()
            case protocol.Signal(id=session_id, signal=number):
                self._process(session_id).signal(number)
            case protocol.Resize(id=session_id, width=width, height=height):
                self._process(session_id).resize(width, height)

    def _exec(self, request: protocol.Exec) -> None:
        self._check_new(request.id)
        try:
            process = Process.start(
                request.cmd,
                env={**self._container.env, **dict(request.env)},
                reaper=self._container.reaper,
                workdir=request.workdir,
                tty=request.tty,
            )
        except CannotRun as exc:
            raise Rejected(request.id, str(exc)) from exc
        self._open(request.id, process, process.relay(partial(self._output, request.id)), attached=False)

    def _attach(self, session_id: str) -> None:
        child = self._container.child
        if child is None:
            raise Rejected(session_id, protocol.NO_MAIN_PROCESS)
        self._check_new(session_id)
        self._open(session_id, child.process, child.attach(partial(self._output, session_id)), attached=True)

    def _check_new(self, session_id: str) -> None:
        if not session_id:
            raise Rejected(session_id, "invalid message: a session needs an id")
        if session_id in self._table and not self._container.manners.one_table:
            raise Rejected(session_id, "the session exists already")

    def _open(self, session_id: str, process: Process, outcome: Awaitable[int], *, attached: bool) -> None:
        async def run() -> None:
            code = self._container.manners.exit_code(await outcome)
            self._ids.discard(session_id)
            self._table.pop(session_id, None)  # before the message, whose receiver may use the id again at once
            await self._send(protocol.exited(session_id, code))

        task = asyncio.create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self._table[session_id] = Session(process, task, attached)
        self._ids.add(session_id)

    def _process(self, session_id: str) -> Process:
        session = self._table.get(session_id)
        if session is None:
            raise Rejected(session_id, protocol.NO_SUCH_SESSION)
        return session.process

    async def _output(self, session_id: str, stream: Stream, data: bytes) -> None:
        await self._send(protocol.output(session_id, stream, data))
