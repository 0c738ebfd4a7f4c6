"""The command lines of `up`, `down` and `demo`, and what several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from local.cloud.cloud import AWS_PORT
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName

_LARGEST_PORT: Final = 65535

_UP: Final = """\
Starts the local AWS and the local Fargate, builds template.yaml if anything has changed, deploys it, and leaves all of
it running. `. .local/env` then points the AWS CLI and boto3 at it. A keeper stays beside them and starts again what
crashes, on the same port; when the local AWS crashed, whose state is in memory, the stack is deployed anew and is
empty. The logs say so. Where it runs already, its endpoints are printed and nothing is changed."""

_UP_EPILOG: Final = """\
exit codes
  0  it is usable
  1  it could not be started, and nothing was left; the end of the log that says why is printed
130  interrupted, and everything is stopped

examples
  python -m local up --runtime docker --speed real
  python -m local up --directory .local/second --port 4600      beside the first one
  python -m local down --directory .local/second
  make up ARGS="--runtime process --seed 7"
"""


def add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `up`."""
    up = commands.add_parser(
        "up",
        help="start it and leave it running; prints the endpoints and writes them to .local/env",
        description=_UP,
        epilog=_UP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_directory(up)
    up.add_argument(
        "--port",
        type=port,
        default=AWS_PORT,
        help="where the AWS endpoint should be; another one is taken, and said, when it is not free "
        "(default: %(default)s)",
    )
    _add_manner(up)


def add_down(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `down`."""
    down = commands.add_parser(
        "down",
        help="stop what `up` left running",
        description="Stops the keeper that `up` left running and all that it keeps, and removes what one that was "
        "killed has left: processes, containers, .local/env. Logs stay.",
    )
    add_directory(down)


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `demo`."""
    demo = commands.add_parser(
        "demo",
        help="start containers, find their agents, run a command in one, stop everything",
        description="Starts a local cloud, lets containers live their lives in it, runs a command in one of them, and "
        "stops everything. Exits with 0 only if every container ended as announced.",
    )
    add_directory(demo)
    _add_manner(demo)


def add_directory(command: argparse._ActionsContainer) -> None:
    """Adds `--directory`."""
    command.add_argument(
        "--directory",
        type=_directory,
        metavar="DIR",
        help="of the local cloud: its state, its logs and its env file; one cloud for each (default: .local)",
    )


def speed(text: str) -> str:
    """A pace of the local Fargate, as it is. Raises `ArgumentTypeError` with what a pace is."""
    try:
        parse_speed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no speed: give fast, real, or a factor above 0 and up to 10 (1 is real)"
        ) from error
    return text


def port(text: str) -> int:
    """A TCP port. Raises `ArgumentTypeError`."""
    if not (text.isdecimal() and 0 < int(text) <= _LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to {_LARGEST_PORT}")
    return int(text)


def _directory(text: str) -> Path:
    # Absolute, because the processes work in other directories.
    return Path(text).resolve()


def _add_manner(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runtime",
        type=RuntimeName,
        choices=list(RuntimeName),
        default=RuntimeName.AUTO,
        help="what containers are: processes of this machine, containers of Docker, or (auto) of Docker where an "
        "engine answers and has the base image that local/docker/base_image.sh makes (default: %(default)s)",
    )
    command.add_argument(
        "--speed",
        type=speed,
        default="fast",
        metavar="fast|real|FACTOR",
        help="how long the phases of a task take: tenths of a second each, what they take on Fargate, or that times "
        "a factor (default: %(default)s)",
    )
    command.add_argument("--seed", type=int, metavar="N", help="makes these durations repeatable")
