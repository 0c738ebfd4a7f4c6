"""`reach logs`: what a container prints."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from core.adapters.clock import SystemClock
from core.model.parts import Logs
from core.model.record import Record
from reach import NotFound, Refused
from reach.options import Container, Format, Output, Profile, Region, StackName, console
from reach.output.following import PAUSE, follow, may_print
from reach.output.since import since as instant_of
from reach.output.stream import Line, Stream
from reach.showing.log_lines import as_json, as_text
from reach.showing.words import SHORT
from reach.stack.opening import Stack, opened


def _lines(text: str) -> int | None:
    if text != "all" and not (text.isascii() and text.isdecimal()):
        raise typer.BadParameter(f"{text!r} is neither a number of lines nor all.")
    return None if text == "all" else int(text)


def logs(  # noqa: PLR0913 - the options of the command line
    container: Container,
    *,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the container has ended.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", parser=_lines, metavar="N", help="The newest N lines. Default: all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="10m, 1h30m, 2026-11-23T10:00:00Z, or seconds of the epoch.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="When the log driver had each line.")] = False,
    launch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="A launch that was given up, as why counts them.")
    ] = None,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Print what a container prints: both its outputs, from CloudWatch Logs.

    On a terminal control characters are spelt out, elsewhere lines come as
    they are. With --output json a line is an object: timestamp and message.

    exit codes
      0    all is printed; with --follow: the container has ended
      1    its item cannot be read
      2    wrong command line, or no log group is configured
      3    no such container, stack, launch or log group
      4    a call of AWS failed
      130  interrupted: the end of --follow by Ctrl-C

    examples
      reach logs 4f5c --tail 100 --follow
      reach logs 4f5c --since 10m --output json | jq -r .message
    """
    from_then = None if since is None else instant_of(since, SystemClock().now())
    opened_stack = opened(stack, profile=profile, region=region)
    record = opened_stack.get(container)
    place, task = _place_of(record, launch)
    if following and task is None and not record.state.ended:
        record = _with_a_task(opened_stack, record)
        place, task = _place_of(record, launch)
    if place.stream is None:
        _say(f"{record.container_id[:SHORT]} has no task, so it has printed nothing.")
        return
    stream = Stream(opened_stack.logs(), place.group, place.stream, since=from_then)
    printer = _Printer(output, timestamps=timestamps)
    printer.print(stream.rest() if tail is None else stream.last(tail))
    if following:
        found = record.container_id
        printer.print(follow(stream, lambda: may_print(opened_stack.client.get(found), task), SystemClock()))
    if not stream.exists:
        _say(f"{record.container_id[:SHORT]} has printed nothing.")


def _place_of(record: Record, launch: int | None) -> tuple[Logs, str | None]:
    """Where the output of that launch is, the current one by default, and its task. Raises `Refused`, `NotFound`."""
    short = record.container_id[:SHORT]
    if record.logs is None:
        raise Refused(
            f"No log group has the output of {short}. What to do: set the stack parameter TaskLogGroup, or log.group "
            "of the start request, and start it again. Until then: reach attach"
        )
    if launch is None or launch == record.attempt:
        return record.logs, record.task_arn
    if launch > record.attempt:
        current = f"its current one is {record.attempt}"
        raise NotFound(f"{short} has no launch {launch}: {current}. What to do: reach why {short}")
    task = record.launches[launch - 1].task_arn
    return record.logs.of_task(task), task


def _with_a_task(stack: Stack, record: Record) -> Record:
    """The record when a task of it is known, or when it has ended."""
    clock = SystemClock()
    while record.task_arn is None and not record.state.ended:
        clock.sleep(PAUSE)
        record = stack.client.get(record.container_id)
    return record


class _Printer:
    def __init__(self, output: Format, *, timestamps: bool) -> None:
        self._json = output is Format.JSON
        self._timestamps = timestamps
        self._terminal = sys.stdout.isatty()

    def print(self, lines: Iterable[Line]) -> None:
        """`color`: or typer takes the escape sequences out."""
        for line in lines:
            text = as_text(line.at, line.text, timestamps=self._timestamps, terminal=self._terminal)
            typer.echo(as_json(line.at, line.text) if self._json else text, color=True)


def _say(text: str) -> None:
    console(stderr=True).print(text)
