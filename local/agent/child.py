"""The agent's child: the command that the container was started for, and those attached to it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from local.agent.process import Deliver, Process
from local.agent.protocol import Stream
from local.agent.streams import write

BACKLOG_SIZE: Final = 64 * 1024
"""How much of the latest output a late attach still gets, in bytes."""


class Backlog:
    """The latest output of both streams, in the order it was read, cut at `size` bytes."""

    def __init__(self, size: int = BACKLOG_SIZE) -> None:
        self._size = size
        self._chunks: deque[tuple[Stream, bytes]] = deque()
        self._held = 0

    def append(self, stream: Stream, data: bytes) -> None:
        """Adds `data`, and drops what is too old then."""
        self._chunks.append((stream, data))
        self._held += len(data)
        while self._held > self._size:
            oldest, text = self._chunks.popleft()
            kept = text[self._held - self._size :]
            if kept:
                self._chunks.appendleft((oldest, kept))
            self._held -= len(text) - len(kept)

    def chunks(self) -> tuple[tuple[Stream, bytes], ...]:
        """What is held, oldest first."""
        return tuple(self._chunks)


class Child:
    """The child process. Its output goes to the agent's own output, to the backlog and to all attached.

    A slow receiver slows the child down: an attached client that stops reading holds it until the connection's
    keepalive gives the client up.
    """

    def __init__(self, process: Process, own_output: dict[Stream, int]) -> None:
        """`own_output`: the descriptors that a container's log is made of."""
        self.process = process
        self._own_output = own_output
        self._backlog = Backlog()
        self._attached: list[Deliver] = []
        self._turn = asyncio.Lock()
        self.finished = asyncio.create_task(process.relay(self._deliver))
        """The return code, known when all output has been delivered. Await it through `asyncio.shield`."""

    @property
    def returncode(self) -> int | None:
        """The return code, negative for a signal; None while the child runs."""
        return self.process.ended.result() if self.process.ended.done() else None

    async def attach(self, deliver: Deliver) -> int:
        """Delivers the backlog, then the output from now on, nothing twice; the return code when it has ended."""
        async with self._turn:
            for stream, data in self._backlog.chunks():
                await deliver(stream, data)
            self._attached.append(deliver)
        try:
            return await asyncio.shield(self.finished)
        finally:
            self._attached.remove(deliver)

    async def _deliver(self, stream: Stream, data: bytes) -> None:
        async with self._turn:
            await self._log(stream, data)
            self._backlog.append(stream, data)
            for deliver in tuple(self._attached):
                await deliver(stream, data)

    async def _log(self, stream: Stream, data: bytes) -> None:
        if stream in self._own_output:
            try:
                await write(self._own_output[stream], data)
            except OSError:
                # The reader of the log is gone for good. The command goes on, as it would without an agent.
                del self._own_output[stream]
