"""The agent's port: `/health` without a token, a WebSocket with it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import socket
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from local.agent.protocol import MAX_MESSAGE
from local.agent.session import Container, Session, Sessions

_CLOSE_SECONDS: Final = 1.0
_SLOW_SECONDS: Final = 600.0
"""How long a client may leave a ping unanswered, as one does whose output is not taken: a pager waits for a person."""
_LOG = logging.getLogger("sockerless-agent")

# The output of a container belongs to its command, and the library's tracebacks of broken handshakes would quote
# headers, the token among them.
_QUIET = logging.getLogger("sockerless-agent.websockets")
_QUIET.setLevel(logging.CRITICAL)


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; an empty `host` means all interfaces, IPv4 and IPv6. Raises `OSError`."""
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


class AgentServer:
    """Serves one container. `start`, then `finish`."""

    def __init__(self, token: str, container: Container) -> None:
        self._expected = f"Bearer {token}".encode()
        self._container = container
        self._server: Server  # since `start`
        self._connections: set[Sessions] = set()
        self._table: dict[str, Session] = {}

    async def start(self, listener: socket.socket) -> None:
        self._server = await serve(
            self._serve,
            sock=listener,
            compression=None,
            process_request=self._answer,
            process_response=self._refuse_plain_request,
            server_header=None,
            close_timeout=_CLOSE_SECONDS,
            ping_timeout=_SLOW_SECONDS,
            max_size=MAX_MESSAGE,
            logger=_QUIET,
        )

    async def finish(self, flush_seconds: float) -> None:
        """Ends all sessions, sends what is left of their output for at most `flush_seconds`, closes connections."""
        for sessions in self._connections:
            sessions.kill()
        tasks = [task for sessions in self._connections for task in sessions.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=flush_seconds)
        self._server.close()
        await self._server.wait_closed()

    def _health(self) -> dict[str, object]:
        child = self._container.child
        if child is None:
            return {"status": "ok"}
        code = child.returncode
        ended = {} if code is None else {"exitCode": self._container.manners.exit_code(code)}
        return {"status": "ok", "pid": child.process.pid, "exited": code is not None, **ended}

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """None for a WebSocket handshake that may go on, else the response."""
        path, _, query = request.path.partition("?")
        if path not in {"/health", *self._container.manners.paths}:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is /health and /ws.\n")
        if request.method != "GET":
            return connection.respond(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET is answered.\n")
        if path == "/health":
            response = connection.respond(HTTPStatus.OK, json.dumps(self._health()))
            del response.headers["Content-Type"]  # the library's text/plain
            response.headers["Content-Type"] = "application/json"
            return response
        if not self._knows_token(request, query):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Authorization: Bearer <token> is missing or wrong.\n")
        return None

    def _refuse_plain_request(self, connection: ServerConnection, _: Request, response: Response) -> Response | None:
        """400 where the library says 426: the protocol's answer to the right token without an upgrade."""
        if response.status_code != HTTPStatus.UPGRADE_REQUIRED:
            return None
        if self._container.manners.logs_refusals:
            _LOG.error("websocket upgrade failed: the request does not ask for one")
        return connection.respond(HTTPStatus.BAD_REQUEST, "This is a WebSocket: the request must ask for an upgrade.\n")

    def _knows_token(self, request: Request, query: str) -> bool:
        given = ",".join(request.headers.get_all("Authorization"))
        if not given and self._container.manners.token_in_query:
            given = f"Bearer {''.join(parse_qs(query).get('token', []))}"
        # Bytes, because compare_digest takes only ASCII texts; latin-1 is how the header was decoded.
        return hmac.compare_digest(given.encode("latin-1", "replace"), self._expected)

    async def _serve(self, connection: ServerConnection) -> None:
        table = self._table if self._container.manners.one_table else {}
        sessions = Sessions(self._container, partial(_send, connection), table)
        self._connections.add(sessions)
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(_read(connection, sessions))
                await connection.wait_closed()
                reading.cancel()  # it may be waiting for a command that does not read its stdin
        except Exception:
            _LOG.exception("a connection failed")
            raise
        finally:
            self._connections.discard(sessions)
            await sessions.close()


async def _read(connection: ServerConnection, sessions: Sessions) -> None:
    with contextlib.suppress(ConnectionClosed):  # an end without a closing handshake is an end, too
        async for message in connection:
            await sessions.handle(message)


async def _send(connection: ServerConnection, message: str) -> None:
    with contextlib.suppress(ConnectionClosed):  # the reader of the connection sees its end
        await connection.send(message)
