"""Sessions with an agent that is made for the test: how much is on its way, and what unusual answers mean."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from reach.agent.connection import connected
from reach.agent.errors import AgentGone, NotAnAgent, SessionRejected
from reach.agent.session import CHUNK, Attach, Exec, Session, Stream, opened

HOST = "127.0.0.18"
MUCH = 20 * 1024 * 1024
ON_ITS_WAY = 8 * 1024 * 1024
"""More than the buffers of both kernels, of both ends' WebSockets, and of this client hold; much less than `MUCH`."""
COMMAND = Exec(("command",))

T = TypeVar("T")
Agent = Callable[[ServerConnection], Awaitable[None]]


def test_input_waits_for_an_agent_that_is_slow() -> None:
    """Of a large input, no more is read than has room on its way: it is never in memory as a whole."""
    given, taken, ahead = 0, 0, 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal given, ahead
        while given < MUCH:
            given += CHUNK
            ahead = max(ahead, given - taken)
            yield bytes(CHUNK)

    async def agent(connection: ServerConnection) -> None:
        nonlocal taken
        async for message in connection:
            match json.loads(message):
                case {"type": "stdin", "data": data}:
                    taken += len(base64.b64decode(data))
                    for _ in range(10):  # the client has ten turns for each of the agent's
                        await asyncio.sleep(0)
                case {"type": "close_stdin", "id": session_id}:
                    await say(connection, session_id, "exit", code=0)

    async def scenario(session: Session) -> int:
        return await session.converse(ignore, session.send(source(), end=True))

    assert converse(agent, scenario) == 0
    assert (given, taken) == (MUCH, MUCH)
    assert ahead < ON_ITS_WAY


def test_output_waits_for_a_taker_that_is_slow() -> None:
    """Of a large output, no more is sent than has room on its way, and all of it arrives."""
    sent, taken, ahead = 0, 0, 0

    async def agent(connection: ServerConnection) -> None:
        nonlocal sent, ahead
        session_id = json.loads(await connection.recv())["id"]
        while sent < MUCH:
            await say(connection, session_id, "stdout", data=base64.b64encode(bytes(CHUNK)).decode())
            sent += CHUNK
            ahead = max(ahead, sent - taken)
        await say(connection, session_id, "exit", code=0)

    async def take(stream: Stream, data: bytes) -> None:
        nonlocal taken
        taken += len(data)
        for _ in range(10):
            await asyncio.sleep(0)

    assert converse(agent, lambda session: session.read(take)) == 0
    assert (sent, taken) == (MUCH, MUCH)
    assert ahead < ON_ITS_WAY


def test_an_agent_that_does_not_read_is_not_given_up() -> None:
    """A command that does not read holds its agent up: no ping has to be answered, and the kernel watches the host."""

    async def scenario(address: str) -> tuple[float | None, int]:
        async with connected(address, "token") as connection:
            websocket = connection._websocket
            kernel = websocket.transport.get_extra_info("socket")
            return websocket.ping_interval, kernel.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert asyncio.run(beside(lambda connection: connection.wait_closed(), scenario)) == (None, 1)


def test_an_answer_to_what_came_too_late_is_no_refusal() -> None:
    """The command ended while its input was on the way: the exit code counts."""

    async def agent(connection: ServerConnection) -> None:
        session_id = json.loads(await connection.recv())["id"]
        await say(connection, session_id, "error", message="no such session")
        await say(connection, session_id, "exit", code=3)

    assert converse(agent, lambda session: session.read(ignore)) == 3


def test_messages_of_a_later_protocol_are_passed_over() -> None:
    """What has an unknown type says nothing to this client."""

    async def agent(connection: ServerConnection) -> None:
        session_id = json.loads(await connection.recv())["id"]
        await say(connection, session_id, "progress", percent=50)
        await say(connection, session_id, "exit", code=0)

    assert converse(agent, lambda session: session.read(ignore)) == 0


def test_the_last_messages_count_though_the_connection_is_gone() -> None:
    """An agent that ends with its container has said the exit code: a lost input in front of it hides nothing."""

    async def agent(connection: ServerConnection) -> None:
        session_id = json.loads(await connection.recv())["id"]
        await say(connection, session_id, "stdout", data=base64.b64encode(b"last words").decode())
        await say(connection, session_id, "exit", code=5)
        await connection.close()

    async def scenario(session: Session) -> int:
        while True:
            try:
                await session.write(b"x")
            except AgentGone:
                break
        taken = bytearray()

        async def take(stream: Stream, data: bytes) -> None:
            taken.extend(data)

        code = await session.converse(take, session.write(b"x"))
        assert taken == b"last words"
        return code

    assert converse(agent, scenario) == 5


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"id": "1"}', '{"type": "stdout", "id": "1", "data": "="}'])
def test_what_no_agent_says(text: str) -> None:
    """Another program that speaks WebSocket is an error, and so is output that is not base64."""

    async def agent(connection: ServerConnection) -> None:
        await connection.send(text)
        await connection.wait_closed()

    with pytest.raises(NotAnAgent, match="another task may have this address by now"):
        converse(agent, lambda session: session.read(ignore))


@pytest.mark.parametrize(
    ("request_", "advice"),
    [
        (COMMAND, "Check that the program and the directory are in the image"),
        (Exec(("command",), tty=True), "Where the agent has no terminals"),
        (Attach(), "is entered by exec"),
    ],
)
def test_a_refusal_says_what_to_do(request_: Exec | Attach, advice: str) -> None:
    """The agent's own words, and what to do about them, which depends on the request."""

    async def agent(connection: ServerConnection) -> None:
        await say(connection, json.loads(await connection.recv())["id"], "error", message="operation not permitted")
        await connection.wait_closed()

    with pytest.raises(SessionRejected, match=rf"answered: operation not permitted\. .*{advice}"):
        converse(agent, lambda session: session.read(ignore), request_)


def test_the_end_of_input_on_a_terminal_is_a_character() -> None:
    """The public agent would hang a terminal up at `close_stdin`."""
    received = []

    async def agent(connection: ServerConnection) -> None:
        async for message in connection:
            document = json.loads(message)
            received.append((document["type"], document.get("data")))
            if len(received) == 2:
                await say(connection, document["id"], "exit", code=0)

    async def scenario(session: Session) -> int:
        return await session.converse(ignore, session.end_input())

    converse(agent, scenario, Exec(("command",), tty=True))
    assert received == [("exec", None), ("stdin", base64.b64encode(b"\x04").decode())]


def converse(agent: Agent, scenario: Callable[[Session], Awaitable[int]], request: Exec | Attach = COMMAND) -> int:
    """What the scenario makes of a session with that agent."""

    async def with_session(address: str) -> int:
        async with opened(address, "token", request) as session:
            return await scenario(session)

    return asyncio.run(beside(agent, with_session))


async def beside(agent: Agent, scenario: Callable[[str], Awaitable[T]]) -> T:
    async def served(connection: ServerConnection) -> None:
        try:
            await agent(connection)
        except ConnectionClosed:
            return

    async with serve(served, HOST, 0, compression=None, close_timeout=0.2) as server:
        [listener] = server.sockets
        return await asyncio.wait_for(scenario(f"{HOST}:{listener.getsockname()[1]}"), 60)


async def say(connection: ServerConnection, session_id: str, type_: str, **members: Any) -> None:
    await connection.send(json.dumps({"type": type_, "id": session_id, **members}))


async def ignore(stream: Stream, data: bytes) -> None:
    """Takes output."""
