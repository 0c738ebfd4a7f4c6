"""What AWS would count of a backend's wait for an agent: `core.client` on a table that changes by a simulated clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final

from core.client import ReachClient
from core.model.parts import Instant
from core.model.record import Record
from core.storage.item import to_item
from docs.metered_store import MeteredStore
from tests.factories import CONTAINER_ID, pending
from tests.fakes import SettableClock
from tests.records import healthy, resolved

EARLIER: Final = (0.85, 0.93, 1.0, 1.07, 1.15)
"""How long the starts of the image took that the client has waited for before, in proportion to the one counted."""
ANSWER: Final = 0.1
"""Seconds from the address in the item to the agent's answer in it."""
PATIENCE: Final = 700.0


class _Starting(MeteredStore):
    """The table of a container that was started at `begun`, and is healthy after `seconds`."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__()
        self._clock, self.begun, self.seconds = clock, clock.now(), 0.0

    def load(self, container_id: str, *, consistent: bool = True) -> Record | None:
        """The item as it is by now."""
        known, answered = (self.begun + timedelta(seconds=self.seconds - left) for left in (ANSWER, 0))
        now = self._clock.now()
        record = healthy() if now >= answered else resolved() if now >= known else pending()
        timings = {Instant.RESOLVED: known, Instant.HEALTHY: answered}
        self.put_item(to_item(replace(record, created_at=self.begun, timings=timings)))
        return super().load(container_id, consistent=consistent)


@cache
def wait_units(seconds: float) -> float:
    """RRU of a wait for the agent of a container that is healthy after so many seconds."""
    clock = SettableClock()
    table = _Starting(clock)
    client = ReachClient(table, clock)
    for share in (*EARLIER, 1.0):
        table.begun, table.seconds, table.reads = clock.now(), share * seconds, 0
        client.wait_until_healthy(CONTAINER_ID, PATIENCE, generation=1)
    return table.reads
