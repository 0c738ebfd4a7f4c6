"""Ports of the loopback interface, each reserved for one local cloud for as long as it runs.

Between choosing a port and listening on it, and while a crashed server is started again, nobody listens; another
local cloud would find the port free. So a name that only one process can have goes with each port: an abstract Unix
socket (unix(7), Linux), known on the whole machine, and gone with its process however that ends.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Self

from local.cloud.processes import free_port


@dataclass(frozen=True, slots=True)
class Port:
    """A reserved port. Nobody listens on it until a server of this cloud does."""

    number: int
    _guard: socket.socket

    @classmethod
    def reserve(cls, wanted: int | None = None) -> Self:
        """`wanted` if nobody listens there or is about to, else any other. Raises `CloudError` when none is free."""
        while True:
            number = free_port(wanted)
            guard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                guard.bind(f"\0sockerless-reach/port/{number}")
            except OSError as error:
                guard.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                wanted = None
            else:
                return cls(number, guard)

    def release(self) -> None:
        """Lets others have it. Idempotent."""
        self._guard.close()
