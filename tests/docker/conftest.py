"""What the tests of Docker mode need: an engine with the base image. Without it they fail instead of being skipped.

`make test-docker` runs them; plain pytest does not collect them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from local.fargate.runtime import RuntimeName
from tests.conftest import require_engine
from tests.e2e.deployed import deployed
from tests.e2e.stack import HEALTH_TIMEOUT, Stack
from tests.unit.local.fargate.harness import LocalServer


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    require_engine()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A local Fargate in Docker mode, without an AWS."""
    with LocalServer(tmp_path_factory.mktemp("fargate"), runtime=RuntimeName.DOCKER) as server:
        yield server


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack, its tasks in Docker."""
    directory = tmp_path_factory.mktemp("cloud")
    with deployed(directory, runtime=RuntimeName.DOCKER, HealthTimeoutSeconds=HEALTH_TIMEOUT) as stack:
        yield stack


@pytest.fixture
def container_id(request: pytest.FixtureRequest) -> str:
    """A container of this test's own, the same in every run."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()
