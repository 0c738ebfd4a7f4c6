"""Retiring task definitions that nothing uses any more: deregister, then delete.

Retiring disturbs no task: ECS keeps a definition until its tasks have ended. But the next start of that shape has to
register it again, at one call a second for the whole account (ecs.md 6). So four kinds stay: a definition of a
container that has not ended; of one whose item changed within `GRACE`, because it may be started again; one younger
than `GRACE`, because its first start may not be recorded yet; and one of which ECS itself shows a task.
If a start races with retirement, RunTask fails with `core.model.errors.DefinitionGone`, and the start registers the
definition again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.control.background_run import RateLimit, RunReport
from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.families import DefinitionUse, family_in, is_family_of, revision_in
from core.ports import Definitions, Ports, Registered

GRACE: Final = timedelta(hours=24)
PAUSE: Final = 2.0
"""Seconds between two calls that change definitions: half of the account's rate is left to the starts."""
MOST_A_RUN: Final = 400
"""Definitions that a run deregisters at most: with the deletions as many as its function has time for."""
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


def retire_definitions(ports: Ports, stem: str, time_left: Callable[[], float]) -> RunReport:
    """One run over the definitions of the stack with this `core.model.families.family_stem`.

    What it does not come to is for the next run, as after a crash. A throttled call is no error, it only ends the run.
    `time_left` are the seconds until the run has to end.

    Counts `families` of this stack, those `needed`, revisions `deregistered`, `deleted`, and `undeleted`: those that
    ECS would not delete stay INACTIVE, and the next run tries again. `errors` are by AWS's code.
    """
    names = ("families", "needed", "deregistered", "deleted", "undeleted")
    report = RunReport(ports.observer, dict.fromkeys(names, 0))
    run = _Run(ports.definitions, report, RateLimit(clock=ports.clock, rate=1 / PAUSE), ports.clock.now())
    try:
        _work(ports, run, stem, time_left)
    except CallFailed as error:
        if error.cause is Cause.THROTTLED:
            report.stopped = "throttled"
        else:
            report.stopped = "failed"
            report.failed(error, kind=error.code)
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    definitions: Definitions
    report: RunReport
    changes: RateLimit
    now: datetime
    inactive: list[str] = field(default_factory=list)
    """ARNs to be deleted."""


def _work(ports: Ports, run: _Run, stem: str, time_left: Callable[[], float]) -> None:
    counts = run.report.counts
    families = [family for family in run.definitions.families(stem) if is_family_of(stem, family)]
    counts["families"] = len(families)
    if not families:
        return
    needed = needed_families(ports.store.definition_uses(), run.now)
    unused = [family for family in families if family not in needed]
    counts["needed"] = len(families) - len(unused)
    for family in unused:
        if counts["deregistered"] >= MOST_A_RUN or time_left() < 0:
            run.report.stopped = "limit" if counts["deregistered"] >= MOST_A_RUN else "time"
            break
        _retire(run, family, needed)
        while len(run.inactive) >= DELETE_BATCH:
            _delete(run)
    while run.inactive:
        _delete(run)


def _retire(run: _Run, family: str, needed: frozenset[str]) -> None:
    """One family. A call that fails for it hides no other, unless it was throttled."""
    try:
        newest = run.definitions.newest(family)
        if newest is None:
            # An earlier run deregistered it and ended before it could delete.
            run.inactive.extend(run.definitions.revisions(family, active=False))
        elif may_retire(newest, needed, run.now) and not run.definitions.has_tasks(family):
            for arn in run.definitions.revisions(family, active=True):
                if revision_in(arn) > revision_in(newest.arn):
                    continue  # it was registered this very moment
                with run.changes.call():
                    run.definitions.deregister(arn)
                run.report.counts["deregistered"] += 1
                run.inactive.append(arn)
    except CallFailed as error:
        if error.cause is Cause.THROTTLED:
            raise
        run.report.failed(error, kind=error.code)


def _delete(run: _Run) -> None:
    batch = run.inactive[:DELETE_BATCH]
    del run.inactive[:DELETE_BATCH]
    with run.changes.call():
        kept = len(run.definitions.delete(batch))
    run.report.counts["deleted"] += len(batch) - kept
    run.report.counts["undeleted"] += kept
