"""`reach exec`: a command in a container, without a terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, BinaryIO

import typer

from core.model.record import Record
from core.model.state import State
from reach import Unreachable
from reach.options import Container, Format, Output, Profile, Region, StackName, print_json
from reach.showing.words import SHORT
from reach.stack.opening import opened


def exec_command(  # noqa: PLR0913 - the options of the command line
    container: Container,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="The program and its arguments.")],
    *,
    stdin: Annotated[
        bool, typer.Option("--stdin", "-i", help="Send standard input to the command, to its end.")
    ] = False,
    env: Annotated[list[str] | None, typer.Option("--env", "-e", metavar="K=V", help="May be repeated.")] = None,
    workdir: Annotated[str | None, typer.Option("--workdir", "-w", metavar="DIR")] = None,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Run a command in a container, through its agent.

    Both outputs are passed through as they come. Without --stdin the command
    reads an empty input. Ctrl-C closes the connection, and the agent ends the
    command. The agent's port must be open from here. With --output json the
    outputs come in one document, when the command has ended.

    exit codes
      N    the command's: 128 + n after signal n
      2    wrong command line, or several ids begin so
      3    no such container, no such stack
      4    a call of AWS failed
      125  the container is not healthy, or its agent did not run the command

    examples
      reach exec 4f5c -- python --version
      tar c src | reach exec 4f5c -i -w /app -- tar x
    """
    opened_stack = opened(stack, profile=profile, region=region)
    address, token = _agent_of(opened_stack.get(container))
    session = {"env": env or [], "workdir": workdir, "stdin": sys.stdin.buffer.read() if stdin else None}
    if output is Format.TEXT:
        streams: dict[str, Any] = {"on_stdout": _writer(sys.stdout.buffer), "on_stderr": _writer(sys.stderr.buffer)}
        code = _run(address, token, command, **session, **streams)
    else:
        out, err = bytearray(), bytearray()
        code = _run(address, token, command, **session, on_stdout=out.extend, on_stderr=err.extend)
        print_json({"exit_code": code, "stdout": out.decode(errors="replace"), "stderr": err.decode(errors="replace")})
    raise typer.Exit(code & 0xFF)


def _agent_of(record: Record) -> tuple[str, str]:
    """Address and token of an agent that has answered. Raises `Unreachable`."""
    if record.state is State.AGENT_HEALTHY and record.agent_address and record.agent_token:
        return record.agent_address, record.agent_token
    short = record.container_id[:SHORT]
    raise Unreachable(
        f"Container {short} is {record.state}: no agent of it can be reached. What to do: reach why {short}"
    )


def _run(address: str, token: str, command: list[str], **session: Any) -> int:
    """The command's exit code. Raises `Unreachable`."""
    from reach.agent import client  # noqa: PLC0415 - brings websockets and asyncio

    try:
        return asyncio.run(client.exec_command(address, token, command, **session))
    except client.AgentError as error:
        raise Unreachable(str(error)) from error


def _writer(stream: BinaryIO) -> Any:
    def write(data: bytes) -> None:
        stream.write(data)
        stream.flush()

    return write
