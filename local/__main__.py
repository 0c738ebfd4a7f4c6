"""`python -m local`: the commands behind `make demo`, `make up` and `make down`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.cloud.command import down, up
from local.cloud.layout import Layout
from local.cloud.options import add_demo, add_down, add_up
from local.cloud.processes import CloudError
from local.moved_commands import HELP
from local.moved_commands import run as run_moved
from reach.signals import unwind_on_signals

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when all went as expected."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in HELP:
        return run_moved(arguments[0], arguments[1:])
    options = _parser().parse_args(arguments)
    layout = Layout(options.directory)
    unwind_on_signals()
    try:
        match options.command:
            case "up":
                return up(options, layout)
            case "down":
                return down(layout)
            case _:
                from local.demo.runner import main as demo  # noqa: PLC0415 - up and down need nothing of it

                return demo(options, layout)
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; what this command had started is stopped.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="The local cloud: an AWS on loopback with the stack deployed to it, and Fargate tasks that really "
        "run. It needs no AWS account and no container engine; where there is one, tasks can be containers of it.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (add_up, add_down, add_demo):
        add(commands)
    for name, text in HELP.items():
        commands.add_parser(name, help=text)
    return parser


if __name__ == "__main__":
    sys.exit(main())
