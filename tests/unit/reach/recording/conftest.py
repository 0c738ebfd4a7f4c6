from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.fargate.harness import LocalServer


@pytest.fixture
def fargate(tmp_path: Path) -> Iterator[LocalServer]:
    """A local Fargate without an AWS endpoint."""
    with LocalServer(tmp_path / "fargate") as running:
        yield running
