"""`python -m local`: the commands behind `make demo`, `make up` and `make down`, and `replay` and `record`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from local.cloud.cloud import AWS_PORT, LocalCloud, running, stop
from local.cloud.environment import read_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError
from local.recording.options import add_record
from local.replay.options import add_replay

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all went as announced."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        match options.command:
            case "up":
                return up(Layout(), options.speed)
            case "down":
                return down(Layout())
            case "replay" | "record":
                return _recorded(options, Layout())
            case _:
                from local.demo import main as demo  # noqa: PLC0415 - up and down need none of it

                return demo()
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        return INTERRUPTED


def up(layout: Layout, speed: str) -> int:
    """Starts the local cloud and leaves it running. One that runs already is named, not touched."""
    if running(layout):
        print("The local cloud runs already.")
    else:
        print("Starting the local cloud ...")
        LocalCloud(layout, port=AWS_PORT, speed=speed, say=lambda line: print(f"  {line}")).start()
    env = _shown(layout)
    values = read_environment(layout.env)
    print(f"""
  AWS endpoint   {values["AWS_ENDPOINT_URL"]}
  ECS endpoint   {values["AWS_ENDPOINT_URL_ECS"]}
  table          {values["CONTAINERS_TABLE_NAME"]}
  logs           {_shown(layout, layout.logs.name)}/

Use it:   . {env} && aws dynamodb scan --table-name "$CONTAINERS_TABLE_NAME"
Stop it:  make down""")
    return 0


def down(layout: Layout) -> int:
    """Stops the processes that `up` left running, and no others."""
    stopped = stop(layout)
    print(f"Stopped: {', '.join(stopped)}." if stopped else "The local cloud was not running.")
    return 0


def _recorded(options: argparse.Namespace, layout: Layout) -> int:
    if options.command == "replay":
        from local.replay.command import run as replay  # noqa: PLC0415 - up and down need none of it

        return replay(options, layout)
    from local.recording.command import run as record  # noqa: PLC0415 - up and down need none of it

    return record(options, layout)


def _shown(layout: Layout, name: str = "env") -> str:
    path = layout.directory / name
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal unwinds, and so stops everything; a second one must not interrupt that."""
    del number, frame
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="The local cloud: an AWS on loopback with the stack deployed to it, and Fargate tasks that really "
        "run. It needs no AWS account and no container engine.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser(
        "up",
        help="start it and leave it running; prints the endpoints and writes them to .local/env",
        description="Starts the local AWS and the local Fargate, builds and deploys template.yaml, and leaves all of "
        "it running. `. .local/env` then points the AWS CLI and boto3 at it.",
    )
    start.add_argument(
        "--speed",
        default="fast",
        help="pace of the local Fargate (default: %(default)s; see python -m local.fargate --help)",
    )
    commands.add_parser("down", help="stop what `up` left running")
    commands.add_parser("demo", help="start containers, find their agents, run a command in one, stop everything")
    add_replay(commands)
    add_record(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
