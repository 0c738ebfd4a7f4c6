"""A port without an answer, as behind a closed security group.

A listening socket whose backlog is full makes the kernel drop every further SYN, so that connecting times out,
where a port without a listener would refuse at once. Linux; needs no privileges. `engine.network` runs this source in
a container.
"""

from __future__ import annotations

import socket
from typing import Final

_ENOUGH: Final = 16
_PATIENCE: Final = 0.1


class Blockade:
    """Holds one address and port. Connections to it time out until `close`."""

    def __init__(self, address: str, port: int) -> None:
        """Fills the backlog until a connection hangs, which takes about a tenth of a second.

        Raises `OSError` when the port is taken or the backlog never fills.
        """
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._fillers: list[socket.socket] = []
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((address, port))
            self._listener.listen(0)
            self._fill(address, port)
        except OSError:
            self.close()
            raise

    def _fill(self, address: str, port: int) -> None:
        for _ in range(_ENOUGH):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.settimeout(_PATIENCE)
            try:
                filler.connect((address, port))
            except TimeoutError:
                filler.close()
                return
            self._fillers.append(filler)
        raise OSError(f"the backlog of {address}:{port} does not fill: the port cannot be blocked on this kernel")

    def close(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._listener.close()
