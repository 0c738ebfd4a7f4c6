"""The command line of `sam-local`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from local.cloud.options import add_directory

_DESCRIPTION: Final = """\
Runs the functions with `sam local invoke`: each in a container, as Lambda runs it, against a local cloud whose tasks
are containers too. Needs a Docker engine with the base image (local/docker/engine.sh, local/docker/base_image.sh).

Without arguments: a local cloud of its own, and the life of one container told to each of the five functions by its
file of events/. Answers and items are compared with what must be there. With a function: one invocation against the
local cloud that `make up ARGS="--runtime docker"` left running; the answer is printed, and on stderr the function's
log."""

_EPILOG: Final = """\
exit codes
  0  every function answered and changed what it must; or: the function answered
  1  one did not, or could not run; the reason is on stderr
130  interrupted, and what was started is stopped

examples
  python -m local sam-local
  python -m local sam-local StartContainer --event events/start-container.json
  python -m local sam-local Reconcile --event events/reconcile.json"""


def add_sam_local(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `sam-local`."""
    parser = commands.add_parser(
        "sam-local",
        help="run the functions with `sam local invoke`, against a local cloud with real containers",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("function", nargs="?", metavar="FUNCTION", help="TaskState, or TaskStateFunction, and so on")
    add_directory(parser)
    parser.add_argument("--event", type=Path, metavar="FILE", help="the event, a JSON file; `-` reads it from stdin")
    parser.add_argument(
        "--as-is",
        action="store_true",
        help="leave the task of a file of events/ alone. Without it, and when a task of that container runs, the event "
        "is about that one: about any other it would change nothing",
    )
    parser.set_defaults(refuse=parser.error)
