"""The two processes of `bench.probe_capacity`: agents that behave as the scenario says, and a worker that probes."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.adapters.http_probe import HttpProbe
from core.model.facts import AgentAnswered, Fact
from core.model.identity import Ref
from core.model.parts import Probe
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State
from core.ports import Loaded
from core.probe.batched_reads import BatchedReads
from core.probe.prober import AgentProbe, ProbeResult
from core.probe.view import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

LAMBDA_DESCRIPTORS: Final = 1024
TOKEN: Final = "0" * 64


class _Answering(asyncio.Protocol):
    """An agent: 200 to /health, 400 to /ws, and the connection is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        status = b"200 OK" if data.startswith(b"GET /health ") else b"400 Bad Request"
        self.transport.write(b"HTTP/1.1 " + status + b'\r\nContent-Length: 16\r\n\r\n{"status": "ok"}')
        self.transport.close()


def agents(scenario: str, after: float, pipe: Connection) -> None:
    """A process: one port for all agents, of which the other side is told; for `late` and `ready`, since when."""
    unlimit()

    async def main() -> None:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        pipe.send(sock.getsockname()[1])
        loop = asyncio.get_running_loop()
        factory = asyncio.Protocol if scenario == "stuck" else _Answering
        server = await loop.create_server(factory, sock=sock, backlog=4096, start_serving=False)
        await loop.run_in_executor(None, pipe.recv)
        if scenario == "late":
            await asyncio.sleep(after)
        if scenario != "refused":
            await server.start_serving()
        pipe.send(time.time())
        await asyncio.Event().wait()

    asyncio.run(main())


def worker(scenario: str, count: int, timeout: float, port: int, pipe: Connection) -> None:
    """A process: the prober."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (LAMBDA_DESCRIPTORS, LAMBDA_DESCRIPTORS))
    import aws_lambda_powertools  # noqa: F401, PLC0415 - what the function has in memory, too
    from botocore.session import Session  # noqa: PLC0415

    Session().create_client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
    )
    imported = peak_mib()
    pipe.send("ready")
    pipe.recv()
    pipe.send(asyncio.run(_probe_all(scenario, count, timeout, f"127.0.0.1:{port}", imported)))


async def _probe_all(scenario: str, count: int, timeout: float, address: str, imported: float) -> dict[str, Any]:  # noqa: ASYNC109
    began, cpu = time.time(), time.process_time()
    start = now()
    records = {f"{number:064x}": _record(f"{number:064x}", address, start, timeout) for number in range(count)}
    answered: list[float] = []
    http = HttpProbe()

    async def load_many(container_ids: Sequence[str]) -> Loaded:
        return Loaded({name: records[name] for name in container_ids})

    async def report(fact: Fact, _record: Record | None) -> None:
        if isinstance(fact, AgentAnswered):
            answered.append(time.time())

    shared = BatchedReads(load_many)

    def one(container_id: str) -> Any:
        probe = AgentProbe(
            Target(Ref(container_id, 1), address),
            check_health=http.check_health,
            check_identity=http.check_identity,
            read_record=lambda: shared.read(container_id),
            settle_verdict=report,
            now=now,
            sleep=asyncio.sleep,
            policy=Policy(),
            give_up_at=start + timedelta(minutes=10),
        )
        return probe.run()

    most = [0]
    counting = asyncio.create_task(_count_descriptors(most))
    results: list[ProbeResult] = await asyncio.gather(*(one(container_id) for container_id in records))
    counting.cancel()
    tries = sum(result.attempts for result in results)
    cpu = time.process_time() - cpu
    return {
        "scenario": scenario,
        "probes": count,
        "seconds": round(time.time() - began, 2),
        "tries": tries,
        "cpu_seconds": round(cpu, 2),
        "cpu_us_per_try": round(cpu / tries * 1e6),
        "imported_mib": round(imported, 1),
        "peak_mib": round(peak_mib(), 1),
        "most_descriptors": most[0],
        "outcomes": dict(Counter(result.outcome.value for result in results)),
        "last_errors": dict(Counter(result.last_error.kind.value for result in results if result.last_error)),
        "answered": answered,
        "began": began,
    }


async def _count_descriptors(most: list[int]) -> None:
    """Ten times a second, into `most[0]`, until it is cancelled."""
    while True:
        most[0] = max(most[0], len(list(Path("/proc/self/fd").iterdir())))  # noqa: ASYNC240 - no disk behind it
        await asyncio.sleep(0.1)


def _record(container_id: str, address: str, at: datetime, timeout: float) -> Record:
    return Record(
        container_id=container_id,
        state=State.ENI_RESOLVED,
        generation=1,
        revision=2,
        created_at=at,
        updated_at=at,
        agent_address=address,
        agent_token=TOKEN,
        probe=Probe(deadline=at + timedelta(seconds=timeout)),
    )


def now() -> datetime:
    """The clock of the functions."""
    return datetime.now(UTC)


def unlimit() -> None:
    """As many descriptors as this process may have: the agents are not what is measured."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def peak_mib() -> float:
    """The highest resident size of this process so far, in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
