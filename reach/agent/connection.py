"""A connection to an agent: JSON messages both ways.

Never through a proxy: an agent is reached inside the VPC or not at all.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from reach.agent.errors import AgentGone, AgentRefusedConnection, AgentTimedOut, AgentUnauthorized, NotAnAgent

CONNECT_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 2.0
"""For the closing handshake; then the socket is closed."""
_MAX_MESSAGE: Final = 16 * 1024 * 1024

# The kernel finds an agent whose host is gone, in a minute, and its probes keep a NAT's entry. Pings of the WebSocket
# would not do: an agent answers none while its command does not read (agent-protocol.md 5), and a caller reads no
# answer while its own output is not taken. Neither is an end.
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}

# At level DEBUG the library logs the headers of its handshake, and so the token.
_QUIET = logging.getLogger(f"{__name__}.websockets")
_QUIET.setLevel(logging.WARNING)


class Connection:
    """To be made by `connected`."""

    def __init__(self, websocket: ClientConnection, address: str) -> None:
        self.address = address
        self._websocket = websocket

    async def send(self, message: dict[str, Any]) -> None:
        """Returns when there is room for the next. Raises `AgentGone`."""
        try:
            await self._websocket.send(json.dumps(message))
        except ConnectionClosed as exc:
            raise AgentGone(self.address) from exc

    async def receive(self) -> dict[str, Any]:
        """The next message. What is not taken stays with the agent, but for a few. Raises `AgentGone`, `NotAnAgent`."""
        try:
            text = await self._websocket.recv()
        except ConnectionClosed as exc:
            raise AgentGone(self.address) from exc
        try:
            message = json.loads(text)
        except ValueError as exc:
            raise NotAnAgent(self.address, "a message that is not JSON") from exc
        if not isinstance(message, dict) or "type" not in message:
            raise NotAnAgent(self.address, "a message without a type")
        return message


class _ConnectDirectly(connect):
    """Follows no redirect: an agent sends none, and a stranger must not choose the address."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def connected(address: str, token: str, seconds: float = CONNECT_SECONDS) -> AsyncIterator[Connection]:
    """A connection, closed at the end: at once when the caller raises, since a handshake waits behind a flood.

    Raises `AgentError`.
    """
    websocket = await _handshake(address, token, seconds)
    try:
        yield Connection(websocket, address)
    except BaseException:
        websocket.transport.abort()
        raise
    finally:
        await websocket.close()


async def _handshake(address: str, token: str, seconds: float) -> ClientConnection:
    try:
        websocket = await _ConnectDirectly(
            f"ws://{address}/ws",
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=seconds,
            close_timeout=CLOSE_SECONDS,
            ping_interval=None,
            max_size=_MAX_MESSAGE,
            logger=_QUIET,
        )
    except TimeoutError as exc:
        raise AgentTimedOut(
            f"The agent at {address} did not answer within {seconds:g} s. "
            f"Check that the task's security group lets TCP {address.rpartition(':')[2]} in from here."
        ) from exc
    except OSError as exc:
        raise AgentRefusedConnection(
            f"No connection to the agent at {address}: {exc.strerror or exc}. "
            "Check that the container still runs and that its agent was started."
        ) from exc
    except InvalidStatus as exc:
        status = exc.response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            # From None: the library's exception holds the request, and so the token.
            raise AgentUnauthorized(
                f"The agent at {address} does not accept the token. "
                "Read agent_address and agent_token again, both from the same item: a restart changes them."
            ) from None
        raise NotAnAgent(address, f"HTTP status {status}") from None
    except InvalidHandshake as exc:
        raise NotAnAgent(address, str(exc)) from None
    _keep_alive(websocket.transport.get_extra_info("socket"))
    return websocket


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # macOS has another name for one of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
