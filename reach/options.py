"""Options that several commands share, and what they choose."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

_AWS = "AWS"


class Format(StrEnum):
    """What is printed on standard output."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", help="Text for a person, or one JSON document for a program.")]
Profile = Annotated[
    str | None,
    typer.Option("--profile", rich_help_panel=_AWS, help="Profile of the AWS configuration.", metavar="NAME"),
]
Region = Annotated[
    str | None,
    typer.Option("--region", rich_help_panel=_AWS, help="Default: as for the AWS CLI.", metavar="NAME"),
]


def aws_client(service: str, *, profile: str | None, region: str | None) -> Any:
    """A boto3 client that finds credentials, region and endpoint as the AWS CLI does."""
    import boto3  # noqa: PLC0415 - a third of the time that a command without AWS takes to start

    session = boto3.session.Session(profile_name=profile, region_name=region)
    return session.client(service)  # type: ignore[call-overload]  # any service


def console(*, stderr: bool = False) -> Console:
    """Prints text as it is; with colour only on a terminal, and not under NO_COLOR."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One document on standard output."""
    typer.echo(json.dumps(document, indent=2))
