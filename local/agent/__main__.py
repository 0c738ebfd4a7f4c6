"""`sockerless-agent -- cmd args…` runs the command as its child; `sockerless-agent --keep-alive --` runs none.

Decisions where the protocol leaves room:

- The agent ends when its child ends, with the child's exit code (128 + n for signal n): a container whose main
  process lived on would never stop. Before, attached clients are sent the rest of the output and the `exit`, for
  at most `FLUSH_SECONDS`; `/health` shows `exited` and `exitCode` meanwhile. Commands that were exec'd are killed,
  as they are when a container's main process ends.
- SIGTERM (also SIGINT, SIGQUIT, SIGHUP) is passed on to the child. Then the agent waits for the child without a
  limit of its own, because the platform has one (ECS: stopTimeout) and the child may have work to finish. The
  agent's exit code is 0 when the signal ended the child, and the child's own code when it chose one. In
  keep-alive mode the agent ends at once, with 0.
- SOCKERLESS_KEEP_ALIVE=true wins over a command. Without a token the agent does not start.
- Exit codes of its own: 2 for wrong arguments, 1 when it cannot listen, 127 or 126 when the child cannot be run.
- The token is not passed on to the child and to exec'd commands. As with every process, the environment the agent
  was itself started with stays readable to its own user through /proc.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from local.agent.child import Child
from local.agent.options import TOKEN_VARIABLE, Options
from local.agent.process import CannotRun, Process, exit_code_of
from local.agent.protocol import Stream
from local.agent.reaper import Reaper
from local.agent.server import AgentServer, listen
from local.agent.session import Container

FLUSH_SECONDS: Final = 5.0
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code. Raises `SystemExit(2)` for wrong arguments."""
    options = Options.parse(sys.argv[1:] if arguments is None else arguments, os.environ)
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
    reaper = Reaper(adopts=os.getpid() == 1)
    child = None
    if options.command:
        process = Process.start(options.command, env=env, reaper=reaper)
        child = Child(process, {Stream.STDOUT: 1, Stream.STDERR: 2})
        stop.forward_to(process)
    server = AgentServer(options.token, Container(env, reaper, child))
    await server.start(listener)
    if child is None:
        await stop.asked.wait()
        await server.finish(FLUSH_SECONDS)
        return 0
    returncode = await asyncio.shield(child.process.ended)
    # The output may still be on its way to the log and to attached clients.
    await asyncio.wait([child.finished], timeout=FLUSH_SECONDS)
    await server.finish(FLUSH_SECONDS)
    child.process.kill()  # what the child left behind, as when a container's PID namespace ends
    return 0 if -returncode in stop.forwarded else exit_code_of(returncode)


class _StopSignals:
    """The signals that ask the agent to end."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.forwarded: set[int] = set()
        self._process: Process | None = None
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._ask, number)

    def forward_to(self, process: Process) -> None:
        self._process = process

    def _ask(self, number: signal.Signals) -> None:
        self.asked.set()
        if self._process is not None:
            self.forwarded.add(number)
            self._process.signal(number)


if __name__ == "__main__":
    sys.exit(main())
