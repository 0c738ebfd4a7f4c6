"""docs/reliability.md names the rules that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.exploration import ends, writes
from tests.interleavings import judge, search, steps

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SOURCES = [Path(str(module.__file__)) for module in (ends, writes, judge, search, steps)]
YIELDED = re.compile(r'(?:yield |\(\()"([a-z-]+)", ')


def test_every_rule_has_its_promise() -> None:
    """A rule that the explorations check is in the table of promises, and the table names no other."""
    checked = {rule for source in SOURCES for rule in YIELDED.findall(source.read_text())}
    promises = PAGE.read_text().partition("\n## Promises\n")[2].partition("\n## ")[0]
    named = {rule for row in promises.splitlines() if row.startswith("| ") for rule in _rules(row)}
    assert named == checked


def _rules(row: str) -> list[str]:
    return re.findall(r"`([a-z-]+)`", row.split(" | ")[1])
