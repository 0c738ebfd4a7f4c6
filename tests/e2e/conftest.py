"""One local cloud with the stack deployed to it, for all tests of this directory; each has containers of its own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.e2e.deployed import deployed
from tests.e2e.stack import HEALTH_TIMEOUT, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.fargate.runtime import RuntimeName


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, runtime: RuntimeName, agent_flavor: str) -> Iterator[Stack]:
    """The deployed stack. Its tasks are processes, or containers with `--runtime docker`; `--agent-flavor`."""
    directory = tmp_path_factory.mktemp("cloud")
    with deployed(directory, runtime=runtime, HealthTimeoutSeconds=HEALTH_TIMEOUT, AgentFlavor=agent_flavor) as stack:
        yield stack


@pytest.fixture
def container_id(request: pytest.FixtureRequest) -> str:
    """A container of this test's own, the same in every run."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()
