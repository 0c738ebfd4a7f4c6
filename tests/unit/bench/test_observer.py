from __future__ import annotations

import socket
import time

import pytest

from bench.local_cloud.observer import Observer, listeners

TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0501007F:2397 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0601007F:2398 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0701007F:2397 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 0 10 -1
"""


@pytest.mark.skipif(socket.htons(1) == 1, reason="the table is a little-endian machine's")
def test_listeners_are_those_of_one_port_that_listen() -> None:
    """Another port does not count, and neither does a connection."""
    assert listeners(TABLE, 9111) == {"127.0.1.5:9111"}


def test_a_listener_is_seen() -> None:
    """It is seen after it began to listen, without anybody connecting, and nobody who listened before is news."""
    with socket.create_server(("127.0.0.1", 0)) as earlier:
        port = earlier.getsockname()[1]
        with Observer(port) as observer:
            before = time.time()
            with socket.create_server(("127.0.0.2", port)) as server:
                server.settimeout(0)
                while not (seen := _seen(observer, f"127.0.0.2:{port}")):
                    time.sleep(0.001)
                with pytest.raises(BlockingIOError):
                    server.accept()
            with pytest.raises(LookupError, match="never seen"):
                observer.listening(f"127.0.0.1:{port}")
    assert before <= seen <= time.time()


def _seen(observer: Observer, address: str) -> float | None:
    try:
        return observer.listening(address).at
    except LookupError:
        return None
