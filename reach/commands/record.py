"""`reach events record`: takes events from a source, again and again when following."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError

from reach import Refused
from reach.options import Format, Output, Patience, Profile, Region, aws_client, console, print_json
from reach.recording.capture import Capture
from reach.recording.sources import LONGEST_POLL, Deliveries, Queue, Source

_PAUSE: Final = 1.0
"""Seconds between two readings of a local Fargate, which has no long poll."""


def record(  # noqa: PLR0913 - the options of the command line
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go. It is made if need be.")],
    queue: Annotated[
        str | None, typer.Option(metavar="URL", help="An SQS queue that a rule sends the events to.")
    ] = None,
    fargate: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="AWS_ENDPOINT_URL_ECS", help="Without --queue: the laptop's local Fargate."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    consume: Annotated[bool, typer.Option("--consume", help="Delete each message once its event is on disk.")] = False,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Capture the events of a running stack to files, without any secret.

    Captures `ECS Task State Change` events into a directory: one JSON file for
    each, named <n>-<status>-v<version>.json, and an index. No environment
    value, no argument of a command and nothing under a name like TOKEN, SECRET,
    PASSWORD or KEY is written; account numbers, addresses and names of images
    are. A directory that holds a capture is continued.

    Without --consume no message is deleted, and all can be received again. Each
    reading counts towards the queue's maxReceiveCount.

    exit codes
      0  what there was has been captured, also when it was nothing
      2  nothing could be captured: no queue, no permission, a directory that
         cannot be written

    examples
      reach events record --out capture --follow --queue "$QUEUE_URL"
      reach events record --out capture     from the laptop cloud, after . .local/env
      reach events replay capture
    """
    terminal = console(stderr=True)
    warn = terminal.print
    if queue is not None:
        client = aws_client("sqs", profile=profile, region=region, patience=Patience(read=LONGEST_POLL + 10))
        source: Source = Queue(client, queue, warn, consume=consume)
    elif consume:
        raise Refused("--consume is for a queue: give --queue too.")
    elif fargate is not None:
        source = Deliveries(fargate, warn)
    else:
        raise Refused("No source is named. What to do: give --queue. For the laptop cloud: make up, then . .local/env")
    with terminal.status("Capturing, until Ctrl-C ..." if follow else "Capturing ..."):
        run(source, out, follow=follow, output=output)


def run(
    source: Source, directory: Path, *, follow: bool, output: Format, sleep: Callable[[float], object] = time.sleep
) -> None:
    """Captures, and prints how much. Raises `Refused`."""
    try:
        capture = Capture(directory)
        try:
            new = _captured(source, capture, follow=follow, sleep=sleep)
        finally:
            source.close()
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        raise Refused(f"Nothing can be captured: {error}") from error
    if output is Format.JSON:
        print_json({"directory": str(directory), "new": new, "events": len(capture)})
    else:
        console().print(
            f"{new} new events; {len(capture)} in {directory}. Replay them: reach events replay {directory}"
        )


def _captured(source: Source, capture: Capture, *, follow: bool, sleep: Callable[[float], object]) -> int:
    """How many are new. Ctrl-C is the way to end a capture that follows, and no failure."""
    before = len(capture)
    try:
        source.take(capture, patience=LONGEST_POLL if follow else 1)
        while follow:
            sleep(_PAUSE)
            source.take(capture, patience=LONGEST_POLL)
    except KeyboardInterrupt:
        capture.write_index()
        if not follow:
            raise
    return len(capture) - before
