"""One try at an agent over real loopback sockets: specification.md 13, 15 and 17; agent-protocol.md 2."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from core.adapters.http_probe import RESPONSE_LIMIT, HttpProbe
from core.probe.answer import Answer, ProbeErrorKind
from tests.factories import TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

PATIENT = 30.0
"""More than any of these answers takes. No test waits for it: time-outs come about by `SkippingLoop`."""
T = TypeVar("T")
DESCRIPTORS = Path("/proc/self/fd")


class SkippingLoop(asyncio.SelectorEventLoop):
    """Real sockets, and a clock that a test can advance."""

    skipped = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.has_timer = asyncio.Event()

    def call_at(self, *arguments: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        """Noted, so that a test knows that a time-out runs."""
        self.has_timer.set()
        return super().call_at(*arguments, **options)

    def time(self) -> float:
        """The real time and what was skipped."""
        return super().time() + self.skipped


async def time_out(trying: asyncio.Task[Answer]) -> Answer:
    """What a try says when its time has passed at this point of the test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    await loop.has_timer.wait()
    loop.skipped += PATIENT
    return await trying


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on a `SkippingLoop`."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(main)


async def check_health(address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as in `HttpProbe`
    """One try, alone."""
    return await HttpProbe().check_health(address, timeout=timeout)


async def check_identity(address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as in `HttpProbe`
    """One check, alone."""
    return await HttpProbe().check_identity(address, token, timeout=timeout)


class Agent:
    """A server on a free port. Answers every connection with `answer`, keeps the requests."""

    def __init__(self, answer: bytes = b"", *, then: str = "close") -> None:
        self.answer = answer
        self.then = then
        self.requests: list[bytes] = []
        self.address = ""
        self.closed_by_client = 0
        self.open = 0
        self.most_open = 0
        self.released = asyncio.Event()
        self._changed = asyncio.Condition()

    async def until(self, come_true: Callable[[], bool]) -> None:
        """Waits for a request, or the end of a connection, that makes it true."""
        async with self._changed:
            await self._changed.wait_for(come_true)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self._notify()
            if self.then == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.write(self.answer)
            await writer.drain()
            if self.then == "wait":
                await self.released.wait()
            if self.then == "keep":
                # The connection stays until the other side ends it.
                assert await reader.read() == b""
                self.closed_by_client += 1
        except ConnectionError:
            self.closed_by_client += 1
        finally:
            writer.close()
            with suppress(ConnectionError):  # the client's way to end it, here of no interest
                await writer.wait_closed()
            self.open -= 1
            await self._notify()

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1") -> AsyncIterator[Agent]:
        """On a free port, until the block ends and every connection is closed."""
        server = await asyncio.start_server(self.serve, host, 0)
        port = server.sockets[0].getsockname()[1]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            yield self
        finally:
            self.released.set()
            server.close()
            await self.until(lambda: self.open == 0)


def response(status: str = "200 OK", body: bytes = b'{"status": "ok"}', *headers: str) -> bytes:
    """A response as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def probed(agent: Agent, host: str = "127.0.0.1") -> Answer:
    """The answer of `agent` to one GET /health."""

    async def main() -> Answer:
        async with agent.listening(host):
            return await check_health(agent.address, timeout=PATIENT)

    return asyncio.run(main())


def identified(agent: Agent) -> Answer:
    """The answer of `agent` to one check of the token."""

    async def main() -> Answer:
        async with agent.listening():
            return await check_identity(agent.address, TOKEN, timeout=PATIENT)

    return asyncio.run(main())


def kind(answer: Answer) -> ProbeErrorKind:
    """The kind of an answer that must be a failure."""
    assert answer.error is not None
    return answer.error.kind


def test_200_is_healthy() -> None:
    """The agent's own answer counts, and the request is what it should be."""
    agent = Agent(response())

    assert probed(agent).healthy

    (request,) = agent.requests
    lines = request.decode().rstrip().split("\r\n")
    assert lines[0] == "GET /health HTTP/1.1"
    assert {line.lower() for line in lines[1:]} == {f"host: {agent.address}", "connection: close", "accept: */*"}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["chunked", "http-1.0", "empty", "after-103"],
)
def test_200_in_every_form(answer: bytes) -> None:
    """Every way in which HTTP says 200 is a 200."""
    assert probed(Agent(answer)).healthy


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "404 Not Found", "500 Oops", "503 Starting"])
def test_only_200_counts(status: str) -> None:
    """Any other status is an error that names it."""
    answer = probed(Agent(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()))

    assert kind(answer) is ProbeErrorKind.STATUS
    assert answer.error is not None
    assert f"status {status[:3]}, not 200" in answer.error.text


def test_status_needs_no_body() -> None:
    """The status of a refusal is known before its body, however long that takes to come."""
    answer = probed(Agent(b"HTTP/1.1 503 Starting\r\nContent-Length: 1000000\r\n\r\n", then="wait"))

    assert kind(answer) is ProbeErrorKind.STATUS


def test_redirect_is_not_followed() -> None:
    """A redirect is a status like any other: its target is not probed."""
    elsewhere = Agent(response())

    async def main() -> Answer:
        async with elsewhere.listening():
            agent = Agent(response("302 Found", b"", f"Location: http://{elsewhere.address}/health"))
            async with agent.listening():
                return await check_health(agent.address, timeout=PATIENT)

    answer = asyncio.run(main())
    assert answer.error is not None
    assert "status 302" in answer.error.text
    assert elsewhere.requests == []


def test_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent is reached directly, whatever the environment says."""
    agent, proxy = Agent(response()), Agent(response("502 Bad Gateway"))

    async def main() -> Answer:
        async with agent.listening(), proxy.listening():
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://{proxy.address}")
            return await check_health(agent.address, timeout=PATIENT)

    assert asyncio.run(main()).healthy
    assert proxy.requests == []


def test_each_try_has_a_connection_of_its_own() -> None:
    """No keep-alive, even if the agent offers it: the prober closes, and connects again for the next try."""
    agent = Agent(response("200 OK", b"ok", "Connection: keep-alive"), then="keep")

    async def main() -> None:
        async with agent.listening():
            for _ in range(3):
                assert (await check_health(agent.address, timeout=PATIENT)).healthy

    asyncio.run(main())
    assert len(agent.requests) == 3
    assert agent.closed_by_client == 3


def free_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


def test_refused() -> None:
    """Nothing listens: the remedy begins with the agent."""
    port = free_port()

    answer = asyncio.run(check_health(f"127.0.0.1:{port}", timeout=PATIENT))

    assert kind(answer) is ProbeErrorKind.REFUSED
    assert answer.error is not None
    assert f"nothing listens on TCP {port}" in answer.error.text
    assert "the agent is running" in answer.error.remedy


def test_no_connection_is_timed_out() -> None:
    """Dropped packets, here of a full accept queue: the remedy begins with the security group."""

    async def main(port: int) -> Answer:
        return await time_out(asyncio.create_task(check_health(f"127.0.0.1:{port}", timeout=PATIENT)))

    with (
        closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server,
        socket.create_connection(server.getsockname()),
    ):
        answer = run(main(server.getsockname()[1]))

    assert kind(answer) is ProbeErrorKind.TIMED_OUT
    assert answer.error is not None
    assert "within 30 s" in answer.error.text
    assert answer.error.remedy.startswith("Check that the task's security group allows inbound TCP")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"], ids=["silent", "half"])
def test_no_answer_is_unanswered(answer: bytes) -> None:
    """A connection that is accepted and not answered is not the network's doing; the time-out covers the answer too."""
    agent = Agent(answer, then="wait")

    async def main() -> Answer:
        async with agent.listening():
            trying = asyncio.create_task(check_health(agent.address, timeout=PATIENT))
            await agent.until(lambda: len(agent.requests) == 1)
            return await time_out(trying)

    assert kind(run(main())) is ProbeErrorKind.UNANSWERED


def test_reset() -> None:
    """The other side resets the connection."""
    assert kind(probed(Agent(then="reset"))) is ProbeErrorKind.RESET


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"HTTP/1.1 200"], ids=["nothing", "half", "line"]
)
def test_closed(answer: bytes) -> None:
    """A connection that is closed before the answer is complete is no answer."""
    assert kind(probed(Agent(answer))) is ProbeErrorKind.CLOSED


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail ESMTP\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        b"HTTP/1.1 abc\r\n\r\n",
    ],
    ids=["ssh", "smtp", "http2", "status-line"],
)
def test_not_http(answer: bytes) -> None:
    """Another protocol is known by its first bytes, also when the connection then stays open."""
    assert kind(probed(Agent(answer, then="wait"))) is ProbeErrorKind.NOT_HTTP


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26",
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    ],
    ids=["alert", "handshake", "in-words"],
)
def test_tls(answer: bytes) -> None:
    """TLS on the agent's port: an alert, a handshake, or the sentence with which a TLS server answers plain HTTP."""
    assert kind(probed(Agent(answer))) is ProbeErrorKind.TLS


@pytest.mark.parametrize(
    "answer",
    [
        response(body=b"x" * (RESPONSE_LIMIT + 1)),
        b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"x" * RESPONSE_LIMIT,
        b"HTTP/1.1 100 Continue\r\n\r\n" * (RESPONSE_LIMIT // 20),
    ],
    ids=["body", "headers", "interim"],
)
def test_too_large(answer: bytes) -> None:
    """An answer is read up to a limit, of headers and body together, and given up beyond it."""
    assert kind(probed(Agent(answer, then="keep"))) is ProbeErrorKind.TOO_LARGE


def test_name_that_does_not_resolve() -> None:
    """A name instead of an address, here an interface that does not exist, is a DNS error."""
    assert kind(asyncio.run(check_health("[fe80::1%nowhere]:9111", timeout=PATIENT))) is ProbeErrorKind.DNS


def test_ipv6() -> None:
    """An IPv6 address stands in brackets, in the address and in the Host header."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as exc:
        pytest.skip(f"no IPv6 loopback here: {exc}")
    agent = Agent(response())

    assert probed(agent, host="::1").healthy
    assert f"host: {agent.address}" in agent.requests[0].decode().lower()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10.0.1.47",
        "10.0.1.47:",
        ":9111",
        "10.0.1.47:0",
        "10.0.1.47:65536",
        "fd00::1:9111",
        "[a]:9111",
        "a\r\nb:9111",
    ],
)
def test_malformed_address(address: str) -> None:
    """What is no address is a bug of the caller's, not an agent that fails."""
    with pytest.raises(ValueError, match="not an agent's address"):
        asyncio.run(check_health(address, timeout=PATIENT))


def test_own_agent_is_identified() -> None:
    """An agent that knows the token objects to the missing upgrade only."""
    agent = Agent(response("400 Bad Request", b"not a websocket handshake"))

    assert identified(agent).healthy
    request = agent.requests[0].decode()
    assert request.startswith("GET /ws HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}\r\n" in request
    assert "upgrade" not in request.lower()


def test_stranger() -> None:
    """An agent that refuses the token belongs to another container."""
    answer = identified(Agent(response("401 Unauthorized")))

    assert kind(answer) is ProbeErrorKind.STRANGER


def test_neither_agent_nor_stranger() -> None:
    """Any other status proves nothing."""
    assert kind(identified(Agent(response("200 OK")))) is ProbeErrorKind.STATUS


@pytest.mark.parametrize("answer", [response("401 Unauthorized"), b""], ids=["stranger", "echo"])
def test_token_is_in_no_answer(answer: bytes) -> None:
    """Not even when the other side sends back what it was sent."""

    class Echo(Agent):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.answer = answer or await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            writer.close()
            await writer.wait_closed()

    said = identified(Echo())

    assert not said.healthy
    assert TOKEN[:8] not in repr(said)


@pytest.mark.parametrize("token", ["", f"{TOKEN}\r\nX: y", f"{TOKEN} "])
def test_token_that_no_header_can_carry(token: str) -> None:
    """It is refused before anything is sent, and not quoted."""
    with pytest.raises(ValueError, match="the token for") as caught:
        asyncio.run(check_identity("127.0.0.1:9111", token, timeout=PATIENT))
    assert TOKEN not in str(caught.value)


def open_descriptors() -> int:
    """Of this process."""
    return len(list(DESCRIPTORS.iterdir()))


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="descriptors are counted through /proc")
def test_no_descriptor_is_left() -> None:
    """Whatever the outcome, and when the try is cancelled, its socket is closed when the try ends."""
    healthy, silent = Agent(response()), Agent(then="wait")

    async def main() -> tuple[int, int]:
        async with healthy.listening(), silent.listening():
            before = open_descriptors()
            await check_health(healthy.address, timeout=PATIENT)
            await check_health(f"127.0.0.1:{free_port()}", timeout=PATIENT)
            late = asyncio.create_task(check_health(silent.address, timeout=PATIENT))
            await silent.until(lambda: len(silent.requests) == 1)
            await time_out(late)
            cancelled = asyncio.create_task(check_health(silent.address, timeout=PATIENT))
            await silent.until(lambda: len(silent.requests) == 2)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            silent.released.set()
            await healthy.until(lambda: healthy.open == 0)
            await silent.until(lambda: silent.open == 0)
            return before, open_descriptors()

    before, after = run(main())
    assert after == before


def test_no_more_connections_than_allowed() -> None:
    """A worker has 1,024 descriptors: tries beyond the limit wait their turn, and none fails for it."""
    agent = Agent(response())

    async def main() -> list[Answer]:
        probe = HttpProbe(connections=5)
        async with agent.listening():
            tries = [probe.check_health(agent.address, timeout=PATIENT) for _ in range(40)]
            checks = [probe.check_identity(agent.address, TOKEN, timeout=PATIENT) for _ in range(10)]
            return list(await asyncio.gather(*tries, *checks))

    answers = asyncio.run(main())
    assert [answer.healthy for answer in answers] == [True] * 40 + [False] * 10
    assert agent.most_open <= 5


def test_a_burst_goes_through_one_after_the_other() -> None:
    """Tries that begin together do not all run together: on a slow worker each would outlive its time-out."""
    agent = Agent(response())

    async def main() -> list[Answer]:
        probe = HttpProbe()
        async with agent.listening():
            return list(await asyncio.gather(*(probe.check_health(agent.address, timeout=PATIENT) for _ in range(200))))

    assert all(answer.healthy for answer in asyncio.run(main()))
    assert agent.most_open < 50


def test_a_stuck_agent_delays_no_other() -> None:
    """Tries that wait for their agents let the others pass."""
    stuck, agent = Agent(then="wait"), Agent(response())

    async def main() -> Answer:
        probe = HttpProbe()
        async with stuck.listening(), agent.listening():
            waiting = [asyncio.create_task(probe.check_health(stuck.address, timeout=PATIENT)) for _ in range(20)]
            await stuck.until(lambda: stuck.open == 20)
            answer = await probe.check_health(agent.address, timeout=PATIENT)
            assert not any(task.done() for task in waiting)
            stuck.released.set()
            await asyncio.gather(*waiting)
            return answer

    assert asyncio.run(main()).healthy
