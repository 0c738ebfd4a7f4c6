"""TCP ports of this machine's loopback, shown at another of its addresses for a while.

The local cloud listens on loopback only, which a container does not share. It can reach the gateway of its bridge,
and nobody outside this machine can.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from typing import Final

from local.cloud.processes import LOOPBACK

_CHUNK: Final = 64 * 1024


@contextlib.contextmanager
def forwarded(address: str, ports: Mapping[int, int]) -> Iterator[None]:
    """While it lasts, each port of `address` leads to the port of loopback it is mapped to.

    Raises `OSError` when `address` is not this machine's, or a port of it is taken.
    """
    with contextlib.ExitStack() as stack:
        for port, target in ports.items():
            server = stack.enter_context(_Server((address, port), target))
            threading.Thread(target=server.serve_forever, name=f"forward {port}", daemon=True).start()
            stack.callback(server.shutdown)
        yield


class _Server(socketserver.ThreadingTCPServer):
    """One port. Connections end with their two sides; those still open at the end of the process end with it."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], target: int) -> None:
        self.target = target
        super().__init__(address, _Connection)


class _Connection(socketserver.BaseRequestHandler):
    """Both directions of one connection."""

    request: socket.socket
    server: _Server

    def handle(self) -> None:
        """Returns when both sides have said all they had to say."""
        try:
            inner = socket.create_connection((LOOPBACK, self.server.target))
        except ConnectionRefusedError:
            return  # and so the client's connection ends
        with inner:
            back = threading.Thread(target=_copy, args=(inner, self.request), daemon=True)
            back.start()
            _copy(self.request, inner)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Until the source ends. A side that is gone ends the other: nobody is left to be told."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
