"""Results as people read them: tables on the terminal, the file, the plot, the page in docs/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import tables
from bench.page import page
from bench.plot import plot


def show(console: Console, results: Mapping[str, Any]) -> None:
    """Prints everything there is to decide by."""
    for make in (tables.lags, tables.stages, tables.floor, tables.calls, tables.idle):
        console.print()
        console.print(_table(make(results)))
    cold, busy = results["cold"], results["processors_busy"]
    console.print(
        f"\nFirst start, every function cold: {cold['first_start_lag_ms']:.0f} ms. "
        f"Workers started while measuring: {cold['workers_started_while_measuring']}. "
        f"Processors busy: {busy['polling']:.0%} (polling start), {busy['reach']:.0%} (this stack), "
        f"{busy['busiest_round']:.0%} in the busiest round. "
        f"Observer's largest gap: {results['lag_ms']['observer_gap']:.0f} ms.",
        highlight=False,
    )
    if not results["quiet"]:
        console.print("[yellow]The machine was busy: run it again when nothing else runs.[/]")
    for goal, met in results["goals"].items():
        console.print(f"[{'green' if met else 'red'}]{'met   ' if met else 'MISSED'}[/]  {goal.replace('_', ' ')}")


def write(results: Mapping[str, Any], json_path: Path, docs_path: Path) -> list[Path]:
    """The file, the plot beside it, the page: their paths."""
    plot_path = json_path.with_suffix(".svg")
    for path, text in (
        (json_path, json.dumps(results, indent=2) + "\n"),
        (plot_path, plot(results)),
        (docs_path, page(results)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [json_path, plot_path, docs_path]


def _table(grid: tables.Grid) -> Table:
    table = Table(title=grid.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(grid.head):
        table.add_column(column, justify="right" if number else "left", header_style="dim")
    for row in grid.rows:
        table.add_row(*row)
    return table
