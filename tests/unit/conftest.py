"""Unit tests reach no network: the loopback interface at most."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any, Final

import pytest

_CONNECTS: Final = ("connect", "connect_ex")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses connections that would leave this machine."""
    for name in _CONNECTS:
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _stays_here(address[0]):
            pytest.fail(f"a unit test connects to {address}: give it a fake, or make it a contract or e2e test")
        return connect(self, address)

    return guarded


def _stays_here(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
