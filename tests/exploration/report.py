"""What is said of the lives that broke a rule: which, how often, and the shortest story of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from tests.exploration.life import Lived, live

EXAMPLES: Final = 8
"""Lives of each rule that are lived again to find the shortest story."""
SHOWN: Final = 150
"""Lines of a story, the last ones."""


def told(lives: Iterable[Lived]) -> str:
    """Empty when no rule was broken."""
    by_rule: defaultdict[str, list[Lived]] = defaultdict(list)
    for lived in lives:
        for broken in lived.broken:
            by_rule[broken.rule].append(lived)
    lines: list[str] = []
    for rule, broken_by in sorted(by_rule.items(), key=lambda item: -len(item[1])):
        numbers = ", ".join(str(lived.number) for lived in broken_by[:10])
        lines.append(f"{rule}: broken in {len(broken_by)} lives: {numbers}")
    for rule, broken_by in by_rule.items():
        story = min((_story(rule, lived) for lived in broken_by[:EXAMPLES]), key=len)
        lines += ["", *story[:1], *story[1:][-SHOWN:]]
    return "\n".join(lines)


def _story(rule: str, lived: Lived) -> Sequence[str]:
    """The life up to the line that breaks the rule."""
    trace = live(lived.seed, lived.number, traced=True).trace
    end = next(number for number, line in enumerate(trace) if f"BREAKS {rule} " in line)
    return [f"{rule}: --seed={lived.seed} --life={lived.number}", *trace[: end + 1]]
