"""`reach inspect`: all that the item says of a container."""

from __future__ import annotations

from typing import Annotated

import typer

from reach.options import Container, Format, Output, Profile, Region, StackName, console, print_json
from reach.showing.documents import document, lines
from reach.stack.opening import opened


def inspect(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print agent_token too: it opens exec and attach to whoever reads it.")
    ] = False,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Show all that the item says of one container.

    Text leaves out what is not known; JSON has every member, null for those.
    No other command and no other option prints a token.

    exit codes
      0  it is shown
      1  its item cannot be read
      2  wrong command line, or several ids begin so
      3  no such container, no such stack
      4  a call of AWS failed

    examples
      reach inspect 4f5c
      reach inspect 4f5c --output json | jq .timings
    """
    opened_stack = opened(stack, profile=profile, region=region)
    record = opened_stack.get(container)
    shown = document(record, token=show_token)
    if output is Format.JSON:
        print_json(shown)
    else:
        console().print("\n".join(lines(shown)))
