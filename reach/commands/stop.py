"""`reach stop`: records a stop, and may wait for the end."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from core.model.errors import ContainerFailed
from core.model.record import Record
from reach.options import Container, Format, Output, Profile, Region, StackName, console, print_json
from reach.showing.documents import document
from reach.showing.words import SHORT
from reach.stack.opening import Stack, opened

END_SECONDS: Final = 210.0
"""Fargate's longest stop_timeout, 120 s, and the 90 s that ECS may take to show the end (backend.md "stop")."""


def stop(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Of --wait.")] = END_SECONDS,
    reason: Annotated[str, typer.Option(help="ECS shows it as the task's stoppedReason.")] = "Stopped by reach stop.",
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Stop a container: SIGTERM, then SIGKILL after its stop_timeout.

    The stop is recorded before ECS is called, and repeated until ECS has taken
    it. A container that has ended stays as it is.

    exit codes
      0    the stop is recorded; with --wait: it has ended, however
      1    the function refused; with --wait: it was started again meanwhile
      2    wrong command line, or several ids begin so
      3    no such container, no such stack
      4    a call of AWS failed
      124  --wait: the time is over, and the stop goes on

    examples
      reach stop 4f5c --wait
      reach ps --output json | jq -r '.containers[].id' | xargs -n1 reach stop
    """
    opened_stack = opened(stack, profile=profile, region=region)
    found = opened_stack.whole_id(container)
    answer = opened_stack.stop(found, reason)
    if wait:
        with console(stderr=True).status(f"Until {found[:SHORT]} has ended ..."):
            record = _ended(opened_stack, found, timeout)
        shown, said = document(record), f"{found[:SHORT]} has ended: {record.state}"
    else:
        shown, said = answer, f"The stop of {found[:SHORT]} is recorded. Its state: {answer['state']}"
    if output is Format.JSON:
        print_json(shown)
    else:
        console().print(said)


def _ended(stack: Stack, container_id: str, timeout: float) -> Record:
    """A container that failed has ended, too."""
    try:
        return stack.client.wait_until_ended(container_id, timeout).record
    except ContainerFailed:
        return stack.client.get(container_id)
