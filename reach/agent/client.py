"""Commands in a container, and the streams of its main process, for callers that give and get bytes.

`address` is the item's `agent_address` (`10.0.1.47:9111`), `token` its `agent_token`. A connection per call. Closing
the connection ends the session, so a cancelled call leaves no command behind. `reach.agent.session` is for callers
that stream both ways.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from reach.agent.connection import CONNECT_SECONDS
from reach.agent.errors import (
    AgentError,
    AgentGone,
    AgentRefusedConnection,
    AgentTimedOut,
    AgentUnauthorized,
    NotAnAgent,
    SessionRejected,
)
from reach.agent.session import Attach, Exec, Stream, Take, opened

__all__ = [
    "AgentError",
    "AgentGone",
    "AgentRefusedConnection",
    "AgentTimedOut",
    "AgentUnauthorized",
    "Completed",
    "NotAnAgent",
    "SessionRejected",
    "attach",
    "exec_command",
    "run",
]

Output = Callable[[bytes], object]
"""Takes output as it comes."""


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
    request = Exec(tuple(cmd), tuple(env), workdir, tty)
    async with opened(address, token, request, connect_seconds=connect_seconds) as session:
        return await session.converse(_taker(on_stdout, on_stderr), session.send(_once(stdin or b""), end=True))


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
    async with opened(address, token, Attach(), connect_seconds=connect_seconds) as session:
        companions = () if stdin is None else (session.send(_once(stdin), end=True),)
        return await session.converse(_taker(on_stdout, on_stderr), *companions)


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


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _taker(on_stdout: Output, on_stderr: Output) -> Take:
    takers = {Stream.STDOUT: on_stdout, Stream.STDERR: on_stderr}

    async def take(stream: Stream, data: bytes) -> None:
        takers[stream](data)

    return take
