"""`python -m local replay`: reads, brings into disorder, feeds, shows."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from core.model.errors import ReachError
from core.model.policy import Policy
from local.cloud.environment import read_environment
from local.cloud.layout import Layout
from local.replay import report
from local.replay.adoption import AmbiguousPrefix, adopted, prefix_in, with_main
from local.replay.disorder import Disorder
from local.replay.offline import Offline
from local.replay.reading import Found, read
from local.replay.stack import Deployed, deployed
from local.replay.step import UNREADABLE, Machine, Step

DEFAULT_PREFIX: Final = "sockerless"
NOTHING_REPLAYED: Final = 2
_SEEDS: Final = 1_000_000


class NothingToReplay(Exception):
    """The message says why, and what to do."""


def run(options: argparse.Namespace, layout: Layout) -> int:
    """The exit code; `options` are those of `add_replay`."""
    try:
        found = _read(options.paths)
        machine, prefix, cluster = _machine(options, layout, found)
        events = [_prepared(one, options, prefix, cluster) for one in found]
        disorder = _disorder(options)
        steps = _fed(machine, disorder.applied(events), quiet=options.json)
        records = machine.records()
    except (NothingToReplay, AmbiguousPrefix) as error:
        print(error, file=sys.stderr)
        return NOTHING_REPLAYED
    except (BotoCoreError, ClientError, ReachError) as error:
        print(f"The stack cannot be asked: {error}\nWhat to do: make up", file=sys.stderr)
        return NOTHING_REPLAYED
    seed = disorder.seed if disorder.any else None
    if options.json:
        print(json.dumps(report.document(steps, records, prefix=prefix, seed=seed), indent=2))
    else:
        print("\n".join(report.summary(steps, records)))
        if seed is not None:
            print(f"Once more in this order: --seed {seed}")
    return int(any(step.outcome in UNREADABLE for step in steps))


def _read(paths: Iterable[str]) -> list[Found]:
    try:
        found = list(read(paths))
    except OSError as error:
        raise NothingToReplay(f"{error.filename or paths}: {error.strerror or error}") from error
    if not found:
        raise NothingToReplay(f"There is no event in {', '.join(paths)}.")
    return found


def _machine(options: argparse.Namespace, layout: Layout, found: Iterable[Found]) -> tuple[Machine, str, str | None]:
    """What to feed, the prefix of ours, and the cluster to which adopted tasks move, if any."""
    if options.stack:
        stack = _stack(options, layout)
        return stack, stack.rule.prefix, stack.rule.cluster_arn
    prefix = options.prefix or (None if options.adopt else prefix_in(one.document for one in found)) or DEFAULT_PREFIX
    policy = replace(Policy(), early_probe=options.early_probe)
    offline = Offline(
        prefix=prefix, policy=policy, every_event=options.every_event, agent_answers=options.agent_answers
    )
    return offline, prefix, None


def _stack(options: argparse.Namespace, layout: Layout) -> Deployed:
    try:
        stack = deployed(read_environment(layout.env), wait=options.wait, create=options.adopt)
    except FileNotFoundError as error:
        raise NothingToReplay(f"No local cloud is up: there is no {layout.env.name}.\nWhat to do: make up") from error
    except (KeyError, IndexError) as error:
        raise NothingToReplay(f"The stack in {layout.env} is not complete: {error}.") from error
    if options.prefix not in (None, stack.rule.prefix):
        raise NothingToReplay(f"The stack's prefix is {stack.rule.prefix}, not {options.prefix}: its rule says so.")
    return stack


def _prepared(found: Found, options: argparse.Namespace, prefix: str, cluster: str | None) -> Found:
    document: Any = found.document
    if options.adopt:
        document = adopted(document, prefix, cluster_arn=cluster)
    if options.adopt or options.main:
        document = with_main(document, options.main)
    return replace(found, document=document)


def _disorder(options: argparse.Namespace) -> Disorder:
    seed = secrets.randbelow(_SEEDS) if options.seed is None else options.seed
    return Disorder(seed=seed, shuffle=options.shuffle, duplicate=options.duplicate, drop=options.drop)


def _fed(machine: Machine, events: Sequence[Found], *, quiet: bool) -> list[Step]:
    """Each step is shown as soon as it is done."""
    steps = []
    for number, one in enumerate(events, start=1):
        step = machine.feed(one)
        steps.append(step)
        if not quiet:
            print("\n".join(report.lines(number, step)))
    return steps
