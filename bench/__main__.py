"""`python -m bench`: one table of what was measured, against what was aimed at."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench import results
from bench.registry import MODULES, benchmark
from bench.rows import CannotMeasure, Row
from reach.signals import unwinding

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was measured, 1 when something could not be. Whether goals are reached is not judged."""
    asked = _parser().parse_args(arguments)
    with unwinding():
        return _measured(asked)


def _measured(asked: argparse.Namespace) -> int:
    progress = Console(stderr=True, highlight=False)
    rows: list[Row] = []
    for name in asked.only or MODULES:
        begun = time.monotonic()

        def say(line: str, begun: float = begun, name: str = name) -> None:
            progress.print(f"  {name}  {time.monotonic() - begun:4.0f} s  {line}")

        try:
            result = benchmark(name)(say)
        except CannotMeasure as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            progress.print("\nInterrupted; everything is stopped.")
            return INTERRUPTED
        rows += result.rows
        for path in results.written(name, result, time.monotonic() - begun):
            progress.print(f"  {name}  wrote {path.relative_to(results.ROOT)}", style="dim")
    if asked.output == "json":
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        console = Console()
        show(console if console.is_terminal else Console(width=160), rows)
    progress.print("`make docs` writes it into docs/measurements.md.", style="dim")
    return 0


def show(console: Console, rows: Sequence[Row]) -> None:
    """The table, and below it what explains each failure."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("point", "what", "goal", "measured", "of the goal", ""):
        table.add_column(head, justify="right" if head == "of the goal" else "left")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(
            row.point, row.what, row.goal, row.measured, ratio, "[green]pass[/]" if row.passed else "[red]FAIL[/]"
        )
    console.print(table)
    for row in rows:
        if row.why:
            console.print(f"\n[red]FAIL[/] {row.what}: {row.why}.", highlight=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures what is aimed at, prints one table, writes bench/results.json and the plots of docs/. "
        "Each line is a ratio within one run, or a count. 'of the goal' is how many times the goal is reached. "
        "Takes some minutes.",
    )
    parser.add_argument(
        "--only", choices=MODULES, action="append", help="this benchmark; may be repeated; the others' results stay"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="of the table (default: text)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
