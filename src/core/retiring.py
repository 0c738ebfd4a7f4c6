"""Retiring task definitions that nothing uses any more: deregister, then delete.

Retiring disturbs no task: ECS keeps a definition until its tasks have ended. But the next start of that shape has to
register it again, at one call a second for the whole account (facts, section 6). So four kinds stay: a definition of a
container that has not ended; of one whose item changed within `GRACE`, because it may be started again; one younger
than `GRACE`, because its first start may not be recorded yet; and one of which ECS itself shows a task.
A start that takes a definition at the very moment it goes is told so by RunTask, and registers it again
(`core.ports.Ecs.ensure_definition`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.definition_use import DefinitionUse
from core.errors import CallFailed, Cause, ReachError
from core.families import family_in, is_family_of, revision_in
from core.ports import Clock, Definitions, DefinitionUses, Registered

GRACE: Final = timedelta(hours=24)
PAUSE: Final = 2.0
"""Seconds between two calls that change definitions: half of the account's rate is left to the starts."""
MOST_A_RUN: Final = 50
"""Families retired in one run, at most."""
DELETE_BATCH: Final = 10
"""DeleteTaskDefinitions' own limit."""


def needed_families(uses: Iterable[DefinitionUse], now: datetime) -> frozenset[str]:
    """The families that the items of the table keep. What cannot be read in an item counts as a reason to keep."""
    return frozenset(
        family_in(use.task_definition_arn)
        for use in uses
        if not use.ended or use.updated_at is None or now - use.updated_at < GRACE
    )


def may_retire(newest: Registered, needed: frozenset[str], now: datetime) -> bool:
    """Whether this newest revision of its family may go, and every older one with it."""
    grown = newest.registered_at is not None and now - newest.registered_at >= GRACE
    return grown and family_in(newest.arn) not in needed


@dataclass(slots=True)
class Retired:
    """What one run did. `stopped` says why it ended before its work did: `throttled`, `time`, `limit` or `failed`."""

    families: int = 0
    needed: int = 0
    deregistered: int = 0
    deleted: int = 0
    undeleted: int = 0
    """Those ECS would not delete; they stay INACTIVE, and the next run tries again."""
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


@dataclass(slots=True)
class Retirer:
    """One run over the definitions of one stack."""

    uses: DefinitionUses
    definitions: Definitions
    stem: str
    """`core.families.family_stem` of this stack."""
    clock: Clock
    sleep: Callable[[float], object]
    failed: Callable[[ReachError], None]
    """Hears of every call that failed, but for a throttled one: that is no error, it only ends the run."""
    time_left: Callable[[], float]
    """Seconds until this run has to end."""
    _report: Retired = field(default_factory=Retired, init=False)
    _inactive: list[str] = field(default_factory=list, init=False)
    """Deregistered, to be deleted."""
    _changes: int = field(default=0, init=False)

    def run(self) -> Retired:
        """Retires what is unused, as far as it comes; what is left is for the next run, also after a crash."""
        try:
            self._work()
        except CallFailed as error:
            self._report.stopped = "failed"
            self._note(error)
        except _Throttled:
            self._report.stopped = "throttled"
        return self._report

    def _work(self) -> None:
        with self._asking():
            active, inactive = self._families(active=True), self._families(active=False)
            now = self.clock()
            needed = needed_families(self.uses.definition_uses(), now) if active or inactive else frozenset()
        self._report.families, self._report.needed = len(active), len(needed.intersection(active))
        # First what an earlier run deregistered and did not come to delete.
        for family in (*inactive, *active):
            if family in needed:
                continue
            if (why := self._enough()) is not None:
                self._report.stopped = why
                break
            self._retire(family, needed, now)
            if len(self._inactive) >= DELETE_BATCH:
                self._delete()
        while self._inactive:
            self._delete()
