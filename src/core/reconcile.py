"""The reconciler: makes lost events, lost messages and dead functions harmless.

It reads the records whose `check_at` has come, asks ECS about them in batches, and folds what it learns in like any
other fact. Then the clock itself is a fact: deadlines that have passed count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from core.errors import ReachError
from core.facts import TimePassed
from core.looking import Looker
from core.owed import shards
from core.policy import Policy
from core.ports import Clock, Ecs, Store
from core.settle import Settled, Settler

PAGE: Final = 100


@dataclass(slots=True)
class Report:
    """What one run did: records found due, records whose state it moved, and what went wrong by kind."""

    due: int = 0
    healed: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One run over everything that is due. `told` hears of every settled fact, for the log and the metrics."""

    store: Store
    settler: Settler
    ecs: Ecs
    clock: Clock
    policy: Policy
    prefix: str
    told: Callable[[Settled], None]
    failed: Callable[[ReachError], None]
    time_left: Callable[[], float]
    """Seconds until this run has to end."""

    def run(self) -> Report:
        """Works through every shard. One broken item or one refused call stops nothing but itself."""
        report = Report()
        for shard in shards(self.policy):
            due = iter(self.store.due(shard, self.clock()))
            while page := list(islice(due, PAGE)):
                if self.time_left() < 0:
                    return report
                self._page(page, report)
        return report

    def _page(self, container_ids: list[str], report: Report) -> None:
        def note(error: ReachError) -> None:
            report.errors[type(error).__name__] += 1
            self.failed(error)

        loaded = self.store.load_many(container_ids)
        for unreadable in loaded.unreadable:
            note(unreadable)
        now = self.clock()
        # The index lags: what was settled a moment ago may still look due in it.
        records = [one for one in loaded.records.values() if one.check_at and one.check_at <= now]
        report.due += len(records)
        for record, fact in Looker(self.ecs, self.clock, self.prefix, note).look(records):
            passed = TimePassed(container_id=record.container_id, generation=record.generation, at=self.clock())
            try:
                # Only what ECS has just been asked about may be judged by the clock.
                settled = self.settler.settle(fact, passed, known=record)
            except ReachError as error:
                note(error)
                continue
            report.healed += bool(settled.steps)
            self.told(settled)
