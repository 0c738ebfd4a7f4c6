"""AgentHealthFunction's probes on the simulated clock: the core's own, on an event loop that the scheduler drives."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from bench.virtual import hops
from bench.virtual.world import World
from core.control.settle_verdict import settle_verdict
from core.model.identity import Ref
from core.ports import Loaded, Ports, Store
from core.probe.answer import HEALTHY, Answer, ProbeErrorKind, probe_error
from core.probe.batched_reads import BatchedReads
from core.probe.outcome import Verdict
from core.probe.prober import AgentProbe
from core.probe.view import Target

SECONDS: Final = 290.0
"""Of the function's 300, without its margin."""


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for a timer, lets the rest of the world go on until its time has come."""

    world: World

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            if timeout is None:
                raise RuntimeError("every probe waits for something that will never happen")
            self.world.pause(timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.world.monotonic()


class Prober:
    """Runs batches, each on a loop of its own while it lasts. `store` takes no time: its calls are timed here."""

    def __init__(self, world: World, ports: Ports, store: Store) -> None:
        self._world, self._ports, self._store = world, ports, store
        self._idle: list[_Loop] = []

    def probe(self, batch: Sequence[tuple[Ref, str]]) -> None:
        """Every agent of the batch, until each has its verdict. Called by what the world began."""
        loop = self._idle.pop() if self._idle else _Loop()
        loop.selector.world = self._world
        loop.run_until_complete(self._probe(batch))
        self._idle.append(loop)

    def close(self) -> None:
        """Ends the loops."""
        for loop in self._idle:
            loop.close()

    async def _probe(self, batch: Sequence[tuple[Ref, str]]) -> None:
        reads = BatchedReads(self._load_many)
        until = self._world.now() + timedelta(seconds=SECONDS)
        verify = self._ports.settings.verify_agent_identity
        probes = [
            AgentProbe(
                Target(ref, address),
                check_health=self._check_health,
                check_identity=self._check_identity if verify else None,
                read_record=lambda ref=ref: reads.read(ref.container_id),  # type: ignore[misc]
                settle_verdict=self._settle,
                now=self._world.now,
                sleep=asyncio.sleep,
                policy=self._ports.policy,
                give_up_at=until,
            ).run()
            for ref, address in batch
        ]
        await asyncio.gather(*probes)

    async def _load_many(self, container_ids: Sequence[str]) -> Loaded:
        await asyncio.sleep(self._world.draw(hops.BATCH_GET))
        return self._store.load_many(container_ids)

    async def _settle(self, verdict: Verdict, *known: Any) -> Any:
        # The other probes of the batch stand still meanwhile: a worker of 256 MB has a seventh of a processor.
        return settle_verdict(self._ports, verdict, *known)

    async def _check_health(self, address: str, *, timeout: float) -> Answer:  # noqa: ASYNC109, ARG002 - the port's
        await asyncio.sleep(self._world.draw(hops.HEALTH))
        return HEALTHY if self._world.listens(address) else Answer(probe_error(ProbeErrorKind.REFUSED, address))

    async def _check_identity(self, address: str, token: str, *, timeout: float) -> Answer:  # noqa: ASYNC109, ARG002
        return await self._check_health(address, timeout=timeout)
