"""`reach ps`: the containers of a stack."""

from __future__ import annotations

from typing import Annotated

import typer

from core.adapters.clock import SystemClock
from reach.options import Format, Output, Profile, Region, StackName, console, print_json
from reach.showing.documents import documents
from reach.showing.listing import listing
from reach.stack.opening import opened


def ps(
    *,
    ended: Annotated[bool, typer.Option("--all", "-a", help="Ended ones too: a scan of the whole table.")] = False,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """List the live containers, the newest start first.

    SINCE is how long the state has lasted. An ended container is there for
    RecordRetentionDays. A start of the last second may be missing without
    --all. An item of a newer version is named, and not left out.

    exit codes
      0  they are listed, also when there are none
      2  wrong command line
      3  no such stack
      4  a call of AWS failed

    examples
      reach ps
      reach ps --all --output json | jq -r '.containers[] | select(.state == "failed") | .id'
    """
    with console(stderr=True).status("Reading the table ..."):
        found = opened(stack, profile=profile, region=region).client.list(ended=ended)
    if output is Format.JSON:
        print_json(documents(found))
    else:
        for line in listing(found, SystemClock().now()):
            console().print(line)
