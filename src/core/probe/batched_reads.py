"""Batches concurrent reads: probes that read their records at about the same time share one BatchGetItem.

A GetItem costs a worker ten times the CPU of one item in a BatchGetItem, and a worker of 256 MB has a seventh of a
CPU: a thousand probes with a read each would leave it no time to probe.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.model.record import Record
    from core.ports import Loaded


class BatchedReads:
    """Collects the reads that arrive while one is under way, and makes the next one for all of them.

    One per event loop. Calls of `load_many` (`Store.load_many`) never overlap.
    """

    def __init__(self, load_many: Callable[[Sequence[str]], Awaitable[Loaded]]) -> None:
        self._load_many = load_many
        self._waiting: list[tuple[str, asyncio.Future[Record | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def read(self, container_id: str) -> Record | None:
        """The newest record, None if there is no item.

        Raises `UnreadableRecord` for this container's item, and every error of `load_many`.
        """
        found: asyncio.Future[Record | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((container_id, found))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_waiting())
        return await found

    async def _read_waiting(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                loaded = await self._load_many([container_id for container_id, _ in asked])
            except Exception as error:  # noqa: BLE001 - each read raises it again
                for _, found in asked:
                    if not found.done():
                        found.set_exception(error)
                continue
            unreadable = {error.container_id: error for error in loaded.unreadable}
            for container_id, found in asked:
                if found.done():
                    continue
                if container_id in unreadable:
                    found.set_exception(unreadable[container_id])
                else:
                    found.set_result(loaded.records.get(container_id))
