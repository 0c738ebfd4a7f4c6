"""AWS and an agent in a process of their own, over HTTP: the least that answers what the functions call.

What stands for AWS costs no CPU of the process that is measured. An answer is chosen by the first part of the path,
which names the scene, and by the operation. The first requests of each scene are kept, so that others may repeat them.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

Answers = Mapping[str, Mapping[str, Any]]
"""By scene and operation: the JSON of the answer."""

KEPT: Final = 40
"""Requests of each scene."""
REQUESTS: Final = "requests"
"""GET of this path shows them, `[operation, body]` of each, and forgets them."""
ADDRESS: Final = "${address}"
"""Stands in an answer for the address of this process, where the agent listens too."""
ID: Final = "${id}"
"""Stands in an answer for the container's id in the request."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET: Final = re.compile(rb"\r\nx-amz-target: *[^\r.]*\.([A-Za-z]+)", re.IGNORECASE)
_NAMED: Final = re.compile(rb'"container_id": ?\{"S": ?"([0-9a-f]{64})"')
_SPAWN: Final = multiprocessing.get_context("spawn")


@contextmanager
def double(answers: Answers) -> Iterator[str]:
    """`host:port` of the process, which ends with the context."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(json.dumps(answers), theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(answers: str, pipe: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        table: dict[str, dict[str, bytes]] = {}
        kept: dict[str, list[tuple[str, str]]] = {}
        server = await loop.create_server(lambda: _Connection(table, kept), "127.0.0.1", 0, backlog=512)
        host, port = server.sockets[0].getsockname()
        address = f"{host}:{port}"
        for scene, operations in json.loads(answers.replace(ADDRESS, address)).items():
            table[scene] = {name: json.dumps(answer).encode() for name, answer in operations.items()}
        pipe.send(address)
        await server.serve_forever()

    asyncio.run(main())


class _Connection(asyncio.Protocol):
    def __init__(self, table: Mapping[str, Mapping[str, bytes]], kept: dict[str, list[tuple[str, str]]]) -> None:
        self._table, self._kept, self._received = table, kept, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        scene, _, rest = path.strip("/").partition("/")
        if method == "GET" and rest == REQUESTS:
            self._send(200, json.dumps(self._kept.pop(scene, [])).encode())
        elif method == "GET":  # of the agent
            # An agent that knows its token refuses a GET of /ws without an upgrade (agent-protocol.md 2).
            self._send(200 if scene == "health" else 400, b'{"status": "ok", "pid": 7}')
            self._transport.close()
        else:
            target = _TARGET.search(head)
            operation = target[1].decode() if target else ""
            kept = self._kept.setdefault(scene, [])
            if len(kept) < KEPT:
                kept.append((operation, body.decode()))
            answer = self._table[scene][operation]
            if named := _NAMED.search(body):
                answer = answer.replace(ID.encode(), named[1])
            self._send(200, answer)

    def _send(self, status: int, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
