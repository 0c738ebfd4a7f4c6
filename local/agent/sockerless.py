"""A stand-in for the public Sockerless agent: the reference agent with its manners (agent-protocol.md 5).

`sockerless-agent -addr :PORT -log-level fatal -keep-alive -- cmd args…` runs the command as its child. Not the public
agent's is that an `-addr` without a host means SOCKERLESS_AGENT_HOST, for tasks that are processes of one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final

from local.agent.__main__ import TOKEN_VARIABLE
from local.agent.process import CannotRun
from local.agent.server import AgentServer, listen
from local.agent.session import Container, Manners

_SHELL: Final = ("/bin/sh",)
_QUIET_LEVELS: Final = frozenset({"fatal", "panic", "disabled"})
_TERMINATED: Final = 128 + signal.SIGTERM


def main() -> int:
    """The exit code. Raises `SystemExit(2)` for wrong arguments."""
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser("sockerless-agent", allow_abbrev=False)
    parser.add_argument("-addr", "--addr", default=":9111")
    parser.add_argument("-log-level", "--log-level", default="info")
    parser.add_argument("-keep-alive", "--keep-alive", action="store_true")
    options = parser.parse_args(arguments[:end])
    host, _, port = str(options.addr).rpartition(":")
    command = (tuple(arguments[end + 1 :]) or _SHELL) if options.keep_alive else ()
    manners = Manners(
        paths=frozenset({"/ws"}),
        token_in_query=True,
        logs_refusals=options.log_level not in _QUIET_LEVELS,
        one_table=True,
        silent=True,
        exit_code=lambda returncode: max(returncode, -1),
    )
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_TERMINATED))
    try:
        listener = listen(host or os.environ.get("SOCKERLESS_AGENT_HOST", ""), int(port))
        return asyncio.run(_run(command, manners, listener))
    except (OSError, ValueError, CannotRun) as exc:
        print(f"sockerless-agent: server failed: {exc}", file=sys.stderr)
        return 1


async def _run(command: Sequence[str], manners: Manners, listener: socket.socket) -> int:
    container = Container.start(command, os.environ, manners)
    await AgentServer(os.environ.get(TOKEN_VARIABLE, ""), container).start(listener)
    return await asyncio.Future[int]()


if __name__ == "__main__":
    sys.exit(main())
