from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from tests.exploration.life import Lived, live
from tests.exploration.report import told

RARELY: Final = 1 / 400
"""Tasks per life that only the leak finder may end, where no worker dies."""


@pytest.fixture(scope="module")
def lives(seed: int, numbers: Sequence[int]) -> list[Lived]:
    """All of them, or the one that was asked for."""
    return [live(seed, number) for number in numbers]


def test_no_life_breaks_a_rule(lives: list[Lived]) -> None:
    """Whatever is lost, late, doubled, throttled or dead: the rules of `tests.exploration.rules` hold."""
    broken = told(lives)
    assert not broken, broken


def test_a_task_is_rarely_left_to_the_leak_finder(lives: list[Lived]) -> None:
    """Lost answers and throttling alone leave next to no task that nobody but the leak finder ends."""
    undying = [lived for lived in lives if not lived.deaths]
    leaks = [f"--life={lived.number}: {why}" for lived in undying for why in lived.leaks]
    assert len(leaks) <= max(1, len(undying) * RARELY), "\n".join(leaks)


def test_lives_are_of_all_kinds(lives: list[Lived]) -> None:
    """Containers end well, fail, and run on; some life has several tasks: else nothing was explored."""
    if len(lives) < 100:
        pytest.skip("too few lives to say")
    assert {lived.end for lived in lives} >= {"agent-healthy", "failed", "stopped"}
    assert max(lived.tasks for lived in lives) > 3
    assert any(lived.deaths for lived in lives)
    assert not all(lived.deaths for lived in lives)


def test_a_seed_is_one_life(seed: int) -> None:
    """The same seed, the same calls at the same instants: what was found can be looked at again."""
    for number in range(5):
        first, again = (live(seed, number, traced=True) for _ in range(2))
        assert len(first.trace) > 10
        assert first == again
