from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.fargate.harness import AGENT, LocalServer
from tests.unit.local.ports import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    """A local Fargate without an AWS endpoint."""
    with LocalServer(tmp_path) as running:
        yield running


@pytest.fixture
def agents(server: LocalServer) -> LocalServer:
    """The same, with the agent in every place from which a strategy takes it."""
    server.image_file("agent/baked:1", "/sockerless-agent", AGENT)
    server.image_file("sockerless/agent:latest", "/sockerless-agent", AGENT)
    server.efs_file("fs-0123456789abcdef0", "fsap-0123456789abcdef0", "sockerless-agent", AGENT)
    return server


@pytest.fixture
def port() -> int:
    """A port for agents."""
    return free_port()
