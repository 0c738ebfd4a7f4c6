"""`reach events replay`: reads events, brings them into disorder, applies them, shows what each one did."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import typer

from core.model.networks import ANYWHERE, networks
from core.model.policy import Policy
from reach import Refused
from reach.options import Format, Output, console, print_json
from reach.replaying import report
from reach.replaying.adoption import adopted, prefix_in, with_main
from reach.replaying.disorder import Disorder
from reach.replaying.offline import Offline
from reach.replaying.reading import Found, read
from reach.replaying.step import Outcome, Step

DEFAULT_PREFIX: Final = "sockerless"
_SEEDS: Final = 1_000_000
_STYLES: Final = {Outcome.MOVED: "bold", Outcome.MALFORMED: "red"}

_whose = partial(typer.Option, rich_help_panel="whose tasks")
_delivery = partial(typer.Option, rich_help_panel="delivery")
_probability = partial(_delivery, min=0, max=1, metavar="P")
_supposed = partial(typer.Option, rich_help_panel="what the stack would do")


def replay(  # noqa: PLR0913 - the options of the command line
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and directories; - is standard input.")],
    *,
    prefix: Annotated[str | None, _whose(help="Of startedBy. Default: the one in the events.")] = None,
    adopt: Annotated[bool, _whose("--adopt", help="Take every task for a container of ours.")] = False,
    main: Annotated[str | None, _whose(help="The agent's container. Default: main, or the only one.")] = None,
    shuffle: Annotated[bool, _delivery("--shuffle", help="In any order.")] = False,
    duplicate: Annotated[float, _probability(help="Each event comes twice with probability P.")] = 0.0,
    drop: Annotated[float, _probability(help="Each event is lost with probability P.")] = 0.0,
    seed: Annotated[int | None, _delivery(help="Of these three. Default: drawn, and printed.")] = None,
    every_event: Annotated[bool, _supposed("--every-event", help="Feed what the rule would withhold, too.")] = False,
    early_probe: Annotated[bool, _supposed("--early-probe", help="As a stack whose EarlyProbe is on.")] = False,
    agent_answers: Annotated[bool, _supposed("--agent-answers", help="Every agent answers when it is asked.")] = False,
    output: Output = Format.TEXT,
) -> None:
    """Feed recorded events into the state machine and show the life step by step.

    For each event: its transitions with their triggers, what the item learnt,
    what the stack would do next, or why nothing changed. It runs the core of
    the functions, without AWS, and prints no token and no variable's value. It
    reads events, what `aws sqs receive-message` prints, dead letters, lines of
    logs, directories, .gz (docs/operations.md, "Replay an incident").

    exit codes
      0  every event was understood, whatever it did
      1  an event was malformed
      2  nothing could be replayed: no such file, no event, an ambiguous prefix

    examples
      reach events replay capture/ --shuffle --duplicate 0.3 --drop 0.2 --seed 7
      reach events replay production.jsonl --adopt --main web
      reach events replay dead-letters.json --output json | jq '.steps[].why'
    """
    with console(stderr=True).status("Reading the events ..."):
        found = _read(paths)
    if prefix is None:
        prefix = (None if adopt else prefix_in(one.document for one in found)) or DEFAULT_PREFIX
    if adopt:
        found = [replace(one, document=adopted(one.document, prefix)) for one in found]
    if adopt or main:
        found = [replace(one, document=with_main(one.document, main)) for one in found]
    disorder = Disorder(
        seed=secrets.randbelow(_SEEDS) if seed is None else seed, shuffle=shuffle, duplicate=duplicate, drop=drop
    )
    policy = Policy(early_probe=early_probe, agent_networks=networks(ANYWHERE))
    machine = Offline(prefix=prefix, policy=policy, every_event=every_event, agent_answers=agent_answers)
    steps = map(machine.feed, disorder.applied(found))
    drawn = disorder.seed if disorder.any else None
    if output is Format.JSON:
        with console(stderr=True).status("Replaying them ..."):
            done = list(steps)
        print_json(report.document(done, machine.records(), prefix=prefix, seed=drawn))
    else:
        done = list(_shown(steps))
        console().print("\n".join(report.summary(done, machine.records())))
        if drawn is not None:
            console().print(f"Once more in this order: --seed {drawn}")
    raise typer.Exit(int(any(step.outcome is Outcome.MALFORMED for step in done)))


def _read(paths: Iterable[str]) -> list[Found]:
    try:
        found = list(read(paths))
    except OSError as error:
        raise Refused(f"{error.filename or paths}: {error.strerror or error}") from error
    if not found:
        raise Refused(f"There is no event in {', '.join(paths)}.")
    return found


def _shown(steps: Iterable[Step]) -> Iterator[Step]:
    """Each step is shown as soon as it is done."""
    terminal = console()
    for number, step in enumerate(steps, start=1):
        terminal.print("\n".join(report.lines(number, step)), style=_STYLES.get(step.outcome))
        yield step
