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
        self._collected: list[str] = []
        self._next: asyncio.Task[Loaded] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self, container_id: str) -> Record | None:
        """The newest record, None if there is no item.

        Raises `UnreadableRecord` for this container's item, and every error of `load_many`.
        """
        self._collected.append(container_id)
        if self._next is None:
            self._next = asyncio.create_task(self._read_collected())
        # A read that is cancelled does not end the others.
        loaded = await asyncio.shield(self._next)
        for error in loaded.unreadable:
            if error.container_id == container_id:
                raise error
        return loaded.records.get(container_id)

    async def _read_collected(self) -> Loaded:
        async with self._one_at_a_time:
            collected, self._collected, self._next = self._collected, [], None
            return await self._load_many(collected)
