"""`sockerless-agent -- cmd args…` runs the command as its child; `sockerless-agent --keep-alive --` runs none.

Decisions where the protocol leaves room:

- The agent ends when its child ends, with the child's exit code (128 + n for signal n): a container whose main
  process lived on would never stop. Before, attached clients are sent the rest of the output and the `exit`, for
  at most `FLUSH_SECONDS`; `/health` shows `exited` and `exitCode` meanwhile. Commands that were exec'd are killed,
  as they are when a container's main process ends.
- Every signal is passed on to the child, because each may be an image's STOPSIGNAL, but for `_OWN`. The agent waits for
  the child without a limit, because the platform has one (ECS: stopTimeout) and the child may have work to finish. The
  agent's exit code is 0 when the signal ended the child, and the child's own code when it chose one. In keep-alive mode
  the agent ends at once, with 0, for SIGTERM, SIGINT, SIGQUIT and SIGHUP.
- SOCKERLESS_KEEP_ALIVE=true wins over a command. Without a token the agent does not start.
- The agent's exit code is 2 for wrong arguments, 1 when it cannot listen, 127 or 126 when the child cannot be run.
- The token is not passed on to the child and to exec'd commands. As with every process, the environment the agent
  was started with stays readable to its own user through /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from local.agent.process import CannotRun, Process, exit_code_of
from local.agent.server import AgentServer, listen
from local.agent.session import Container

TOKEN_VARIABLE: Final = "SOCKERLESS_AGENT_TOKEN"
DEFAULT_PORT: Final = 9111
_PORTS: Final = range(1, 65536)
FLUSH_SECONDS: Final = 5.0
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_OWN: Final = frozenset(
    {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ}
    | {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT}
)
"""Not to be caught, or of the agent's own work: its children, its writes, its faults."""


@dataclass(frozen=True, slots=True)
class Options:
    """Command line and environment. An empty `command` means keep-alive mode, an empty `host` all interfaces."""

    host: str
    port: int
    command: tuple[str, ...]
    token: str = field(repr=False)

    @classmethod
    def parse(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
        """`arguments` without the program's name. Prints what is wrong and raises `SystemExit(2)`."""
        port_by_default = environ.get("SOCKERLESS_AGENT_PORT") or DEFAULT_PORT
        end = arguments.index("--") if "--" in arguments else len(arguments)
        parser = argparse.ArgumentParser(
            "sockerless-agent", usage="%(prog)s [-addr HOST:PORT] [--keep-alive] -- cmd …", allow_abbrev=False
        )
        parser.add_argument("--keep-alive", action="store_true", help="run no command, wait for exec requests")
        parser.add_argument(
            "-addr",
            "--addr",
            default=f"{environ.get('SOCKERLESS_AGENT_HOST', '')}:{port_by_default}",
            help="where to listen (default: SOCKERLESS_AGENT_HOST and _PORT, else all interfaces, port 9111)",
        )
        parsed = parser.parse_args(arguments[:end])
        host, _, port = str(parsed.addr).rpartition(":")
        if not port.isdecimal() or int(port) not in _PORTS:
            parser.error(f"{parsed.addr} is not HOST:PORT with a port from 1 to 65535")
        if not environ.get(TOKEN_VARIABLE):
            parser.error(f"{TOKEN_VARIABLE} is not set: without it nobody could connect")
        keep_alive = parsed.keep_alive or environ.get("SOCKERLESS_KEEP_ALIVE") == "true"
        command = () if keep_alive else tuple(arguments[end + 1 :])
        if not keep_alive and not command:
            parser.error("no command: give one after --, or --keep-alive -- to wait for exec requests")
        return cls(host.strip("[]"), int(port), command, environ[TOKEN_VARIABLE])


def main() -> int:
    """The exit code. Raises `SystemExit(2)` for wrong arguments."""
    options = Options.parse(sys.argv[1:], os.environ)
    env = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    try:
        listener = listen(options.host, options.port)
    except OSError as exc:
        print(f"sockerless-agent: cannot listen on {options.host}:{options.port}: {exc}", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_run(options, env, listener))
    except CannotRun as exc:
        print(f"sockerless-agent: {exc}", file=sys.stderr)
        return exc.code


async def _run(options: Options, env: Mapping[str, str], listener: socket.socket) -> int:
    stop = _StopSignals()
    container = Container.start(options.command, env)
    server = AgentServer(options.token, container)
    if (child := container.child) is not None:
        stop.forward_to(child.process)
    await server.start(listener)
    if child is None:
        await stop.arrived.wait()
        await server.finish(FLUSH_SECONDS)
        return 0
    returncode = await asyncio.shield(child.process.ended)
    # The output may still be on its way to the log and to attached clients.
    await asyncio.wait([child.finished], timeout=FLUSH_SECONDS)
    await server.finish(FLUSH_SECONDS)
    child.process.kill()  # what the child left behind, as when a container's PID namespace ends
    return 0 if -returncode in stop.forwarded else exit_code_of(returncode)


class _StopSignals:
    """The signals that go to the child, or end an agent that has none."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.forwarded: set[int] = set()
        self._process: Process | None = None
        loop = asyncio.get_running_loop()
        for number in signal.valid_signals() - _OWN:
            loop.add_signal_handler(number, self._pass_on, number)

    def forward_to(self, process: Process) -> None:
        self._process = process

    def _pass_on(self, number: int) -> None:
        if number in _STOP_SIGNALS:
            self.arrived.set()
        if self._process is not None:
            self.forwarded.add(number)
            self._process.signal(number)


if __name__ == "__main__":
    sys.exit(main())
