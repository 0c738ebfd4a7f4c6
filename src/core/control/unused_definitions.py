"""Retiring task definitions that nothing uses any more: deregister, then delete.

Retiring disturbs no task: ECS keeps a definition until its tasks have ended. But the next start of that shape has to
register it again, at one call a second for the whole account (ecs.md 6). So four kinds stay: a definition of a
container that has not ended; of one whose item changed within `GRACE`, because it may be started again; one younger
than `GRACE`, because its first start may not be recorded yet; and one of which ECS itself shows a task.
A start that takes a definition at the very moment it goes is told so by RunTask, and registers it again
(`core.model.errors.DefinitionGone`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.model.definition_use import DefinitionUse
from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause
from core.model.families import family_in, is_family_of, revision_in
from core.ports import Clock, Definitions, DefinitionUses, Registered

GRACE: Final = timedelta(hours=24)
PAUSE: Final = 2.0
"""Seconds between two calls that change definitions: half of the account's rate is left to the starts."""
MOST_A_RUN: Final = 400
"""Definitions deregistered before a run calls it a day: with the deletions as many as its function has time for."""
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
    """Whether this newest ACTIVE revision of its family may go, and every older one with it."""
    return family_in(newest.arn) not in needed and now - newest.at >= GRACE


@dataclass(slots=True)
class Retired:
    """What one run did: families of this stack seen, of those needed, and revisions that went.

    `undeleted` are revisions that ECS would not delete: they stay INACTIVE, and the next run tries again.
    `stopped` says why it ended before its work did: `throttled`, `time`, `limit` or `failed`.
    """

    families: int = 0
    needed: int = 0
    deregistered: int = 0
    deleted: int = 0
    undeleted: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


@dataclass(slots=True, kw_only=True)
class Retirer:
    """One run over the definitions of one stack; make another one for the next."""

    uses: DefinitionUses
    definitions: Definitions
    stem: str
    """`core.model.families.family_stem` of this stack."""
    clock: Clock
    sleep: Callable[[float], object]
    failed: Callable[[ReachError], None]
    """Hears of every call that failed, but for a throttled one: that is no error, it only ends the run."""
    time_left: Callable[[], float]
    """Seconds until this run has to end."""
    _report: Retired = field(default_factory=Retired, init=False)
    _inactive: list[str] = field(default_factory=list, init=False)
    """ARNs to be deleted."""
    _first: bool = field(default=True, init=False)

    def run(self) -> Retired:
        """Retires what is unused, as far as it comes; the rest is for the next run, as after a crash."""
        try:
            self._work()
        except CallFailed as error:
            if error.cause is Cause.THROTTLED:
                self._report.stopped = "throttled"
            else:
                self._report.stopped = "failed"
                self._note(error)
        return self._report

    def _work(self) -> None:
        families = [family for family in self.definitions.families(self.stem) if is_family_of(self.stem, family)]
        self._report.families = len(families)
        if not families:
            return
        now = self.clock()
        needed = needed_families(self.uses.definition_uses(), now)
        unused = [family for family in families if family not in needed]
        self._report.needed = len(families) - len(unused)
        for family in unused:
            if (why := self._enough()) is not None:
                self._report.stopped = why
                break
            self._retire(family, needed, now)
            while len(self._inactive) >= DELETE_BATCH:
                self._delete()
        while self._inactive:
            self._delete()

    def _enough(self) -> str | None:
        if self._report.deregistered >= MOST_A_RUN:
            return "limit"
        return "time" if self.time_left() < 0 else None

    def _retire(self, family: str, needed: frozenset[str], now: datetime) -> None:
        """One family. A call that fails for it hides no other, unless ECS wants to be left alone."""
        try:
            newest = self.definitions.newest(family)
            if newest is None:
                # An earlier run deregistered it and ended before it could delete.
                self._inactive += self.definitions.revisions(family, active=False)
            elif may_retire(newest, needed, now) and not self.definitions.has_tasks(family):
                for arn in self.definitions.revisions(family, active=True):
                    if revision_in(arn) <= revision_in(newest.arn):  # a newer one was registered this very moment
                        self._deregister(arn)
        except CallFailed as error:
            if error.cause is Cause.THROTTLED:
                raise
            self._note(error)

    def _deregister(self, arn: str) -> None:
        self._pause()
        self.definitions.deregister(arn)
        self._report.deregistered += 1
        self._inactive.append(arn)

    def _delete(self) -> None:
        self._pause()
        batch = self._inactive[:DELETE_BATCH]
        del self._inactive[:DELETE_BATCH]
        kept = len(self.definitions.delete(batch))
        self._report.deleted += len(batch) - kept
        self._report.undeleted += kept

    def _pause(self) -> None:
        if not self._first:
            self.sleep(PAUSE)
        self._first = False

    def _note(self, error: CallFailed) -> None:
        self._report.errors[error.code] += 1
        self.failed(error)
