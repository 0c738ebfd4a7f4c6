"""`reach why`: the timeline of one container and its diagnosis."""

from __future__ import annotations

from typing import Annotated

import typer

from core.adapters.clock import SystemClock
from reach.options import Container, Format, Output, Profile, Region, StackName, bar, console, print_json
from reach.showing.story import story
from reach.showing.why import lines
from reach.stack.opening import opened


def why(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    logs: Annotated[bool, typer.Option("--logs/--no-logs", help="Read the last lines where they may help.")] = True,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Show why a container is as it is, and what to do.

    A bar for each phase of its current launch, to the scale of the longest
    phase of the start (`>`: longer); then what is true of it, or the code, the
    cause, the message and the remedy of its failure, its warning, and the
    launches that were given up. A phase that the item has no instant for is
    named together with the next one. All of it is read from the item, but the
    last lines of a container that failed, exited with an error or is silent.

    phases
      RunTask, network, host, pull, start   as ECS shows them
      address, agent                        until the address was found, until
                                            the agent answered
      up, stop                              until the container's end, until
                                            its task's

    exit codes
      0  it is shown, whatever it is
      1  its item cannot be read
      2  wrong command line, or several ids begin so
      3  no such container, no such stack
      4  a call of AWS failed

    examples
      reach why 4f5c
      reach why 4f5c --output json | jq -r .error.remedy
    """
    opened_stack = opened(stack, profile=profile, region=region)
    record = opened_stack.get(container)
    shown = story(record, SystemClock().now(), opened_stack.last_lines(record) if logs else None)
    if output is Format.JSON:
        print_json(shown)
        return
    terminal = console()
    for line in lines(shown, bar=bar(terminal)):
        terminal.print(line)
