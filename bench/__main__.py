"""`python -m bench`: the deployed stack against the polling start of the seed, both against their floor, in one run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import report
from bench.polling_backend import StartFailed
from bench.results import document
from bench.run import Options, run
from bench.systems import Unusable
from local.cloud.layout import ROOT
from local.cloud.processes import CloudError
from reach.signals import unwind_on_signals

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured. Whether the goals are met is printed, not judged."""
    parsed = _parser().parse_args(arguments)
    unwind_on_signals()
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    begun = time.monotonic()

    def say(line: str) -> None:
        console.print(f"  {time.monotonic() - begun:4.0f} s  {line}", highlight=False)

    options = Options(
        containers=parsed.containers,
        rounds=parsed.rounds,
        lives=parsed.lives,
        healthy_seconds=parsed.healthy,
        idle=parsed.idle,
        seed=parsed.seed,
        parameters=dict(parsed.parameter),
    )
    try:
        results = document(run(options, say))
    except (CloudError, StartFailed, Unusable) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.", file=sys.stderr)
        return INTERRUPTED
    report.show(console, results)
    for path in report.write(results, parsed.json, parsed.docs):
        console.print(f"[dim]{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}[/dim]")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the deployed stack on a local cloud of its own: how soon a backend knows that an agent "
        "listens, and how many AWS calls that takes; beside the polling start that it replaces, and above the floor of "
        "the bare calls. Read the ratios: absolute times are this machine's. Takes about four minutes.",
    )
    for name, kind, default, metavar, words in (
        ("--json", Path, ROOT / "bench" / "results.json", "PATH", "the results; the plot goes beside them"),
        ("--docs", Path, ROOT / "docs" / "measurements.md", "PATH", "the page about them"),
        ("--containers", _count, 10, "N", "containers started together in a round"),
        ("--rounds", _count, 5, "N", "rounds of each system, in turn"),
        ("--lives", _count, 3, "N", "containers of each system whose calls are counted"),
        ("--healthy", float, 15, "S", "seconds that these stay healthy"),
        ("--idle", _count, 1000, "N", "containers of the idle hour"),
        ("--seed", int, 1, "N", "of container ids, the idle containers' ages and the resampling"),
    ):
        shown = default.relative_to(ROOT) if isinstance(default, Path) else default
        parser.add_argument(name, type=kind, default=default, metavar=metavar, help=f"{words} (default: {shown})")
    parser.add_argument(
        "--parameter",
        type=_parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the stack, such as EarlyProbe=on; may be repeated",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
