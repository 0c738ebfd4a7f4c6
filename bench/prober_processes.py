"""The two processes of `bench.prober`: agents on one port, and a worker that probes them.

The worker has the imports and the descriptors of AgentHealthFunction, and runs the core's probes as it does. Records
come from memory: DynamoDB is not in it.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.adapters.http_probe import HttpProbe
from core.model.identity import Ref
from core.model.networks import ANYWHERE, networks
from core.model.parts import Probe
from core.model.policy import Policy
from core.model.state import State
from core.ports import Loaded
from core.probe.batched_reads import BatchedReads
from core.probe.outcome import Outcome, ProbeResult
from core.probe.prober import AgentProbe
from core.probe.view import Target
from tests.factories import pending

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DESCRIPTORS: Final = 1024
"""Of a Lambda worker (Lambda quotas)."""
PAIRS: Final = 9
"""Measurements of both sides, by turns: a machine that slows down slows both."""
PROBES: Final = 1000
"""Of each side of a pair: the same agents as many times as it takes."""
TRIES: Final = 10
"""Of each agent that refuses."""
MOMENT: Final = 0.02
"""Seconds between two moments."""
PAUSE: Final = 0.05
"""Seconds between them."""
_POLICY: Final = Policy(agent_networks=networks(ANYWHERE))
_LOCAL: Final = "127.0.0.1"
_HEALTH: Final = b"GET /health HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"
_IDENTITY: Final = b"GET /ws HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nAuthorization: Bearer 0\r\n\r\n"

Work = Callable[[], Coroutine[object, object, int]]
"""Returns how many probes or tries it was."""
Moment = tuple[float, float]
"""An instant, and for how many seconds this process had been kept waiting for a processor by then."""
Pair = tuple[float, float]
"""Seconds of CPU: of the bare loop, of the prober."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """By a worker of so many agents. `probes`: of one probe, to its verdict; `refusals`: of one refused try."""

    agents: int
    probes: tuple[Pair, ...]
    refusals: tuple[Pair, ...]
    peak_bytes: int


class _Agent(asyncio.Protocol):
    """200 to /health, 400 to /ws, and the connection is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        status = b"200 OK" if data.startswith(b"GET /health ") else b"400 Bad Request"
        self._transport.write(b"HTTP/1.1 " + status + b'\r\nContent-Length: 16\r\n\r\n{"status": "ok"}')
        self._transport.close()


def agents(pipe: Connection) -> None:
    """A process: sends the port of all agents; told so many seconds, listens after them and sends since when."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def main() -> None:
        sock = socket.socket()
        sock.bind((_LOCAL, 0))
        pipe.send(sock.getsockname()[1])
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Agent, sock=sock, backlog=4096, start_serving=False)
        await asyncio.sleep(await loop.run_in_executor(None, pipe.recv))
        await server.start_serving()
        pipe.send(time.time())
        await asyncio.Event().wait()

    asyncio.run(main())


def worker(count: int, pipe: Connection) -> None:
    """A process: the prober. For each port that it is told, until None: probes agents there that do not listen yet.

    Sends when it begins, and the moments until its last verdict. Then it sends what it measures of the last port.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    import aws_lambda_powertools  # noqa: F401, PLC0415 - what the function has in memory, too
    from botocore.session import Session  # noqa: PLC0415

    Session().create_client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
    )
    last = 0
    while (port := pipe.recv()) is not None:
        last = port
        pipe.send("probing")
        pipe.send(asyncio.run(_watched(count, port)))
    probes = _pairs(PROBES // count, lambda: bare(count, last), lambda: probed(count, last))
    refusals: tuple[Pair, ...] = ()
    if count * TRIES == PROBES:  # fewer agents would take too long, more would not get so many tries in the time
        with socket.socket() as unused:
            unused.bind((_LOCAL, 0))
            closed = unused.getsockname()[1]
            refusals = _pairs(1, lambda: bare_refused(count, closed), lambda: refused(count, closed))
    pipe.send(Measured(agents=count, probes=probes, refusals=refusals, peak_bytes=_peak_bytes()))


async def _watched(count: int, port: int) -> list[Moment]:
    moments: list[Moment] = []

    async def watch() -> None:
        while True:
            moments.append(_moment())
            await asyncio.sleep(MOMENT)

    watching = asyncio.create_task(watch())
    await probed(count, port)
    watching.cancel()
    return [*moments, _moment()]


async def bare(count: int, port: int) -> int:
    """What a bare asyncio loop takes for the same: connect, send, receive, twice for each agent; nothing is judged."""

    async def one() -> None:
        for request in (_HEALTH, _IDENTITY):
            await _ask(port, request)

    await asyncio.gather(*(one() for _ in range(count)))
    return count


async def bare_refused(count: int, port: int) -> int:
    """The same for agents that do not listen, with the pauses between the tries."""

    async def one() -> None:
        for _ in range(TRIES):
            with suppress(ConnectionRefusedError):
                await _ask(port, _HEALTH)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one() for _ in range(count)))
    return count * TRIES


async def probed(count: int, port: int) -> int:
    """The prober's own work, until every agent has answered."""
    await _probed(count, port, _POLICY, Outcome.HEALTHY)
    return count


async def refused(count: int, port: int) -> int:
    """The prober's own work, until each agent is silent: how many tries it took."""
    steady = replace(_POLICY, probe_first_interval=PAUSE, probe_interval=PAUSE, health_timeout=TRIES * PAUSE)
    return sum(result.attempts for result in await _probed(count, port, steady, Outcome.SILENT))


async def _probed(count: int, port: int, policy: Policy, expected: Outcome) -> list[ProbeResult]:
    http, address, begun = HttpProbe(), f"{_LOCAL}:{port}", _now()
    deadline = begun + timedelta(seconds=policy.health_timeout)
    known = pending(state=State.ENI_RESOLVED, agent_address=address, probe=Probe(deadline))
    records = {name: replace(known, container_id=name) for name in (f"{number:064x}" for number in range(count))}

    async def load_many(container_ids: Sequence[str]) -> Loaded:
        return Loaded({name: records[name] for name in container_ids})

    async def settle(*_: object) -> None:
        """A write that takes no time."""

    reads = BatchedReads(load_many)

    def probe(container_id: str) -> AgentProbe:
        return AgentProbe(
            Target(Ref(container_id, 1), address),
            check_health=http.check_health,
            check_identity=http.check_identity,
            read_record=lambda: reads.read(container_id),
            settle_verdict=settle,
            now=_now,
            sleep=asyncio.sleep,
            policy=policy,
            give_up_at=begun + timedelta(minutes=10),
        )

    results = await asyncio.gather(*(probe(name).run() for name in records))
    if wrong := [result for result in results if result.outcome is not expected]:
        raise RuntimeError(f"{len(wrong)} of {count} probes ended otherwise: {wrong[0]}")
    return results


async def _ask(port: int, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (_LOCAL, port))
        await loop.sock_sendall(sock, request)
        return await loop.sock_recv(sock, 4096)


def _pairs(times: int, bare_loop: Work, prober: Work) -> tuple[Pair, ...]:
    return tuple((_cpu(times, bare_loop), _cpu(times, prober)) for _ in range(PAIRS))


def _cpu(times: int, work: Work) -> float:
    """Seconds of CPU for each probe or try, on one loop."""

    async def repeated() -> int:
        return sum([await work() for _ in range(times)])

    begun = time.process_time()
    done = asyncio.run(repeated())
    return (time.process_time() - begun) / done


def _now() -> datetime:
    return datetime.now(UTC)


def _moment() -> Moment:
    """Of this thread, which runs the loop (proc(5), schedstat)."""
    return time.time(), int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def _peak_bytes() -> int:
    """The highest resident size of this process so far."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
