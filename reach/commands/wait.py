"""`reach wait`: until a container is healthy, or has ended."""

from __future__ import annotations

from typing import Annotated

import typer

from reach.options import Container, Format, Output, Profile, Region, StackName, console, print_json
from reach.showing.documents import document
from reach.showing.words import SHORT
from reach.stack.opening import opened
from reach.stack.waiting import Until, awaited


def wait(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    until: Annotated[Until, typer.Option("--for", help="Its agent has answered, or it has run and ended.")] = (
        Until.HEALTHY
    ),
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Default: a day for healthy, none for ended. 0 reads once."),
    ] = None,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Wait until a container is healthy, or has ended.

    Prints the agent's address, or the exit code of the container's process.
    That code is not the one of this command: an end is what was awaited. The
    container goes on when the time is over, so waiting again is safe.

    exit codes
      0    what was awaited is so
      1    it failed; or it ended before it was healthy, or was started again
           before its end was read
      2    wrong command line, or several ids begin so
      3    no such container, no such stack
      4    a call of AWS failed
      124  the time is over

    examples
      reach wait 4f5c && reach exec 4f5c -- python --version
      reach wait 4f5c --for ended --timeout 3600
    """
    opened_stack = opened(stack, profile=profile, region=region)
    found = opened_stack.whole_id(container)
    with console(stderr=True).status(f"Until {found[:SHORT]} is {until} ..."):
        record = awaited(opened_stack.client, found, until, timeout)
    if output is Format.JSON:
        print_json(document(record))
    elif until is Until.HEALTHY:
        console().print(record.agent_address)
    else:
        code = record.stop.exit_code if record.stop else None
        console().print("unknown" if code is None else str(code))
