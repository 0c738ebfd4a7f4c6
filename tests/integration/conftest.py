"""Integration tests run the functions in one process, on moto: no other machine, no process but agents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.account import HOST, Account
from tests.moto_aws import moto_aws
from tests.unit.conftest import _no_network  # noqa: F401 - the same guard
from tests.unit.local.ports import free_port


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty account."""
    with moto_aws():
        yield


@pytest.fixture
def account(aws: None) -> Account:
    """The stack, with as little as it needs to start containers."""
    return Account(AgentPort=str(free_port(HOST)))
