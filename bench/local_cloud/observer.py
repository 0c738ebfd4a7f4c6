"""The truth about when an agent listens, from the kernel: neither system under comparison is asked, nor the agent.

A process of its own reads /proc/net/tcp every few milliseconds and reports each socket that has begun to listen on
the agents' port. Reading it opens no connection, so no agent notices, and it costs the machine 0.1 ms a time.
Linux lists the listening sockets first (kernel documentation, proc_net_tcp), so the rest of the file is not read.
"""

from __future__ import annotations

import multiprocessing
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.connection import Connection

LOOK_SECONDS: Final = 0.002
_LISTEN: Final = b"0A"
_TABLE: Final = Path("/proc/net/tcp")
_SPAWN: Final = multiprocessing.get_context("spawn")
_READY: Final = ("", 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """An address that began to listen at `at` (epoch seconds), or up to `gap` seconds before."""

    address: str
    at: float
    gap: float


class Observer:
    """Watches one port on every IPv4 address of this machine. A context: its process ends with it."""

    def __init__(self, port: int) -> None:
        self._seen: dict[str, Seen] = {}
        self._lock = threading.Lock()
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_observe, args=(port, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._pipe.recv()  # it has looked once: whoever listens by now is not news
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def listening(self, address: str) -> Seen:
        """When `host:port` last began to listen. Raises `LookupError` when it never did under these eyes."""
        with self._lock:
            while self._pipe.poll():
                seen = Seen(*self._pipe.recv())
                self._seen[seen.address] = seen
            if address not in self._seen:
                raise LookupError(f"{address} was never seen to listen")
            return self._seen[address]


def _observe(port: int, pipe: Connection) -> None:
    """The process: until it is killed."""
    known, before = listeners(_read(), port), time.time()
    pipe.send(_READY)
    while True:
        time.sleep(LOOK_SECONDS)
        found, now = listeners(_read(), port), time.time()
        for address in found - known:
            pipe.send((address, now, now - before))
        known, before = found, now


def _read() -> bytes:
    """The table as far as it shows listening sockets: the kernel gives a page at a time."""
    text = b""
    with _TABLE.open("rb", buffering=0) as file:
        while page := file.read(65536):
            text += page
            if page.splitlines()[-1].split()[3] != _LISTEN:
                break
    return text


def listeners(table: bytes, port: int) -> frozenset[str]:
    """`host:port` of every socket that listens on `port` in the text of /proc/net/tcp."""
    return frozenset(_addresses(table, port))


def _addresses(table: bytes, port: int) -> Iterable[str]:
    for line in table.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        host, _, number = local.partition(b":")
        if state == _LISTEN and int(number, 16) == port:
            # The kernel prints the address as one number in the machine's byte order.
            yield f"{socket.inet_ntoa(struct.pack('=I', int(host, 16)))}:{port}"
