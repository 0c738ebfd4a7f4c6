"""What the command shows: lines for a person, a document for a program, and its progress on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.text import Text

from core.model.instants import format_instant
from core.ports import Clock
from reach.options import console
from reach.showing.words import duration, plain, table
from reach.staging.plans import Plan
from reach.staging.versions import Report


@contextmanager
def progress(clock: Clock) -> Iterator[Callable[[str], None]]:
    """Gives a function that says each step, with the seconds so far. On a terminal the newest one moves."""
    terminal, begun = console(stderr=True), clock.monotonic()

    def line(text: str) -> str:
        return f"{duration(clock.monotonic() - begun):>8}  {plain(text)}"

    if not terminal.is_terminal:
        yield lambda text: terminal.print(line(text))
        return
    with terminal.status("") as status:

        def say(text: str) -> None:
            terminal.print(line(text), style="dim")
            status.update(Text(f"{plain(text)} ..."))

        yield say


def planned(plan: Plan) -> dict[str, Any]:
    """A dry run, as JSON."""
    return {"directory": plan.place, "steps": list(plan.steps)}


def document(plan: Plan, report: Report) -> dict[str, Any]:
    """A report, as JSON. `before` is the version that was in use; null where nothing was."""
    return {
        "directory": plan.place,
        "version": report.staged,
        "sha256": report.sha256,
        "new": report.new,
        "before": report.before,
        "current": report.listing.current,
        "versions": [
            {"version": one.name, "size": one.size, "staged_at": format_instant(one.staged_at)}
            for one in report.listing.versions
        ],
    }


def result(plan: Plan, report: Report) -> Iterator[str]:
    """What became of a version that was staged or switched to."""
    current, before = report.listing.current, report.before
    if report.staged:
        is_staged = "is staged" if report.new else "was staged already"
        yield f"Version {report.staged} {is_staged} in {plan.place}"
    if current == before and not report.new:
        yield f"Nothing changed: the next task runs version {current}."
    elif current == before:
        yield f"The next task runs version {current}, as before. To use this one: --switch {report.staged}"
    else:
        yield f"The next task runs version {current}" + (f"; before, {before}." if before else ".")


def listed(plan: Plan, report: Report) -> list[Text]:
    """The versions, the newest first, and which one is in use."""
    current, versions = report.listing.current, report.listing.versions
    if not versions:
        return [Text(f"No version is staged in {plan.place}" + (f"; in use is {current}." if current else "."))]
    rows, styles = [("", "version", "bytes", "staged")], ["dim"]
    for one in sorted(versions, key=lambda one: one.staged_at, reverse=True):
        used = one.name == current
        rows.append(("*" if used else "", plain(one.name), f"{one.size:,}", format_instant(one.staged_at)))
        styles.append("bold" if used else "")
    return [Text(plan.place), *table(rows, styles), Text("* the next task runs it", style="dim")]
