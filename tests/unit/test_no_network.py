"""The guard of this directory's conftest."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("aws.example", 443)])
def test_other_machines_are_refused(address: tuple[str, int]) -> None:
    """A unit test that connects to another machine fails, whatever it catches."""
    with socket.socket() as one, pytest.raises(pytest.fail.Exception, match="give it a fake"):
        one.connect(address)
