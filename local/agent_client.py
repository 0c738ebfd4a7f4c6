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
import shlex
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

Output = Callable[[bytes], object]
"""Takes output as it comes; its result is ignored."""

CONNECT_SECONDS: Final = 5.0
_STDIN_CHUNK: Final = 32 * 1024
_MAX_MESSAGE: Final = 16 * 1024 * 1024
_SESSION: Final = "1"  # the only session of its connection

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
    """A command that has ended. `exit_code` is 128 + n after signal n."""

    exit_code: int
    stdout: bytes
    stderr: bytes


async def exec_command(
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
        return await _session(connection, address, request, stdin or b"", on_stdout, on_stderr)


async def attach(
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
        return await _session(connection, address, {"type": "attach"}, stdin, on_stdout, on_stderr)


def run(
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
    stdout, stderr = bytearray(), bytearray()

    async def limited() -> int:
        async with asyncio.timeout(seconds):
            return await exec_command(
                address,
                token,
                cmd,
                env=env,
                workdir=workdir,
                stdin=stdin,
                on_stdout=stdout.extend,
                on_stderr=stderr.extend,
            )

    try:
        code = asyncio.run(limited())
    except TimeoutError as exc:
        raise AgentTimedOut(
            f"The command {shlex.join(cmd)} did not end within {seconds:g} s on the agent at {address} and was killed. "
            "Allow it more time, or run it to see where it hangs."
        ) from exc
    return Completed(code, bytes(stdout), bytes(stderr))


@asynccontextmanager
async def _connected(address: str, token: str, seconds: float) -> AsyncIterator[ClientConnection]:
    try:
        connection = await connect(
            f"ws://{address}/ws",
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=seconds,
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
        if status == 401:
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


async def _session(
    connection: ClientConnection,
    address: str,
    request: dict[str, Any],
    stdin: bytes | None,
    on_stdout: Output,
    on_stderr: Output,
) -> int:
    """One session from its request to its end. `stdin` None: nothing is written, nothing closed."""
    takers = {"stdout": on_stdout, "stderr": on_stderr}

    async def say(**message: object) -> None:
        await connection.send(json.dumps({"id": _SESSION, **message}))

    async def feed(data: bytes) -> None:
        for start in range(0, len(data), _STDIN_CHUNK):
            await say(type="stdin", data=base64.b64encode(data[start : start + _STDIN_CHUNK]).decode("ascii"))
        await say(type="close_stdin")

    feeding: asyncio.Task[None] | None = None
    try:
        await say(**request)
        if stdin is not None:
            # At the same time as reading: a command that answers before it has read all would block both sides.
            feeding = asyncio.create_task(feed(stdin))
        async for text in connection:
            message = _parse(address, text)
            match message["type"]:
                case "exit":
                    return int(message["code"])
                case "error":
                    raise SessionRejected(f"The agent at {address} answered: {message['message']}.")
                case stream if stream in takers:
                    takers[stream](base64.b64decode(message["data"]))
        raise _gone(address)
    except ConnectionClosed as exc:
        raise _gone(address) from exc
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)  # its loss of the connection is the reader's, too


def _parse(address: str, text: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
        if isinstance(message["type"], str):
            return dict(message)
    except (ValueError, KeyError, TypeError) as exc:
        raise _not_an_agent(address, "a message that is not of its protocol") from exc
    raise _not_an_agent(address, "a message that is not of its protocol")


def _gone(address: str) -> AgentGone:
    return AgentGone(
        f"The connection to the agent at {address} ended before the command did. "
        "Read the container's item: it says whether the task was stopped and why."
    )


def _not_an_agent(address: str, answer: str) -> NotAnAgent:
    return NotAnAgent(
        f"What listens at {address} is not an agent: it answered with {answer}. "
        "Check the address and the agent port; another task may have this address by now."
    )
