"""Searches scenes, or removes safeguards and searches for what they are for. Prints a table; exit code 1 for a find."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final, TypeVar

from tests.interleavings.mutations import MUTATIONS, Mutation
from tests.interleavings.scene import Scene
from tests.interleavings.scenes import SCENES
from tests.interleavings.search import Searched, search

T = TypeVar("T")
STATES: Final = 30_000
_HEAD: Final = f"{'scene':17} {'states':>7} {'steps':>8} {'depth':>5}       {'runs':>5} {'s':>6}  about"
_MUTATED: Final = f"{'without':21} {'scene':17} {'states':>6} {'depth':>5} {'s':>5}  caught by"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    if options.mutations:
        return _mutations(options)
    scenes = [one for one in SCENES if not options.scene or one.name in options.scene]
    return _scenes(options, [replace(one, left=one.left._replace(trouble=_trouble(one, options))) for one in scenes])


def _trouble(scene: Scene, options: argparse.Namespace) -> int:
    return options.trouble if scene.left.trouble and options.trouble is not None else scene.left.trouble


def _scenes(options: argparse.Namespace, scenes: Sequence[Scene]) -> int:
    found: list[Searched] = []
    say = _quiet if options.output == "json" else print
    say(_HEAD)
    searched = partial(search, depth=options.depth, most=options.states)
    for scene, one in zip(scenes, _all(searched, scenes, options.jobs), strict=True):
        found.append(one)
        whole = "whole" if one.whole else "so far"
        say(
            f"{one.scene:17} {one.states:7} {one.transitions:8} {one.depth:5} {whole:6} {one.runs:4} {one.seconds:6.1f}"
            f"  {scene.about}"
        )
        for broken in one.broken:
            say(f"\n{broken}\n")
    say(
        f"{sum(one.states for one in found)} states, {sum(one.transitions for one in found)} steps: every rule held in "
        f"{sum(not one.broken for one in found)} of {len(found)} scenes, {sum(one.whole for one in found)} were whole"
    )
    if options.output == "json":
        print(json.dumps([asdict(one) for one in found], indent=2))
    return int(any(one.broken for one in found))


def _mutations(options: argparse.Namespace) -> int:
    say = _quiet if options.output == "json" else print
    say(_MUTATED)
    rows: list[dict[str, Any]] = []
    for mutation, one in zip(MUTATIONS, _all(_mutated, range(len(MUTATIONS)), options.jobs), strict=True):
        rules = [broken.rule for broken in one.broken]
        rows.append({**asdict(one), "without": mutation.name, "instead": mutation.without})
        say(
            f"{mutation.name:21} {mutation.scene:17} {one.states:6} {len(one.broken[0].path) if rules else '-':>5} "
            f"{one.seconds:5.1f}  {', '.join(rules) or 'NOTHING'} ({mutation.without})"
        )
    caught = sum(bool(row["broken"]) for row in rows)
    say(f"{caught} of {len(rows)} safeguards: a rule breaks without it")
    if options.output == "json":
        print(json.dumps(rows, indent=2))
    return int(caught < len(rows))


def mutated(mutation: Mutation) -> Searched:
    """Searches its scene without the safeguard, until a rule breaks."""
    with mutation.planted():
        return search(mutation.mutated_scene(), first=True, most=STATES)


def _mutated(which: int) -> Searched:
    """By its place: another process cannot be handed a mutation."""
    return mutated(MUTATIONS[which])


def _all(work: Callable[[Any], T], of: Iterable[Any], jobs: int) -> Iterator[T]:
    if jobs == 1:
        yield from map(work, of)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, of)


def _quiet(*_: object) -> None: ...


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.interleavings", description=__doc__)
    parser.add_argument(
        "--scene",
        action="append",
        choices=[scene.name for scene in SCENES],
        metavar="NAME",
        help=f"only this one; may be repeated: {', '.join(scene.name for scene in SCENES)}",
    )
    parser.add_argument("--mutations", action="store_true", help="remove each safeguard in turn: a rule must break")
    parser.add_argument("--depth", type=int, default=10_000, help="steps of each way at most (default: all there are)")
    parser.add_argument(
        "--states", type=int, default=STATES, help="states of a scene after which it is left (default: %(default)s)"
    )
    parser.add_argument("--trouble", type=int, help="how many things go wrong in each way, where any does (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--output", choices=["text", "json"], default="text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
