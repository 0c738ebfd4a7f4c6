"""A client of the agent: commands in a container, and the streams of its main process.

`address` is the item's `agent_address` (`10.0.1.47:9111`), `token` its `agent_token`. A connection per call, never
through a proxy: an agent is reached inside the VPC or not at all. Closing the connection ends the session, so a
cancelled call leaves no command behind.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import shlex
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

Output = Callable[[bytes], object]
"""Takes output as it comes."""

CONNECT_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 2.0
"""For the closing handshake, which an agent that floods the connection delays; then the socket is closed."""
_STDIN_CHUNK: Final = 32 * 1024
_MAX_MESSAGE: Final = 16 * 1024 * 1024

# At level DEBUG the library logs the headers of its handshake, and so the token.
_QUIET = logging.getLogger(f"{__name__}.websockets")
_QUIET.setLevel(logging.WARNING)


class AgentError(Exception):
    """The root of this module's errors. Each message says what to do next."""


class AgentRefusedConnection(AgentError):
    """Nothing listens at the address, or there is no way to it."""


class AgentTimedOut(AgentError):
    """No answer in time."""


class AgentUnauthorized(AgentError):
    """The agent does not accept the token."""


class NotAnAgent(AgentError):
    """Something answers at the address, but it does not speak the protocol."""


class AgentGone(AgentError):
    """The connection ended before the session did."""


class SessionRejected(AgentError):
    """The agent's own `error` message: the command cannot be run, there is nothing to attach to."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has ended. `exit_code` is 128 + n after signal n; from the public Sockerless agent -1."""

    exit_code: int
    stdout: bytes
    stderr: bytes


async def exec_command(  # noqa: PLR0913 - all but three have a default, none can be bundled with another
    address: str,
    token: str,
    cmd: Sequence[str],
    *,
    env: Iterable[str] = (),
    workdir: str | None = None,
    tty: bool = False,
    stdin: bytes | None = None,
    on_stdout: Output,
    on_stderr: Output,
    connect_seconds: float = CONNECT_SECONDS,
) -> int:
    """Runs `cmd` in the container; its exit code, once all its output was handed over.

    `env` holds `K=V` texts. The command's standard input is `stdin` and then its end. With `tty`, all output comes
    to `on_stdout`. Raises `AgentError`.
    """
    request: dict[str, Any] = {"type": "exec", "cmd": list(cmd), "env": list(env), "tty": tty}
    if workdir is not None:
        request["workdir"] = workdir
    async with _connected(address, token, connect_seconds) as connection:
        return await _Session(connection, address, on_stdout, on_stderr).run(request, stdin or b"")


async def attach(  # noqa: PLR0913
    address: str,
    token: str,
    *,
    stdin: bytes | None = None,
    on_stdout: Output,
    on_stderr: Output,
    connect_seconds: float = CONNECT_SECONDS,
) -> int:
    """Follows the container's main process; its exit code.

    Its standard input stays as it is, unless `stdin` is given: then that is written, and the input is closed.
    Raises `AgentError`.
    """
    async with _connected(address, token, connect_seconds) as connection:
        return await _Session(connection, address, on_stdout, on_stderr).run({"type": "attach"}, stdin)


def run(  # noqa: PLR0913
    address: str,
    token: str,
    cmd: Sequence[str],
    *,
    env: Iterable[str] = (),
    workdir: str | None = None,
    stdin: bytes | None = None,
    seconds: float | None = None,
) -> Completed:
    """Runs `cmd` in the container and waits for it, for at most `seconds`. For callers without an event loop.

    Raises `AgentError`; when the time is up the command has been killed.
    """
    out, err = bytearray(), bytearray()
    command = exec_command(
        address, token, cmd, env=env, workdir=workdir, stdin=stdin, on_stdout=out.extend, on_stderr=err.extend
    )
    try:
        code = asyncio.run(asyncio.wait_for(command, seconds))
    except TimeoutError as exc:
        raise AgentTimedOut(
            f"The command {shlex.join(cmd)} did not end within {seconds:g} s on the agent at {address} and was killed. "
            "Allow it more time, or run it to see where it hangs."
        ) from exc
    return Completed(code, bytes(out), bytes(err))


class _ConnectDirectly(connect):
    """Follows no redirect: an agent sends none, and a stranger must not choose the address."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def _connected(address: str, token: str, seconds: float) -> AsyncIterator[ClientConnection]:
    try:
        connection = await _ConnectDirectly(
            f"ws://{address}/ws",
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=seconds,
            close_timeout=CLOSE_SECONDS,
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
        raise _not_an_agent(address, f"HTTP status {status}") from None
    except InvalidHandshake as exc:
        raise _not_an_agent(address, str(exc)) from None
    async with connection:
        yield connection


class _Session:
    """The one session of a connection."""

    def __init__(self, connection: ClientConnection, address: str, on_stdout: Output, on_stderr: Output) -> None:
        self._connection = connection
        self._address = address
        # An agent may keep one table for all connections (agent-protocol.md 3).
        self._id = secrets.token_hex(16)
        self._takers = {"stdout": on_stdout, "stderr": on_stderr}

    async def run(self, request: dict[str, Any], stdin: bytes | None) -> int:
        """From its request to its end; the exit code. `stdin` None: nothing is written, nothing closed."""
        feeding: asyncio.Task[None] | None = None
        try:
            await self._say(request)
            if stdin is not None:
                # At the same time as reading: a command that answers before it has read all would block both sides.
                feeding = asyncio.create_task(self._feed(stdin))
            return await self._read()
        except ConnectionClosed as exc:
            raise AgentGone(
                f"The connection to the agent at {self._address} ended before the command did. "
                "Read the container's item: it says whether the task was stopped and why."
            ) from exc
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)  # its loss of the connection is the reader's, too

    async def _read(self) -> int:
        while True:
            message = _parse(self._address, await self._connection.recv())
            match message["type"]:
                case "exit":
                    return int(message["code"])
                case "error":
                    raise SessionRejected(f"The agent at {self._address} answered: {message['message']}.")
                case stream if stream in self._takers:
                    self._takers[stream](base64.b64decode(message["data"]))

    async def _feed(self, data: bytes) -> None:
        for start in range(0, len(data), _STDIN_CHUNK):
            piece = base64.b64encode(data[start : start + _STDIN_CHUNK]).decode("ascii")
            await self._say({"type": "stdin", "data": piece})
        await self._say({"type": "close_stdin"})

    async def _say(self, message: dict[str, Any]) -> None:
        await self._connection.send(json.dumps({"id": self._id, **message}))


def _parse(address: str, text: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError as exc:
        raise _not_an_agent(address, "a message that is not JSON") from exc
    if not isinstance(message, dict) or "type" not in message:
        raise _not_an_agent(address, "a message without a type")
    return message


def _not_an_agent(address: str, answer: str) -> NotAnAgent:
    return NotAnAgent(
        f"What listens at {address} is not an agent: it answered with {answer}. "
        "Check the address and the agent port; another task may have this address by now."
    )
