"""The command lines of `up`, `down` and `demo`, and what several commands share."""

from __future__ import annotations

import argparse
import ipaddress
from pathlib import Path
from typing import Final

from local.agent.package import MODULES
from local.cloud.cloud import AWS_PORT
from local.cloud.processes import LOOPBACK
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName

_LARGEST_PORT: Final = 65535

_UP: Final = """\
Starts the local AWS and the local Fargate, builds template.yaml if anything has changed, deploys it, and leaves all of
it running. `. .local/env` then points the AWS CLI and boto3 at it. Where it runs already, its endpoints are printed and
nothing is changed. When a process of it has ended, `up` stops the rest and starts all again, with an empty table."""

_AGENT: Final = """\
environment
  AGENT_BINARY=FILE   the agent to put into containers, unchanged, instead of the flavor's own: linked statically, so
                      that it runs in any image. The path may be relative to the caller's directory. For Docker mode.
                      Both flavors' own are Python programs: images need python3 for them.
"""

_UP_EPILOG: Final = f"""\
{_AGENT}
exit codes
  0  it is usable
  1  it could not be started, and nothing was left; the end of the log that says why is printed. Or one runs already,
     with other options than those given: it is left as it is
130  interrupted, and everything is stopped

examples
  python -m local up --runtime docker --speed real
  python -m local up --directory .local/second --port 4600      beside the first one
  python -m local down --directory .local/second
  make up ARGS="--runtime process --seed 7"
"""


def add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
        help="where the AWS endpoint should be; another one is taken, and said, when it is not free "
        f"(default: {AWS_PORT})",
    )
    up.add_argument(
        "--host",
        type=address,
        metavar="ADDRESS",
        help="the address of this machine to listen on; for `sam local invoke` one that containers reach, as the "
        f"Docker bridge's 172.17.0.1 (default: {LOOPBACK})",
    )
    _add_task_options(up)
    # Absent, not the default: what was not given does not contradict what runs.
    up.set_defaults(port=None, runtime=None, agent_flavor=None, speed=None)


def add_down(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    down = commands.add_parser(
        "down",
        help="stop what `up` left running",
        description="Stops what `up` left running, and what a command that was killed has left: processes, "
        "containers, .local/env. What stays: logs/, and until the next `up` fargate/ (file systems, staged images, "
        "what containers printed).",
    )
    add_directory(down)


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="start containers, find their agents, run a command in one, stop everything",
        description="Starts a local cloud, runs containers in it and a command in one of them, and stops everything.\n"
        "Exits with 0 only if every container ended as expected.",
        epilog=_AGENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_directory(demo)
    demo.add_argument("--picture", type=Path, metavar="FILE", help="write what is shown at the end as SVG, too")
    _add_task_options(demo)


def add_directory(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--directory",
        type=_directory,
        metavar="DIR",
        help="of the local cloud: its state, its logs and its env file; one cloud for each (default: .local)",
    )


# The types of options: argparse prints the message of an ArgumentTypeError behind the name of the option.


def speed(text: str) -> str:
    try:
        parse_speed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no speed: give fast, real, or a factor above 0 and up to 10 (1 is real)"
        ) from error
    return text


def runtime(text: str) -> RuntimeName:
    if text not in list(RuntimeName):
        raise argparse.ArgumentTypeError(f"{text!r} is no runtime: give {', '.join(RuntimeName)}")
    return RuntimeName(text)


def address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no IPv4 address of this machine") from error


def port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= _LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to {_LARGEST_PORT}")
    return int(text)


def _directory(text: str) -> Path:
    return Path(text).resolve()  # absolute, because the processes work in other directories


def _add_task_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runtime",
        type=runtime,
        default=RuntimeName.AUTO,
        metavar="|".join(RuntimeName),
        help="what containers are: processes of this machine, containers of Docker, or (auto) of Docker where an "
        "engine answers and has the base image that local/docker/base_image.sh makes (default: auto)",
    )
    command.add_argument(
        "--agent-flavor",
        choices=MODULES,
        default="spec",
        help="which agent containers get, and the stack's AgentFlavor: the reference agent, or one with the manners of "
        "the public Sockerless agent (default: spec)",
    )
    command.add_argument(
        "--speed",
        type=speed,
        default="fast",
        metavar="fast|real|FACTOR",
        help="how long the phases of a task take: tenths of a second each, what they take on Fargate, or that times "
        "a factor (default: fast)",
    )
    command.add_argument("--seed", type=int, metavar="N", help="makes these durations repeatable")
