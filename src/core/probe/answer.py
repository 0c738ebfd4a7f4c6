"""Classifies why a try at an agent failed, and words the error and its remedy.

Pure. `core.adapters.http_probe` finds the errors; the last one of a probe becomes the `error` of an item,
`AgentUnreachable` (contract.md 6; specification.md 17: every remedy names the security group rule).
"""

import errno
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.model.agent import Child


class ProbeErrorKind(StrEnum):
    """Why a try failed; also a metric's dimension."""

    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    """There was no connection: the network drops the packets."""
    UNANSWERED = "unanswered"
    """There was a connection, so the network is right; the process behind it is stuck."""
    RESET = "reset"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    STATUS = "status"
    NOT_HTTP = "not-http"
    TLS = "tls"
    TOO_LARGE = "too-large"
    CLOSED = "closed"
    STRANGER = "stranger"
    """Another container's agent: ECS has given the address to another task."""
    UNVERIFIED = "unverified"
    """An agent answered, but the token to check it with could not be read."""
    PROBER = "prober"
    """The prober lacks descriptors, ports or rights. The agent may be well."""


@dataclass(frozen=True, slots=True)
class ProbeError:
    """A failed try. `text` is the connection error with its facts, `remedy` the next step."""

    kind: ProbeErrorKind
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one try. Without an `error`, the agent answered correctly, and says of its child `child`."""

    error: ProbeError | None = None
    child: Child | None = None

    @property
    def healthy(self) -> bool:
        """Whether the right agent answered with the right status."""
        return self.error is None


HEALTHY: Final = Answer()

_RULE: Final = (
    "the task's security group allows inbound TCP {port} from the security groups of the prober and of the frontend"
)
_STUCK: Final = "Look at the container's logs and its CPU and memory: the agent's process may be stuck or starved."
_IMPOSTOR: Final = (
    "Check that the agent, and no other server of the image, has TCP {port}; move one of them to another port "
    "(SOCKERLESS_AGENT_PORT), and check that " + _RULE + "."
)

_WORDS: Final[Mapping[ProbeErrorKind, tuple[str, str]]] = {
    ProbeErrorKind.REFUSED: (
        "connection refused: nothing listens on TCP {port}.",
        "Check that the agent is running: read the container's logs, and check that the agent binary was injected "
        "and comes first in the entry point. If it does run, check that " + _RULE + ".",
    ),
    ProbeErrorKind.TIMED_OUT: (
        "connection timed out: no reply to the connection request within {detail}.",
        "Check that " + _RULE + ". Then the network ACLs of both subnets, and the route between them.",
    ),
    ProbeErrorKind.UNANSWERED: (
        "connected, but no complete answer within {detail}.",
        _STUCK + " A connection was accepted, so the rule is met that " + _RULE + ".",
    ),
    ProbeErrorKind.RESET: (
        "connection reset by the other side.",
        "Check the container's logs for a crash of the agent; check that no proxy or firewall resets connections, "
        "and that " + _RULE + ".",
    ),
    ProbeErrorKind.UNREACHABLE: (
        "address unreachable: {detail}.",
        "Check that the prober's subnets have a route to the task's (same VPC, peering or transit gateway), that the "
        "task still runs, and that " + _RULE + ".",
    ),
    ProbeErrorKind.DNS: (
        "the name does not resolve: {detail}.",
        "Check the address: a task has an IP address, which needs no name resolution. Then check that " + _RULE + ".",
    ),
    ProbeErrorKind.STATUS: ("{detail}.", "An HTTP server answers, but not as an agent does. " + _IMPOSTOR),
    ProbeErrorKind.NOT_HTTP: ("what answers on TCP {port} does not speak HTTP: {detail}.", _IMPOSTOR),
    ProbeErrorKind.TLS: (
        "TCP {port} speaks TLS; an agent speaks plain HTTP inside the VPC.",
        "Check that nothing terminates TLS in front of the agent. " + _IMPOSTOR,
    ),
    ProbeErrorKind.TOO_LARGE: ("the answer is longer than {detail}, which no agent sends.", _IMPOSTOR),
    ProbeErrorKind.CLOSED: (
        "connection closed without a complete answer.",
        _STUCK + " If it is well, check that no proxy closes connections and that " + _RULE + ".",
    ),
    ProbeErrorKind.STRANGER: (
        "an agent answers, but not this container's: it refused the token with status {detail}.",
        "The address now belongs to another task. Check whether the task still runs and start the container again. "
        "If it does run, check its SOCKERLESS_AGENT_TOKEN, and that " + _RULE + ".",
    ),
    ProbeErrorKind.UNVERIFIED: (
        "an agent answers, but the record's token to tell whose it is could not be read.",
        "Check that the prober may read the table (its role, the DynamoDB gateway endpoint of its subnets). "
        "The agent answered, so the rule is met that " + _RULE + ".",
    ),
    ProbeErrorKind.PROBER: (
        "the prober could not open a connection: {detail}.",
        "Look at the prober's own limits: descriptors, memory, the free addresses and the outbound rules of its "
        "subnets and security group. Then check that " + _RULE + ".",
    ),
}

_KINDS: Final = {
    errno.ECONNREFUSED: ProbeErrorKind.REFUSED,
    errno.ETIMEDOUT: ProbeErrorKind.TIMED_OUT,
    errno.ECONNRESET: ProbeErrorKind.RESET,
    errno.ECONNABORTED: ProbeErrorKind.RESET,
    errno.EPIPE: ProbeErrorKind.RESET,
    errno.EHOSTUNREACH: ProbeErrorKind.UNREACHABLE,
    errno.ENETUNREACH: ProbeErrorKind.UNREACHABLE,
    errno.EHOSTDOWN: ProbeErrorKind.UNREACHABLE,
}

TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")
"""The first bytes of TLS's alert and handshake records (RFC 8446, section 5.1)."""

EXIT_CODES: Final = range(-1, 256)
"""Those of Linux, and the public agent's -1 (agent-protocol.md 5). Another number is no exit code."""

_HTTP: Final = b"HTTP/"


def probe_error(kind: ProbeErrorKind, address: str, detail: str = "") -> ProbeError:
    """The error of that kind in words. `detail` fills the placeholder of its text."""
    text, remedy = _WORDS[kind]
    port = address.rpartition(":")[2]
    return ProbeError(kind, text.format(port=port, detail=detail), remedy.format(port=port))


def kind_of(error: OSError) -> ProbeErrorKind:
    """The kind of a socket's error. An errno that neither network nor agent causes is the prober's."""
    return _KINDS.get(error.errno or 0, ProbeErrorKind.PROBER)


def other_protocol(head: bytes) -> ProbeErrorKind | None:
    """Whether the first bytes of an answer are TLS or another protocol; None for HTTP, or too few bytes."""
    if head[:2] in TLS_RECORDS:
        return ProbeErrorKind.TLS
    if any(record.startswith(head) for record in TLS_RECORDS) or _HTTP.startswith(head[: len(_HTTP)]):
        return None
    return ProbeErrorKind.NOT_HTTP


def judge_health(address: str, status: int, body: bytes) -> Answer:
    """Judges the answer to GET /health: only status 200 is an agent that accepts connections.

    A TLS server may answer plain HTTP in plain HTTP: Go's and nginx's send status 400 and name HTTPS.
    """
    match status:
        case 200:
            return Answer(child=_child(body))
        case 400 if b"HTTPS" in body:
            return Answer(probe_error(ProbeErrorKind.TLS, address))
        case _:
            text = f"GET /health was answered with status {status}, not 200"
            return Answer(probe_error(ProbeErrorKind.STATUS, address, text))


def _child(body: bytes) -> Child | None:
    """None for a body of another shape: a status decides whether an agent is healthy (agent-protocol.md 2)."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _is_integer(said.get("pid")):
        return None
    exit_code = said.get("exitCode")
    known = _is_integer(exit_code) and exit_code in EXIT_CODES
    return Child(said["pid"], said.get("exited") is True, exit_code if known else None)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def judge_identity(address: str, status: int, _body: bytes) -> Answer:
    """Judges the answer to GET /ws with the container's token and without a WebSocket upgrade.

    An agent compares the token first (agent-protocol.md 2). If it then refuses the missing upgrade, it knows the
    token: 400, or 426 as in RFC 9110. 401 and 403 come from an agent with another token.
    """
    match status:
        case 400 | 426:
            return HEALTHY
        case 401 | 403:
            return Answer(probe_error(ProbeErrorKind.STRANGER, address, str(status)))
        case _:
            text = f"GET /ws without an upgrade was answered with status {status}, not 400"
            return Answer(probe_error(ProbeErrorKind.STATUS, address, text))
