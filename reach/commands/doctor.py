"""`reach doctor`: examines the account that a stack is deployed to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated

import typer

from core.launch.request import Platform
from reach import Refused
from reach.doctor.asking import Aws
from reach.doctor.canary import IMAGE, Canary
from reach.doctor.deployed import Deployed
from reach.doctor.examination import examine
from reach.doctor.facts import Given
from reach.doctor.findings import Reported, Status
from reach.doctor.report import document, lines
from reach.exits import Exit
from reach.options import Format, Output, Patience, Profile, Region, StackName, aws_clients, console, print_json
from reach.stack.functions import SECONDS
from reach.stack.outputs import DEFAULT_NAME, NAME_VARIABLE


class Concern(StrEnum):
    """A group of checks (`reach.doctor.examination.GROUPS`)."""

    STACK = "stack"
    CLUSTER = "cluster"
    NETWORK = "network"
    STORAGE = "storage"
    ROLES = "roles"
    EVENTS = "events"
    FUNCTIONS = "functions"
    AGENT = "agent"


def doctor(  # noqa: PLR0913 - the options of the command line
    *,
    only: Annotated[
        list[Concern] | None, typer.Option("--only", help="Check this alone. May be repeated.", show_default=False)
    ] = None,
    backend_security_group: Annotated[
        str | None, typer.Option(metavar="SG", help="The backend's, to be let in on AgentPort.")
    ] = None,
    backend_cidr: Annotated[
        str | None, typer.Option(metavar="CIDR", help="Instead: the addresses that the backend has.")
    ] = None,
    architecture: Annotated[
        Platform, typer.Option(case_sensitive=False, help="Of the containers that you start.")
    ] = Platform.X86_64,
    canary: Annotated[bool, typer.Option("--canary", help="Start a container, reach it, stop it.")] = False,
    canary_image: Annotated[str, typer.Option(metavar="IMAGE", help="It needs `sleep`.")] = IMAGE,
    stack: StackName = None,
    profile: Profile = None,
    region: Region = None,
    output: Output = Format.TEXT,
) -> None:
    """Examine the account that a stack is deployed to.

    Each check ends as ok, as wrong with what mends it, or as "?": could not
    check, with the permission that it lacks. Only --canary changes anything: it
    starts a container, and stops it, at Ctrl-C too.

    exit codes
      0  nothing is wrong; "?" may be left
      1  something is wrong
      2  wrong command line, no Region

    examples
      reach doctor
      reach doctor --only network --backend-security-group sg-0a1b2c3d4e5f60718
      reach doctor --canary --output json | jq '.findings[] | select(.status != "ok")'
    """
    name = stack or os.environ.get(NAME_VARIABLE) or DEFAULT_NAME
    aws = Aws(aws_clients(profile=profile, region=region))
    given = Given(os.environ, _backend(backend_security_group, backend_cidr), architecture)
    with console(stderr=True).status("asking AWS ...") as status:

        def say(what: str) -> None:
            status.update(f"{what} ...")

        def life(of: Deployed) -> Iterator[Reported]:
            patient = aws_clients(profile=profile, region=region, patience=Patience(read=SECONDS))
            return Canary(aws, patient("lambda"), of, canary_image, architecture, say).life()

        with closing(examine(aws, name, given, only=only or (), say=say, canary=life if canary else None)) as findings:
            found = list(findings)
    if output is Format.JSON:
        print_json(document(name, aws.client("cloudformation").meta.region_name, found))
    else:
        for line in lines(found):
            console().print(line)
    if any(one.finding.status is Status.WRONG for one in found):
        raise typer.Exit(Exit.FAILED)


def _backend(group: str | None, cidr: str | None) -> str | None:
    """Raises `Refused`."""
    if group and cidr:
        raise Refused("--backend-security-group and --backend-cidr exclude each other. What to do: give one of them")
    if cidr:
        try:
            return str(ip_network(cidr))
        except ValueError as error:
            raise Refused(f"--backend-cidr {error}. What to do: give addresses as 10.0.0.0/16") from error
    return group
