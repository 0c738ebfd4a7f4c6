"""`reach start`: starts a container, and shows how far it is."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

import typer

from core.adapters.clock import SystemClock
from core.model.errors import CallFailed, ContainerExited, ContainerFailed, ContainerNotFound
from core.model.record import Record
from core.model.state import State
from reach import FunctionRefused, Refused
from reach.exits import Exit
from reach.options import Format, Output, Profile, Region, StackName, bar, console, print_json
from reach.showing.documents import document
from reach.showing.story import story
from reach.showing.why import lines
from reach.showing.words import SHORT
from reach.stack.opening import Stack, opened
from reach.stack.waiting import Until, awaited
from reach.starting import options, words
from reach.starting.progress import Progress
from reach.starting.request import Request, request_of, variables
from reach.starting.sending import send


def start(  # noqa: PLR0913 - the options of the command line
    image: options.Image = None,
    command: options.Command = None,
    *,
    file: options.RequestFile = None,
    container_id: options.Id = None,
    detach: Annotated[bool, typer.Option("--detach/--wait", "-d", help="Do not wait. Prints the id alone.")] = False,
    until: Annotated[Until, typer.Option("--for", help="What to wait for.")] = Until.HEALTHY,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Of the wait. Default: as of reach wait.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and print the request. AWS is not called.")] = False,
    output: Output = Format.TEXT,
    env: options.Env = None,
    env_file: options.EnvFile = None,
    entrypoint: options.EntryPoint = None,
    user: options.User = None,
    workdir: options.Workdir = None,
    label: options.Label = None,
    cpus: options.Cpus = None,
    memory: options.Memory = None,
    stop_timeout: options.StopTimeout = None,
    ulimit: options.Ulimit = None,
    read_only: options.ReadOnly = False,
    cap_add: options.CapAdd = None,
    platform: options.Platform = None,
    capacity: options.CapacityOption = None,
    secret: options.Secret = None,
    token_delivery: options.TokenDeliveryOption = None,
    injection: options.InjectionOption = None,
    health_timeout: options.HealthTimeout = None,
    start_timeout: options.StartTimeout = None,
    max_lifetime: options.MaxLifetime = None,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Start a container, and wait until its agent answers.

    Prints id and address. COMMAND is needed: the image's own is not used. Options
    come before IMAGE, and win over the file's members. What has no option goes into
    the file (docs/start-request.schema.json). Ctrl-C leaves the container running.

    exit codes
      0    it is healthy, or ran and ended with 0; with --for ended: it ended
      1    refused, or it failed: shown as by reach why
      2    wrong command line or request: nothing was started
      3    no such stack; 4: a call of AWS failed
      124  the time is over; 130: interrupted. The container goes on

    examples
      reach start python:3.13-slim python -m http.server
      reach start -d -e DEBUG=1 -m 2g alpine tail -f /dev/null
    """
    given_variables = [line for path, content in variables(env_file or ()) for line in words.lines_of(content, path)]
    given_variables += env or ()
    limits = {
        "nano_cpus": None if cpus is None else words.nano_cpus(cpus),
        "memory_bytes": None if memory is None else words.memory_bytes(memory),
    }
    given = {
        "container_id": container_id,
        "image": image,
        "entrypoint": None if entrypoint is None else [entrypoint],
        "cmd": _without_dashes(command),
        "environment": words.environment(given_variables, os.environ) or None,
        "secrets": words.secrets(secret or ()) or None,
        "working_dir": workdir,
        "user": user,
        "labels": words.labels(label or ()) or None,
        "limits": {name: value for name, value in limits.items() if value is not None} or None,
        "platform": None if platform is None else words.platform(platform),
        "ulimits": None if ulimit is None else [words.ulimit(ulimit)],
        "stop_timeout": stop_timeout,
        "read_only_root": read_only or None,
        "cap_add": cap_add or None,
        "injection": injection,
        "token_delivery": token_delivery,
        "health_timeout": health_timeout,
        "start_timeout": start_timeout,
        "capacity": capacity,
        "max_lifetime": max_lifetime,
    }
    if image is None and file is None:
        raise Refused("There is nothing to start. What to do: reach start IMAGE COMMAND, or --request FILE")
    request = request_of(file, given)
    if dry_run:
        print_json(request.document)
        return
    _run(opened(stack, profile=profile, region=region), request, None if detach else until, timeout, output)


def _without_dashes(command: list[str] | None) -> list[str] | None:
    """`IMAGE -- COMMAND` is what other commands of `reach` take."""
    return (command[1:] if command[:1] == ["--"] else command) or None if command else None


def _run(stack: Stack, request: Request, until: Until | None, timeout: float | None, output: Format) -> None:
    container_id, image, clock = request.container_id, request.parsed.image, SystemClock()
    answer = None
    try:
        terminal, to_the_end = console(stderr=True), until is Until.ENDED
        with Progress(terminal, clock, container_id, image, to_the_end=to_the_end) as progress:
            answer = send(stack, request, clock)
            record = None if until is None else _awaited(stack, progress, container_id, until, timeout)
    except KeyboardInterrupt:
        _interrupted(container_id, answered=answer is not None)
    except FunctionRefused as refused:
        record = _failed_launch(stack, container_id, refused)
    except CallFailed as failed:
        if answer is None and failed.uncertain:
            _say_that_it_may_run(container_id)
        raise
    if record is not None:
        _report(stack, record, until, output)
    elif output is Format.JSON:
        print_json(answer)
    else:
        console().print(container_id)


def _awaited(stack: Stack, progress: Progress, container_id: str, until: Until, timeout: float | None) -> Record:
    """The record of the end of the wait, good or bad. Raises `WaitTimeout`, `CallFailed` and the like."""
    try:
        return awaited(stack.watched(progress), container_id, until, timeout)
    except (ContainerFailed, ContainerExited):
        return stack.client.get(container_id)


def _interrupted(container_id: str, *, answered: bool) -> NoReturn:
    short = container_id[:SHORT]
    said = "Interrupted" if answered else "Interrupted before the function answered"
    goes_on = "goes on" if answered else "may have been started"
    console(stderr=True).print(
        f"{said}: {container_id} {goes_on}. What to do: reach wait {short}, or reach stop {short}"
    )
    raise typer.Exit(Exit.INTERRUPTED)


def _say_that_it_may_run(container_id: str) -> None:
    """No answer came."""
    remedy = f"reach why {container_id[:SHORT]}, or send the same start again with --id {container_id}"
    same = "it is the same task, unless that one has ended"
    console(stderr=True).print(f"{container_id} may have been started. What to do: {remedy}: {same}.")


def _failed_launch(stack: Stack, container_id: str, refused: FunctionRefused) -> Record:
    """The record of a launch that AWS refused. Raises `refused` where it was the request that was refused."""
    try:
        record = stack.client.get(container_id)
    except ContainerNotFound:
        raise refused from None
    if record.error is None or record.error.message not in str(refused):
        raise refused
    return record


def _say_next(record: Record) -> None:
    """For a person alone."""
    terminal, short = console(stderr=True), record.container_id[:SHORT]
    if terminal.is_terminal and record.state is State.AGENT_HEALTHY:
        said = f"Next: reach exec {short} -- sh, reach logs {short}, reach stop {short}"
        terminal.print(said, style="dim")


def _report(stack: Stack, record: Record, until: Until | None, output: Format) -> None:
    """The end of the wait on standard output, and why it is none on standard error. Ends the command."""
    code = record.stop.exit_code if record.stop else None
    healthy = record.state is State.AGENT_HEALTHY
    good = healthy or (record.state is State.STOPPED and (until is Until.ENDED or code == 0))
    if output is Format.JSON:
        print_json(document(record))
    elif good:
        ended = f"exit code {'unknown' if code is None else code}"
        console().print(f"{record.container_id}  {record.agent_address if healthy else ended}")
        _say_next(record)
    else:
        terminal = console(stderr=True)
        for line in lines(story(record, SystemClock().now(), stack.last_lines(record)), bar=bar(terminal)):
            terminal.print(line)
    if not good:
        raise typer.Exit(Exit.FAILED)
