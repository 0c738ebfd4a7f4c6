"""The command line of `record`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from local.cloud.options import add_directory

_DESCRIPTION: Final = """\
Captures `ECS Task State Change` events into a directory: one JSON file for each, named <n>-<status>-v<version>.json,
and an index. Without --queue from the local Fargate that `make up` left running; with it from a queue in AWS that a
rule of EventBridge sends to, with the credentials and the region of the environment. No environment value, no
argument of a command and nothing under a name like TOKEN, SECRET, PASSWORD or KEY is written; account numbers,
addresses and names of images are. A directory that holds a capture is continued."""

_EPILOG: Final = """\
exit codes
  0  what there was has been captured, also when it was nothing
  2  nothing could be captured: no stack, no queue, no permission, a directory that cannot be written

examples
  python -m local record --out capture
  python -m local record --out capture --follow              until Ctrl-C
  python -m local record --out capture --queue https://sqs.eu-central-1.amazonaws.com/123456789012/task-events
  python -m local replay capture"""


def add_record(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `record`."""
    record = commands.add_parser(
        "record",
        help="capture the events of a running stack to files, without any secret",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    record.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go; made if need be")
    record.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    record.add_argument("--queue", metavar="URL", help="an SQS queue that a rule sends the events to")
    add_directory(record)
    record.add_argument(
        "--consume",
        action="store_true",
        help="delete each message once its event is on disk. Without it nothing is deleted, and the messages can be "
        "received again; each reading counts towards the queue's maxReceiveCount",
    )
