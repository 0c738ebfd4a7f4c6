"""`reach exec`: a command in a container, on a terminal or without one."""

from __future__ import annotations

import signal
from typing import Annotated, Final

import typer

from reach import Refused, Unreachable
from reach.agent import detach_keys
from reach.options import Container, DetachKeys, Format, Output, Profile, Region, StackName, console, print_json
from reach.stack.agents import agent_of
from reach.stack.opening import opened

SHELL: Final = "/bin/sh"
_TERM: Final = "TERM=xterm"  # as Docker sets it: every image with terminfo has it


def exec_command(  # noqa: PLR0913 - the options of the command line
    container: Container,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Default: /bin/sh, with -it."),
    ] = None,
    *,
    stdin: Annotated[bool, typer.Option("--stdin", "-i", help="Send standard input.")] = False,
    tty: Annotated[bool, typer.Option("--tty", "-t", help="Give the command a terminal.")] = False,
    env: Annotated[list[str] | None, typer.Option("--env", "-e", metavar="K=V", help="May be repeated.")] = None,
    workdir: Annotated[str | None, typer.Option("--workdir", "-w", metavar="DIR")] = None,
    keys: DetachKeys = detach_keys.DEFAULT,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Run a command in a container, through its agent.

    Without -i it reads an empty input. Ctrl-C goes to it: as a key with -it,
    else as a signal, and so do SIGTERM, SIGHUP and SIGQUIT; a second Ctrl-C
    kills it. The agent's port must be open from here.

    exit codes
      N    the command's: 128 + n after signal n
      2    wrong command line, or several ids begin so
      3    no such container, no such stack
      4    a call of AWS failed
      125  no healthy container, or its agent did not run the command or is gone
      137  left with the detach keys: the command is killed

    examples
      reach exec 4f5c
      reach exec 4f5c -- python --version
      tar c src | reach exec 4f5c -i -w /app -- tar x
    """
    from reach.agent import own_streams, relay  # noqa: PLC0415 - brings websockets and asyncio
    from reach.agent.errors import AgentError  # noqa: PLC0415 - with it
    from reach.agent.session import Exec  # noqa: PLC0415 - the same

    terminal = own_streams.terminal()
    if not command:
        command, stdin, tty = [SHELL], True, True
    if tty:
        _check_terminal(terminal, output)
    leave = detach_keys.parse(keys)
    opened_stack = opened(stack, profile=profile, region=region)
    address, token = agent_of(opened_stack.get(container))
    request = Exec(tuple(command), (*([_TERM] if tty else []), *(env or [])), workdir, tty)
    streams = own_streams.PassedThrough() if output is Format.TEXT else own_streams.Collected()
    local = relay.Local(
        take=streams.take,
        stdin=own_streams.stdin() if stdin else None,
        terminal=terminal,
        keys=leave,
        passes_signals=True,
        hint=lambda: console(stderr=True).print("The command got Ctrl-C and still runs. A second one kills it."),
    )
    try:
        code = relay.run(address, token, request, local)
    except detach_keys.Detached:
        console(stderr=True).print("\nLeft the session: the agent kills the command.")
        raise typer.Exit(128 + signal.SIGKILL) from None
    except AgentError as error:
        raise Unreachable(str(error)) from error
    if isinstance(streams, own_streams.Collected):
        print_json(streams.document(code))
    raise typer.Exit(code & 0xFF)


def _check_terminal(terminal: int | None, output: Format) -> None:
    """Raises `Refused`."""
    if terminal is None:
        raise Refused(
            "The input is no terminal, and a command on a terminal needs one. What to do: run it from a terminal, or "
            "leave --tty out and name the command; --stdin alone sends what is piped."
        )
    if output is Format.JSON:
        raise Refused("A terminal's output is no document. What to do: leave --tty or --output out, or name a COMMAND.")
