"""Options that several commands share, and what they choose."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich.console import Console

from reach import Refused

_AWS = "AWS"


class Format(StrEnum):
    """What is printed on standard output."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", help="Text for a person, JSON for a program.")]
StackName = Annotated[
    str | None,
    typer.Option(
        "--stack",
        rich_help_panel=_AWS,
        help="Its name in CloudFormation. Default: $REACH_STACK, else sockerless-reach.",
        metavar="NAME",
    ),
]
ID = typer.Argument(metavar="ID", help="The id, or its first digits.", show_default=False)
"""`reach.app` gives it the ids that a shell completes it with: they come from the stack, which stands above."""
Container = Annotated[str, ID]
Profile = Annotated[
    str | None,
    typer.Option("--profile", rich_help_panel=_AWS, help="Profile of the AWS configuration.", metavar="NAME"),
]
Region = Annotated[
    str | None,
    typer.Option("--region", rich_help_panel=_AWS, help="Default: as for the AWS CLI.", metavar="NAME"),
]
DetachKeys = Annotated[
    str,
    typer.Option("--detach-keys", metavar="KEYS", help="They leave; '' for none."),
]


class Patience(NamedTuple):
    """Seconds until a connection and until an answer, and how often a call is tried: botocore waits five minutes."""

    connect: float = 5.0
    read: float = 10.0
    attempts: int = 3


PATIENCE: Final = Patience()


def aws_client(service: str, *, profile: str | None, region: str | None, patience: Patience = PATIENCE) -> Any:
    """A boto3 client that finds credentials, region and endpoint as the AWS CLI does. Raises `Refused`."""
    return aws_clients(profile=profile, region=region, patience=patience)(service)


def aws_clients(*, profile: str | None, region: str | None, patience: Patience = PATIENCE) -> Callable[[str], Any]:
    """Makes such clients of one session, which takes longer than each of them. Raises `Refused`, also when called."""
    import boto3  # noqa: PLC0415 - a third of the time that a command without AWS takes to start
    from botocore.config import Config  # noqa: PLC0415 - the same
    from botocore.exceptions import (  # noqa: PLC0415 - the same
        InvalidRegionError,
        NoRegionError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    from reach.answers import checked  # noqa: PLC0415 - the same

    config = Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"total_max_attempts": patience.attempts},
    )

    @contextmanager
    def configured() -> Iterator[None]:
        try:
            yield
        except (InvalidRegionError, NoRegionError, PartialCredentialsError, ProfileNotFound) as error:
            remedy = "give --region NAME or --profile NAME, set AWS_REGION or AWS_PROFILE, or run: aws configure"
            raise Refused(f"{str(error).removesuffix('.')}. What to do: {remedy}") from error

    with configured():
        # boto3 reads AWS_DEFAULT_REGION alone. In the AWS CLI AWS_REGION wins over it, and over the profile.
        session = boto3.session.Session(
            profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None
        )
        session.events.register("creating-client-class", checked)

    @configured()
    def client(service: str) -> Any:
        return session.client(service, config=config)  # type: ignore[call-overload]  # any service

    return client


def console(*, stderr: bool = False) -> Console:
    """Prints text as it is; with colour only on a terminal, and not under NO_COLOR."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One document on standard output."""
    typer.echo(json.dumps(document, indent=2))


def bar(terminal: Console) -> str:
    """A column of a bar, in what the terminal's encoding has."""
    return "=" if terminal.options.ascii_only else "━"
