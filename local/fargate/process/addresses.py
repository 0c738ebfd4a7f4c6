"""Loopback addresses for tasks: 127.0.x.y, one for each, the longest unused first.

Several local clouds may run on one machine and their agents all want the same port, so a pool owns whole blocks
127.0.x.0/24: it holds a socket bound in each, which another pool's attempt to bind meets, and which the kernel
frees however this process ends.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Iterator
from typing import Final

_CLAIM_PORT: Final = 61111


class NoAddressLeft(Exception):
    """Every address of 127.0.0.0/16 is in use."""


class AddressPool:
    """Hands out addresses and takes them back; a block of 253 at a time."""

    def __init__(self) -> None:
        self._free: deque[str] = deque()
        self._claims: list[socket.socket] = []
        self._blocks: Iterator[int] = iter(range(1, 255))

    def take(self) -> str:
        """The address that has been unused longest. Raises `NoAddressLeft`."""
        if not self._free:
            self._claim_block()
        return self._free.popleft()

    def give_back(self, address: str) -> None:
        """Every other free address is handed out before this one."""
        self._free.append(address)

    def close(self) -> None:
        for claim in self._claims:
            claim.close()
        self._claims.clear()
        self._free.clear()

    def _claim_block(self) -> None:
        for block in self._blocks:
            claim = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                claim.bind((f"127.0.{block}.254", _CLAIM_PORT))
            except OSError as exc:
                claim.close()
                if exc.errno != errno.EADDRINUSE:
                    raise
                continue
            self._claims.append(claim)
            self._free.extend(f"127.0.{block}.{host}" for host in range(1, 254))
            return
        raise NoAddressLeft("every block 127.0.x.0/24 is in use on this machine")
