"""How many lives, from which seed, or which one."""

from __future__ import annotations

from typing import Final

import pytest

LIVES: Final = 1500
"""About 20 s on one core."""
SEED: Final = 9


def pytest_addoption(parser: pytest.Parser) -> None:
    """The size of the exploration and where it begins."""
    group = parser.getgroup("exploration")
    group.addoption("--lives", type=int, default=LIVES, help="how many lives are explored (default: %(default)s)")
    group.addoption("--seed", type=int, default=SEED, help="decides all of them")
    group.addoption(
        "--life", type=int, default=None, help="live this one alone, and show its trace if it breaks a rule"
    )


def pytest_report_header(config: pytest.Config) -> str:
    """What it takes to repeat this run."""
    return f"exploration: --lives={config.getoption('lives')} --seed={config.getoption('seed')}"
