"""Ports of loopback at another address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.cloud.processes import free_port
from local.sam_local.forward import forwarded

ELSEWHERE = "127.0.0.77"


@contextmanager
def echo() -> Iterator[int]:
    """A server that sends back what one client sent, once that has said all: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as received:
                connection.sendall(received.read())

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_everything_gets_through_in_both_directions() -> None:
    """More than any buffer holds, and the end of each direction by itself."""
    sent = bytes(range(256)) * 20_000
    port = free_port()
    with echo() as target, forwarded(ELSEWHERE, {port: target}), socket.create_connection((ELSEWHERE, port)) as client:

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        with client.makefile("rb") as answer:
            assert answer.read() == sent
        sender.join()


def test_nobody_behind_the_port_is_a_closed_connection() -> None:
    """The client is not left waiting."""
    port = free_port()
    with (
        forwarded(ELSEWHERE, {port: free_port()}),
        socket.create_connection((ELSEWHERE, port)) as client,
    ):
        assert client.recv(1) == b""


def test_the_ports_are_free_afterwards() -> None:
    """Nothing listens any more."""
    port = free_port()
    with forwarded(ELSEWHERE, {port: free_port()}):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ELSEWHERE, port))
