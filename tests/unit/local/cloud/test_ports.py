"""Ports that are kept for one cloud, also while nobody listens on them."""

import socket

from local.cloud.ports import Port
from local.cloud.processes import LOOPBACK, free_port


def test_reserved_port_is_not_taken_by_another_cloud() -> None:
    """Between choosing it and listening on it, and after a crash, it stays this cloud's; released, it is free."""
    wanted = free_port()
    first = Port.reserve(wanted)
    second = Port.reserve(wanted)
    assert first.number == wanted
    assert second.number != wanted
    first.release()
    first.release()
    third = Port.reserve(wanted)
    assert third.number == wanted
    for port in (second, third):
        port.release()


def test_port_of_a_stranger_is_not_taken() -> None:
    """Somebody who listens there knows nothing of reservations."""
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        port = Port.reserve(taken)
    assert port.number != taken
    port.release()


def test_server_can_listen_on_a_reserved_port() -> None:
    """The reservation is not in its way."""
    port = Port.reserve()
    with socket.socket() as server:
        server.bind((LOOPBACK, port.number))
        server.listen()
    port.release()
