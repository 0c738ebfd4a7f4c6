"""How many lives, from which seed, or which one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import pytest

LIVES: Final = 1000
"""About 15 s of one core, twice as long where coverage is measured."""
SEED: Final = 9


def pytest_addoption(parser: pytest.Parser) -> None:
    """The size of the exploration and where it begins."""
    group = parser.getgroup("exploration")
    group.addoption("--lives", type=int, default=LIVES, help="how many lives are explored (default: %(default)s)")
    with suppress(ValueError):  # tests/chaos has an option of this name, too
        group.addoption("--seed", type=int, default=SEED, help="decides all of them")
    group.addoption(
        "--life", type=int, default=None, help="live this one alone, and show its trace if it breaks a rule"
    )


def pytest_report_header(config: pytest.Config) -> str:
    """What it takes to repeat this run."""
    return f"exploration: --lives={config.getoption('lives')} --seed={config.getoption('seed')}"


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """What decides everything."""
    # The options are missing where these tests are found by the way, in a run of a directory above.
    return int(pytestconfig.getoption("seed", SEED))


@pytest.fixture(scope="session")
def numbers(pytestconfig: pytest.Config) -> Sequence[int]:
    """Which lives."""
    one = pytestconfig.getoption("life", None)
    return range(pytestconfig.getoption("lives", LIVES)) if one is None else [one]
