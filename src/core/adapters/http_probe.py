"""One try at an agent, over HTTP/1.1 in plain text: a new connection each, closed on every path.

`h11` reads what is no plain response; no client library is in between, so there is no pool, no keep-alive, no redirect
and no proxy from the environment to be switched off (specification.md 15). The event loop drives the sockets without
streams: nothing is buffered per connection, and `close` frees the descriptor at once.
"""

import asyncio
import os
import re
import socket
from collections.abc import Callable, Sequence
from typing import Final

import h11

from core.adapters.whole_response import whole_response
from core.probe.answer import Answer, ProbeErrorKind, judge_health, judge_identity, kind_of, other_protocol, probe_error

RESPONSE_LIMIT: Final = 16 * 1024
"""Bytes of status line, headers and body together."""

CONNECTIONS: Final = 900
"""A Lambda worker has 1,024 descriptors (Lambda quotas); the runtime and the AWS clients need the rest."""

_CHUNK: Final = 4096
_HEAD: Final = 12
"""Bytes of a foreign answer that are quoted: fewer than a request line, so that an echo cannot reveal a token."""

_HOST: Final = re.compile(r"[!-~]+")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT: Final = 0xFFFF


class HttpProbe:
    """The checks of an agent, for all probes of one worker and one event loop.

    At most `connections` are open at a time, and one try begins per turn of the loop. Starting all tries at once on a
    fraction of a vCPU would time all of them out, even against agents that answer immediately. A try that waits for its
    agent does not delay others. The time-out of a try runs from the connection on, not from the wait for its turn.
    """

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self._connections = asyncio.Semaphore(connections)
        self._turn = asyncio.Lock()

    async def check_health(self, address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as in `_get`
        """GET /health. Healthy is status 200 with a complete, bounded answer within `timeout` seconds."""
        async with self._connections:
            async with self._turn:
                await asyncio.sleep(0)
            return await _get(address, "/health", (), timeout, judge_health)

    async def check_identity(self, address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as `_get`
        """GET /ws with the token of the container that should have this address, and no upgrade.

        Healthy when the agent there knows the token, `stranger` when it is another container's (agent-protocol.md 2).
        Raises `ValueError` for a token that no header can hold, because h11's own error would quote it. It waits for no
        turn, because it follows a healthy `check_health`.
        """
        if not (token.isascii() and token.isalnum()):
            raise ValueError(f"the token for {address} is not made of ASCII letters and digits")
        async with self._connections:
            return await _get(address, "/ws", (f"Authorization: Bearer {token}",), timeout, judge_identity)


class _UnusableError(Exception):
    """The answer is no HTTP response."""

    def __init__(self, kind: ProbeErrorKind, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


async def _get(
    address: str,
    path: str,
    headers: Sequence[str],
    timeout: float,  # noqa: ASYNC109 - the phase in which it passes decides the error, which a caller cannot know
    judge: Callable[[str, int, bytes], Answer],
) -> Answer:
    host, port = _host_and_port(address)
    lines = (f"GET {path} HTTP/1.1", f"Host: {address}", "Connection: close", "Accept: */*", *headers, "", "")
    loop = asyncio.get_running_loop()
    late = ProbeErrorKind.TIMED_OUT
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(timeout):
                await loop.sock_connect(sock, (host, port))
                late = ProbeErrorKind.UNANSWERED
                await loop.sock_sendall(sock, "\r\n".join(lines).encode())
                status, body = await _response(sock)
    except socket.gaierror as exc:
        return Answer(probe_error(ProbeErrorKind.DNS, address, f"{host}: {exc.strerror}"))
    except TimeoutError:
        return Answer(probe_error(late, address, f"{timeout:g} s"))
    except OSError as exc:
        # asyncio replaces the system's text by the address.
        return Answer(probe_error(kind_of(exc), address, os.strerror(exc.errno) if exc.errno else str(exc)))
    except _UnusableError as exc:
        return Answer(probe_error(exc.kind, address, exc.detail))
    return judge(address, status, body)


async def _response(sock: socket.socket) -> tuple[int, bytes]:
    """Status and body. The rest of a body is read only with status 200; another status decides alone."""
    received = await asyncio.get_running_loop().sock_recv(sock, _CHUNK)
    return whole_response(received) or await _response_by_h11(sock, received)


async def _response_by_h11(sock: socket.socket, unread: bytes) -> tuple[int, bytes]:
    """The same of a response in any form, which begins with `unread`."""
    loop = asyncio.get_running_loop()
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=RESPONSE_LIMIT)
    for sent in (h11.Request(method="GET", target="/", headers=[("Host", "agent")]), h11.EndOfMessage()):
        http.send(sent)  # the request's method decides how the response is read
    status = received = 0
    head = body = b""
    ended = False
    while True:
        try:
            event = http.next_event()
        except h11.RemoteProtocolError:
            kind = ProbeErrorKind.CLOSED if ended else ProbeErrorKind.NOT_HTTP
            raise _UnusableError(kind, "its response is malformed") from None
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) or (event is h11.NEED_DATA and status not in {0, 200}):
            return status, body
        elif event is h11.NEED_DATA:
            chunk, unread = unread or await loop.sock_recv(sock, _CHUNK), b""
            ended = not chunk
            received += len(chunk)
            head = (head + chunk)[:_HEAD]
            if received > RESPONSE_LIMIT:
                raise _UnusableError(ProbeErrorKind.TOO_LARGE, f"{RESPONSE_LIMIT} bytes")
            if kind_of_head := other_protocol(head):
                raise _UnusableError(kind_of_head, f"it begins with {head!r}")
            http.receive_data(chunk)


def _host_and_port(address: str) -> tuple[str, int]:
    """Splits `10.0.1.47:9111` or `[fd00::1]:9111`, the item's spellings. Raises `ValueError` for anything else."""
    host, _, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not _HOST.fullmatch(host) or bracketed != (":" in host) or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        raise ValueError(f"not an agent's address: {address!r}")
    return host, int(port)
