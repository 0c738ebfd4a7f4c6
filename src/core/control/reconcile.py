"""The reconciler: makes lost events, lost messages and dead functions harmless.

It reads the records whose `check_at` has come, asks ECS about them in batches, and folds what it learns in like any
other fact. Then the clock itself is a fact: deadlines that have passed count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from core.control.describe import Looker
from core.control.rate_limit import BudgetSpent
from core.control.settle import Settled, Settler
from core.machine.schedule import shards
from core.model.errors import CallFailed, ReachError
from core.model.facts import TimePassed
from core.model.policy import Policy
from core.ports import Clock, Store, Tasks

PAGE: Final = 100


@dataclass(slots=True)
class Report:
    """What one run did: records found due, records whose state it moved, and what went wrong by kind.

    `oldest` is for how many seconds the oldest of the due records had waited. `stopped` says why something was left
    for the next run: `throttled`, `time` or `limit`.
    """

    due: int = 0
    healed: int = 0
    oldest: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One run over everything that is due."""

    store: Store
    settler: Settler
    ecs: Tasks
    clock: Clock
    policy: Policy
    prefix: str
    told: Callable[[Settled], None]
    """Hears of every settled fact, for the log and the metrics."""
    failed: Callable[[ReachError], None]
    time_left: Callable[[], float]
    """Seconds until this run has to end."""

    def run(self) -> Report:
        """Works through every shard. One broken item or one refused call stops nothing but itself.

        What the time or the budget of `ecs` does not suffice for stays as it is, and due.
        """
        report = Report()
        # The index lags: what was settled a moment ago may still look due in it.
        return self._through(self._due(report), report, lambda check_at: check_at <= self.clock())

    def look_at(self, container_ids: Iterable[str]) -> Report:
        """Only these, as far as anything is owed: something has just happened to them that cannot wait for the minute.

        Nor for `check_at`, which another clock has written: one that is a moment ahead would put it off to the minute.
        """
        return self._through(iter(container_ids), Report(), lambda _: True)

    def _through(self, container_ids: Iterator[str], report: Report, due: Callable[[datetime], bool]) -> Report:
        try:
            while page := list(islice(container_ids, PAGE)):
                if self.time_left() < 0:
                    report.stopped = "time"
                    break
                self._page(page, report, due)
        except BudgetSpent as spent:
            report.stopped = spent.why
        return report

    def _note(self, error: ReachError, report: Report) -> None:
        report.errors[type(error).__name__] += 1
        self.failed(error)

    def _due(self, report: Report) -> Iterator[str]:
        """The ids of all shards, oldest first in each and the shards in turn: none waits behind another.

        A shard that cannot be read is told and left for the next run.
        """
        now = self.clock()
        waiting = [iter(self.store.due(shard, now)) for shard in shards(self.policy)]
        while waiting:
            for ids in tuple(waiting):
                try:
                    container_id = next(ids, None)
                except CallFailed as error:
                    self._note(error, report)
                    container_id = None
                if container_id is None:
                    waiting.remove(ids)
                else:
                    yield container_id

    def _page(self, container_ids: list[str], report: Report, due: Callable[[datetime], bool]) -> None:
        def note(error: ReachError) -> None:
            self._note(error, report)

        try:
            loaded = self.store.load_many(container_ids)
        except CallFailed as error:
            note(error)
            return
        for unreadable in loaded.unreadable:
            note(unreadable)
        now = self.clock()
        records = [one for one in loaded.records.values() if one.check_at and due(one.check_at)]
        report.due += len(records)
        report.oldest = max([report.oldest, *((now - one.check_at).total_seconds() for one in records if one.check_at)])
        for record, fact in Looker(self.ecs, self.clock, self.prefix, note).look(records):
            passed = TimePassed(ref=record.ref, at=self.clock())
            try:
                # Only what ECS has just been asked about may be judged by the clock.
                settled = self.settler.settle(fact, passed, known=record)
            except BudgetSpent as spent:
                # Its action stays owed. The next record may owe none.
                report.stopped = spent.why
                continue
            except ReachError as error:
                note(error)
                continue
            report.healed += bool(settled.steps)
            self.told(settled)
