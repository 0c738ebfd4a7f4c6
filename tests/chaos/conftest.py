"""A stack of its own for the storm, and how large the storm is to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.deployed import deployed
from tests.e2e.stack import Stack

CONTAINERS: Final = 500
SEED: Final = 4
HEALTH_TIMEOUT: Final = 20
"""Seconds. Ample for an agent that is one of many to start on a small machine at the same time."""
START_TIMEOUT: Final = 300
"""The template's default."""
PROBERS: Final = 10
"""At a time, with up to ten containers each: workers of the local AWS are processes, and need memory."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The size of the storm, its seed, and how many containers live at a time."""
    group = parser.getgroup("chaos")
    group.addoption("--containers", type=int, default=CONTAINERS, help="how many containers live in all")
    group.addoption("--seed", type=int, default=SEED, help="decides who lives how, and what becomes of each event")
    group.addoption("--minutes", type=float, default=20, help="how long a soak lasts at least")
    group.addoption("--window", type=int, default=40, help="how many live at a time")


def pytest_report_header(config: pytest.Config) -> str:
    """What it takes to repeat this run."""
    return f"chaos: --containers={config.getoption('containers')} --seed={config.getoption('seed')}"


@contextmanager
def stormy(directory: Path) -> Iterator[Stack]:
    """The deployed stack, for many lives at a time."""
    with deployed(
        directory,
        HealthTimeoutSeconds=HEALTH_TIMEOUT,
        StartTimeoutSeconds=START_TIMEOUT,
        ProberMaximumConcurrency=PROBERS,
    ) as stack:
        yield stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack."""
    with stormy(tmp_path_factory.mktemp("cloud")) as stack:
        yield stack
