"""The text of a failed try: what happened, the facts, what to do next (contract.md 6)."""

from __future__ import annotations

import errno
import os

import pytest

from core.model.agent import Child
from core.probe.answer import Answer, ProbeErrorKind, judge_health, judge_identity, kind_of, other_protocol, probe_error

ADDRESS = "10.0.1.47:9111"


@pytest.mark.parametrize("kind", ProbeErrorKind)
@pytest.mark.parametrize("address", [ADDRESS, "[fd00::1]:9111"])
def test_every_remedy_names_the_security_group_rule(kind: ProbeErrorKind, address: str) -> None:
    """specification.md 17: the rule for the port is in every remedy; text and remedy are whole sentences."""
    error = probe_error(kind, address, "the fact")

    assert error.kind is kind
    assert "security group allows inbound TCP 9111" in error.remedy
    assert error.text.endswith((".", "the fact"))
    assert error.remedy.endswith(".")
    assert "{" not in error.text + error.remedy


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, ProbeErrorKind.REFUSED),
        (errno.ETIMEDOUT, ProbeErrorKind.TIMED_OUT),
        (errno.ECONNRESET, ProbeErrorKind.RESET),
        (errno.EPIPE, ProbeErrorKind.RESET),
        (errno.EHOSTUNREACH, ProbeErrorKind.UNREACHABLE),
        (errno.ENETUNREACH, ProbeErrorKind.UNREACHABLE),
        (errno.EMFILE, ProbeErrorKind.PROBER),
        (errno.EADDRNOTAVAIL, ProbeErrorKind.PROBER),
        (errno.EPERM, ProbeErrorKind.PROBER),
    ],
)
def test_kind_of_a_socket_error(number: int, kind: ProbeErrorKind) -> None:
    """The errno decides, not the text; an error of the prober is not blamed on the agent."""
    assert kind_of(OSError(number, os.strerror(number))) is kind


def test_socket_error_without_a_number() -> None:
    """An error without an errno is the prober's."""
    assert kind_of(OSError("strange")) is ProbeErrorKind.PROBER


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", None),
        (b"H", None),
        (b"HTTP/", None),
        (b"HTTP/1.1 200", None),
        (b"\x15", None),
        (b"\x15\x03", ProbeErrorKind.TLS),
        (b"\x16\x03\x01", ProbeErrorKind.TLS),
        (b"\x15\x04", ProbeErrorKind.NOT_HTTP),
        (b"http/1.1", ProbeErrorKind.NOT_HTTP),
        (b"S", ProbeErrorKind.NOT_HTTP),
    ],
)
def test_first_bytes(head: bytes, kind: ProbeErrorKind | None) -> None:
    """The first bytes of an answer show its protocol, as soon as there are enough."""
    assert other_protocol(head) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", None),
        (204, b"", ProbeErrorKind.STATUS),
        (302, b"", ProbeErrorKind.STATUS),
        (400, b"bad", ProbeErrorKind.STATUS),
        (400, b"The plain HTTP request was sent to HTTPS port", ProbeErrorKind.TLS),
        (503, b"HTTPS", ProbeErrorKind.STATUS),
    ],
)
def test_health(status: int, body: bytes, kind: ProbeErrorKind | None) -> None:
    """Only 200 is an agent that accepts connections."""
    error = judge_health(ADDRESS, status, body).error
    assert (error.kind if error else None) is kind


@pytest.mark.parametrize(
    ("body", "child"),
    [
        (b'{"status": "ok", "pid": 7}', Child(7)),
        (b'{"status":"ok","pid":7,"exited":true,"exitCode":3}', Child(7, exited=True, exit_code=3)),
        (b'{"status":"ok","pid":7,"exited":true,"exitCode":-1}', Child(7, exited=True, exit_code=-1)),
        (b'{"pid": 7, "exited": true, "exitCode": "3"}', Child(7, exited=True)),
        (b'{"pid": 7, "exited": true, "exitCode": 256}', Child(7, exited=True)),
        (b'{"pid": 7, "exited": true, "exitCode": -2}', Child(7, exited=True)),
        (b'{"pid": 7, "exited": "yes"}', Child(7)),
        (b'{"status": "ok"}', None),
        (b'{"pid": true}', None),
        (b'{"pid": "7"}', None),
        (b"[7]", None),
        (b"ok", None),
        (b"\xff", None),
        (b"[" * 10_000, None),
    ],
)
def test_the_child_in_an_answer(body: bytes, child: Child | None) -> None:
    """`pid` shows a child, `exited` its end. A body of another shape is healthy, and shows none."""
    assert judge_health(ADDRESS, 200, body) == Answer(child=child)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, None),
        (426, None),
        (401, ProbeErrorKind.STRANGER),
        (403, ProbeErrorKind.STRANGER),
        (200, ProbeErrorKind.STATUS),
        (404, ProbeErrorKind.STATUS),
        (500, ProbeErrorKind.STATUS),
    ],
)
def test_identity(status: int, kind: ProbeErrorKind | None) -> None:
    """The token is checked before the upgrade, so an objection to the upgrade proves that the token is known."""
    error = judge_identity(ADDRESS, status, b"").error
    assert (error.kind if error else None) is kind
