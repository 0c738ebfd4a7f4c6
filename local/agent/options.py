"""The command line and the environment of the agent."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

TOKEN_VARIABLE: Final = "SOCKERLESS_AGENT_TOKEN"
DEFAULT_PORT: Final = 9111
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Options:
    """What the agent was asked to do. An empty `command` means keep-alive mode, an empty `host` all interfaces."""

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
