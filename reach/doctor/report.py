"""What an examination found, for a person and for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from rich.text import Text

from reach.doctor.findings import Reported, Status, Unknown, Wrong
from reach.showing.words import plain

_WORDS: Final = {Status.OK: "ok", Status.WRONG: "wrong", Status.UNKNOWN: "?"}
_STYLES: Final = {Status.OK: "green", Status.WRONG: "bold red", Status.UNKNOWN: "yellow"}
_MARGIN: Final = 32
"""Columns before what a check found."""


def lines(found: Sequence[Reported]) -> Iterator[Text]:
    """Every finding below the name of its group, and how many of each there are."""
    for group, members in groupby(found, key=lambda one: one.group):
        yield Text(group, style="bold")
        for one in members:
            yield from _finding(one)
    counts = Counter(one.finding.status for one in found)
    text = f"{counts[Status.OK]} ok, {counts[Status.WRONG]} wrong, {counts[Status.UNKNOWN]} could not be checked"
    yield Text(text, style=_STYLES[Status.WRONG if counts[Status.WRONG] else Status.OK])


def _finding(reported: Reported) -> Iterator[Text]:
    finding = reported.finding
    head = f"  {_WORDS[finding.status]:<6}"
    what = finding.why if isinstance(finding, Unknown) else finding.what
    yield Text.assemble((head, _STYLES[finding.status]), f"{reported.check:<{_MARGIN - len(head)}}{plain(what)}")
    if isinstance(finding, Wrong):
        yield Text(f"{'':<{_MARGIN}}What to do: {plain(finding.mend)}")
    if isinstance(finding, Unknown) and finding.permission:
        yield Text(f"{'':<{_MARGIN}}Lacks: {finding.permission}")


def document(stack: str, region: str, found: Sequence[Reported]) -> dict[str, Any]:
    """The same as JSON."""
    counts = Counter(one.finding.status for one in found)
    return {
        "stack": stack,
        "region": region,
        "findings": [one.document() for one in found],
        "summary": {status.value: counts[status] for status in Status},
    }
