"""The command line of `replay`."""

from __future__ import annotations

import argparse
from typing import Final

from local.cloud.options import add_directory

_DESCRIPTION: Final = """\
Feeds recorded `ECS Task State Change` events into the state machine, in the order given, and shows what each one
did: the transitions with their triggers, what the item learnt, what the stack would do next, and for every event
that changed nothing the reason. Offline by default: the same core as in Lambda, a fresh pending record for each
container, no AWS. Only task state changes are replayed; the prober's answers and the reconciler's looks are not."""

_EPILOG: Final = """\
what is read
  An event, a list of them, JSON lines, or documents one behind the other (Firehose); also what `aws sqs
  receive-message` prints, message bodies, Lambda's and SNS's envelopes, lines of CloudWatch Logs (`aws logs
  filter-log-events`), Lambda's dead letters, `/_local/events` of the local Fargate, and any of these in .gz.
  A directory is read in the order of its names; `-` is the standard input. EventBridge itself exports no archive:
  send its replay to a queue or a log group, or record with `python -m local record`.

exit codes
  0  every event was understood, whatever it did
  1  an event was malformed, or the function of the stack failed on one
  2  nothing could be replayed: no such file, no event, an ambiguous prefix, no stack

examples
  python -m local replay events/task-running.json events/task-stopped.json
  python -m local replay capture/ --shuffle --duplicate 0.3 --drop 0.2 --seed 7
  python -m local replay production.jsonl --adopt --main web
  python -m local replay dead-letters.json --stack --json | jq '.steps[] | select(.why)'

No value of an environment variable and no token is ever printed."""


def add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `replay`."""
    replay = commands.add_parser(
        "replay",
        help="feed recorded events into the state machine and show the life step by step",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("paths", nargs="+", metavar="PATH", help="files and directories; - is the standard input")
    whose = replay.add_argument_group("whose tasks")
    whose.add_argument("--prefix", help="first part of startedBy (default: the one in the events; of the stack's rule)")
    whose.add_argument(
        "--adopt",
        action="store_true",
        help="take every task for a container of ours, whoever started it: its id is the SHA-256 of the task's ARN. "
        "With --stack it is moved to the stack's cluster, and gets a pending item if it has none; the stack then "
        "asks the captured address, and soon finds that ECS does not know the task",
    )
    whose.add_argument(
        "--main",
        metavar="NAME",
        help="the container that the agent would be in (default: main; with --adopt the only one there is)",
    )
    delivery = replay.add_argument_group("delivery")
    delivery.add_argument("--shuffle", action="store_true", help="in any order")
    delivery.add_argument(
        "--duplicate", type=probability, default=0.0, metavar="P", help="each event comes twice with probability P"
    )
    delivery.add_argument(
        "--drop", type=probability, default=0.0, metavar="P", help="each event is lost with probability P"
    )
    delivery.add_argument("--seed", type=int, metavar="N", help="of these three (default: drawn, and printed)")
    offline = replay.add_argument_group("offline")
    offline.add_argument(
        "--every-event", action="store_true", help="feed what the stack's rule would not let through, too"
    )
    offline.add_argument("--early-probe", action="store_true", help="as a stack whose EarlyProbe is on")
    offline.add_argument("--agent-answers", action="store_true", help="every agent answers as soon as it is asked")
    stack = replay.add_argument_group("stack")
    stack.add_argument(
        "--stack",
        action="store_true",
        help="into the stack that `make up` left running (.local/env): its rule is asked, its function invoked",
    )
    add_directory(stack)
    stack.add_argument("--async", dest="wait", action="store_false", help="invoke as the bus does, without the answer")
    replay.add_argument("--json", action="store_true", help="one JSON document: prefix, seed, steps, containers")


def probability(text: str) -> float:
    """A number from 0 to 1. Raises `ArgumentTypeError`."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no probability: give a number from 0 to 1")
    return value
