"""Looks for input that breaks a parser, for so many seconds. What it finds goes into the corpus; exit code 1 then."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from time import monotonic
from traceback import format_exception_only
from typing import Any, Final

from hypothesis import HealthCheck, given, settings

from tests.fuzz.corpus import keep
from tests.fuzz.targets import TARGETS, Target

ROUND: Final = 200
"""Inputs of a target before it is the next one's turn."""


SIZE: Final = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    names = options.target or list(TARGETS)
    counts, found = dict.fromkeys(names, 0), dict[str, str]()
    end = monotonic() + options.seconds
    while monotonic() < end and len(found) < len(names):
        for name in names:
            if name not in found:
                counts[name] += ROUND
                if (problem := look(TARGETS[name], ROUND)) is not None:
                    found[name] = f"{problem[1]}, kept as {keep(name, problem[0])}"
    if options.output == "json":
        print(json.dumps({"inputs": counts, "found": found}, indent=2))
        return int(bool(found))
    for name in names:
        print(f"{name:12} {counts[name]:8} inputs  {found.get(name, 'nothing but documented refusals')}")
    print(f"{sum(counts.values())} inputs; {len(found)} of {len(names)} parsers broke")
    return int(bool(found))


def look(target: Target, most: int) -> tuple[Any, str] | None:
    """The smallest input that breaks it and the error, of so many; None when none does."""
    last: list[Any] = []

    @settings(SIZE, max_examples=most)
    @given(target.inputs)
    def run(given: Any) -> None:
        last[:] = [given]
        target.run(given)

    try:
        run()
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return last[0], format_exception_only(error)[0].splitlines()[0][:200]
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for how long (default: %(default)s)")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only this one; may be repeated")
    parser.add_argument("--output", choices=["text", "json"], default="text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
