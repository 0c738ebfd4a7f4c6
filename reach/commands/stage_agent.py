"""`reach stage-agent`: the agent into the directory that tasks mount, version by version."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from core.adapters.clock import SystemClock
from core.launch.request import Platform
from core.launch.settings import Settings
from reach import Refused
from reach.options import Format, Output, Patience, Profile, Region, StackName, aws_client, console, print_json
from reach.stack.outputs import DEFAULT_NAME, NAME_VARIABLE, described, outputs_of, parameters_of
from reach.staging.access import access
from reach.staging.bucket import Bucket
from reach.staging.plans import Plan, Wish, on_efs, on_s3_files
from reach.staging.running import Aws, OneOff
from reach.staging.showing import document, listed, planned, progress, result
from reach.staging.target import Storage, settings_of, storage_of
from reach.staging.task import Order, check
from reach.staging.versions import NAME, Report

SECONDS: Final = 600.0
"""A task of Fargate is up within two minutes. Copying takes seconds."""

_efs = partial(typer.Option, rich_help_panel="EFS: a one-off task")


def stage_agent(  # noqa: PLR0913 - the options of the command line
    *,
    to: Annotated[Storage | None, typer.Option(help="Default: what the stack's tasks mount.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="BINARY", help="To s3-files.")] = None,
    image: Annotated[str | None, typer.Option(help="To efs. Default: AgentImage.")] = None,
    architecture: Annotated[Platform, typer.Option(case_sensitive=False, help="Of the tasks.")] = Platform.X86_64,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Take any file, a script too.")] = False,
    version: Annotated[str | None, typer.Option(metavar="NAME", help="Default: from its SHA-256.")] = None,
    no_switch: Annotated[bool, typer.Option("--no-switch", help="Stage it beside the one in use.")] = False,
    switch: Annotated[str | None, typer.Option(metavar="NAME", help="Use a version that is staged.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show what is staged.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    tools_image: Annotated[str | None, _efs(metavar="IMAGE", help="One with sh. Default: the agent's.")] = None,
    copy_command: Annotated[str | None, _efs(metavar="A,B,C", help="Default: AgentCopyCommand.")] = None,
    role: Annotated[str | None, _efs(metavar="ARN", help="To write as. Default: see docs/deploy.md.")] = None,
    timeout: Annotated[float, _efs(min=1, metavar="SECONDS", help="Of the task.")] = SECONDS,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Stage the agent where tasks mount it, and switch between its versions.

    A version is kept as it is; the switch is atomic, for the next task. To EFS
    a one-off task copies it out of the image; nothing of the task stays.

    exit codes
      0    done, or nothing to do
      1    the binary is no agent for these tasks, or the task failed
      2    wrong command line; the stack's tasks mount no agent
      3    no such stack
      4    a call of AWS failed
      124  the task took too long
      130  interrupted; what was made for it is removed

    examples
      reach stage-agent --file sockerless-agent --version 2.1
      reach stage-agent --image registry.example.com/agent:2.1
      reach stage-agent --switch 2.0
    """
    wish = Wish(None if unchecked else architecture, version, not no_switch, switch, listing)
    _check(wish, file, image)
    stack = stack or os.environ.get(NAME_VARIABLE) or DEFAULT_NAME
    client = partial(aws_client, profile=profile, region=region)
    with progress(SystemClock()) as say:
        say(f"stack {stack}")
        values = {**_values(stack, client), **_given(AgentImage=image, AgentCopyCommand=copy_command)}
        settings = settings_of(stack, values)
        if storage_of(stack, settings, to) is Storage.S3_FILES:
            plan = _to_bucket(settings, client, wish, file, image, say)
        else:
            _check_efs(stack, settings, file)
            order = _order(settings, values, wish, tools_image, architecture, client)
            written = access(settings, client("efs"), role)
            aws = Aws(client("ecs"), client("efs"), client("logs"), SystemClock(), say)
            plan = on_efs(OneOff(aws, settings, order, written), wish, timeout)
        report = None if dry_run else plan.perform()
    _show(plan, report, wish, output)


def _check(wish: Wish, file: Path | None, image: str | None) -> None:
    if sum(map(bool, (wish.listing, wish.switch_to, file or image))) > 1 or (file and image):
        raise Refused("--list, --switch, --file and --image exclude each other. What to do: give one of them.")
    for name in filter(None, (wish.version, wish.switch_to)):
        if not NAME.fullmatch(name):
            raise Refused(f"{name!r} is no version. What to do: up to 64 letters, digits, dots, hyphens, underscores.")


def _values(stack: str, client: Callable[[str], Any]) -> dict[str, str]:
    """A stack's parameters and outputs: those of a foundation are called as the parameters that they are for."""
    found = described(stack, client("cloudformation"))
    return {**outputs_of(found), **parameters_of(found)}


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _to_bucket(  # noqa: PLR0913, PLR0917 - what the command has been given
    settings: Settings,
    client: Callable[..., Any],
    wish: Wish,
    file: Path | None,
    image: str | None,
    say: Callable[[str], None],
) -> Plan:
    if image:
        raise Refused("S3 Files takes a file of this machine, and no image. What to do: --file BINARY")
    # A slow line takes its time for the last of a binary before S3 answers.
    s3 = client("s3", patience=Patience(read=60.0))
    return on_s3_files(Bucket.of(settings, client("s3files"), s3), wish, file, say)


def _check_efs(stack: str, settings: Settings, file: Path | None) -> None:
    if file:
        raise Refused(
            "EFS is reached from inside the VPC alone, so a task copies the agent out of an image. What to do: put it "
            "into one, and give --image IMAGE (docs/deploy.md, Init container)."
        )
    check(stack, settings)


def _order(  # noqa: PLR0913, PLR0917 - what a task depends on
    settings: Settings,
    values: Mapping[str, str],
    wish: Wish,
    tools_image: str | None,
    platform: Platform,
    client: Callable[[str], Any],
) -> Order:
    copies = not (wish.listing or wish.switch_to)
    tools = tools_image or settings.agent_image
    if not tools or (copies and not settings.agent_image):
        raise Refused(
            "The stack has no AgentImage, so no image is known to copy the agent from, or to run the script in. "
            f"What to do: {'--image IMAGE' if copies else '--tools-image IMAGE, one with sh'}"
        )
    cluster, region = values.get("ClusterName", "default"), client("ecs").meta.region_name
    return Order(secrets.token_hex(4), tools, platform, copies, cluster, region)


def _show(plan: Plan, report: Report | None, wish: Wish, output: Format) -> None:
    if output is Format.JSON:
        print_json(planned(plan) if report is None else document(plan, report))
        return
    if report is None:
        lines: list[Any] = [f"{number}. {step}" for number, step in enumerate(plan.steps, 1)] or ["Nothing to do."]
    else:
        lines = listed(plan, report) if wish.listing else list(result(plan, report))
    for line in lines:
        console().print(line)
