"""`reach attach`: the streams of a container's main process."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from core.client import ReachClient
from core.model.errors import ReachError
from core.model.record import Record
from reach import Unreachable
from reach.agent import detach_keys
from reach.options import Container, DetachKeys, Format, Output, Profile, Region, StackName, console, print_json
from reach.showing.words import SHORT
from reach.stack.agents import agent_of
from reach.stack.opening import opened

END_SECONDS: Final = 30.0
"""ECS shows the end of a container about 10 s late (ecs.md 3)."""


def attach(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    stdin: Annotated[bool, typer.Option("--stdin", "-i", help="Send the input, no end.")] = False,
    sig_proxy: Annotated[
        bool | None,
        typer.Option("--sig-proxy/--no-sig-proxy", help="Default: with -i."),
    ] = None,
    keys: DetachKeys = detach_keys.DEFAULT,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Follow the output of a container's main process, from what its agent has kept.

    Ctrl-C leaves, and the process goes on. With -i it goes to the process, and
    so do SIGTERM, SIGHUP and SIGQUIT; a second Ctrl-C leaves. The exit code is
    the process's, from the item where its agent is gone before it has said it.

    exit codes
      N    the process's: 128 + n after signal n
      2    wrong command line, or several ids begin so
      3    no such container, no such stack
      4    a call of AWS failed
      125  no healthy container, no main process, or how it ended is unknown
      130  left with Ctrl-C; with the detach keys it is 0

    examples
      reach attach 4f5c
      echo reload | reach attach 4f5c -i
    """
    from reach.agent import own_streams, relay  # noqa: PLC0415 - brings websockets and asyncio
    from reach.agent.errors import AgentError, AgentGone  # noqa: PLC0415 - with it
    from reach.agent.session import Attach  # noqa: PLC0415 - the same

    leave = detach_keys.parse(keys)
    opened_stack = opened(stack, profile=profile, region=region)
    record = opened_stack.get(container)
    address, token = agent_of(record)
    streams = own_streams.PassedThrough() if output is Format.TEXT else own_streams.Collected()
    local = relay.Local(
        take=streams.take,
        stdin=own_streams.stdin() if stdin else None,
        terminal=own_streams.terminal(),
        keys=leave,
        passes_signals=stdin if sig_proxy is None else sig_proxy,
        hint=lambda: console(stderr=True).print("The process got Ctrl-C and still runs. A second one leaves it."),
    )
    try:
        code = relay.run(address, token, Attach(), local)
    except detach_keys.Detached:
        console(stderr=True).print("\nLeft the session: the container goes on.")
        raise typer.Exit from None
    except AgentGone:
        code = _recorded(opened_stack.client, record)
    except AgentError as error:
        raise Unreachable(str(error)) from error
    if isinstance(streams, own_streams.Collected):
        print_json(streams.document(code))
    raise typer.Exit(code & 0xFF)


def _recorded(client: ReachClient, record: Record) -> int:
    """How the container ended, when its item says so within `END_SECONDS`. Raises `Unreachable`."""
    short = record.container_id[:SHORT]
    lost = f"The connection to the agent of {short} ended"
    try:
        with console(stderr=True).status(f"{lost}. Until its end is recorded ..."):
            ended = client.wait_until_ended(record.container_id, END_SECONDS)
    except ReachError as error:
        raise Unreachable(
            f"{lost}, and how the process ended is unknown. {error} What to do: reach why {short}"
        ) from error
    if ended.exit_code is None or ended.record.generation != record.generation:
        raise Unreachable(f"{lost}, and the item does not have the exit code. What to do: reach why {short}")
    return ended.exit_code
