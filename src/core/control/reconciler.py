"""The reconciler: makes lost events, lost messages and dead functions harmless.

It reads the records whose `check_at` has come, asks ECS about them in batches, and settles what it learns like any
other fact. Then the clock itself is a fact: deadlines that have passed count.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from core.control.background_run import RunReport
from core.control.describe_tasks import describe_tasks
from core.control.settle import settle
from core.machine.schedule import shards
from core.model.errors import CallFailed, ReachError, RunStopped
from core.model.facts import TimePassed
from core.model.record import Record
from core.ports import Ports

PAGE: Final = 100


def reconcile(ports: Ports, time_left: Callable[[], float], only: Iterable[str] | None = None) -> RunReport:
    """One run over everything that is due. One broken item or one refused call stops nothing but itself.

    `time_left` are the seconds until the run has to end. What the time or the rate limit of `ports.ecs` does not
    suffice for stays due.

    `only`: just these containers, due or not. Something has happened to them that cannot wait for the minute, nor for
    a `check_at` that another clock has written.

    Counts `due`, `healed` (records whose state the run changed) and `oldest_due_seconds`.
    """
    report = RunReport(ports.observer, dict.fromkeys(("due", "healed", "oldest_due_seconds"), 0))
    container_ids = _due(ports, report) if only is None else iter(only)
    with report.until_stopped():
        without_task: list[Record] = []
        while page := list(islice(container_ids, PAGE)):
            _go_on(time_left)
            due = _loaded(ports, report, page, early=only is not None)
            _settle(ports, report, [one for one in due if one.task_arn is not None], time_left)
            without_task += [one for one in due if one.task_arn is None]
        # A burst of starts whose tasks have sent no event yet holds up nothing else.
        _settle(ports, report, without_task, time_left)
    return report


def _go_on(time_left: Callable[[], float]) -> None:
    if time_left() < 0:
        raise RunStopped("time")


def _due(ports: Ports, report: RunReport) -> Iterator[str]:
    """The ids of all shards, oldest first in each and the shards in turn: none waits behind another.

    A shard that cannot be read is reported and left for the next run.
    """
    now = ports.clock.now()
    waiting = [iter(ports.store.due(shard, now)) for shard in shards(ports.policy)]
    while waiting:
        for ids in tuple(waiting):
            try:
                container_id = next(ids, None)
            except CallFailed as error:
                report.failed(error)
                container_id = None
            if container_id is None:
                waiting.remove(ids)
            else:
                yield container_id


def _loaded(ports: Ports, report: RunReport, container_ids: list[str], *, early: bool) -> list[Record]:
    """Those that are due."""
    try:
        loaded = ports.store.load_many(container_ids)
    except CallFailed as error:
        report.failed(error)
        return []
    report.failed(*loaded.unreadable)
    now, counts = ports.clock.now(), report.counts
    # The index lags: what was settled a moment ago may still look due in it.
    checks = [(one, at) for one in loaded.records.values() if (at := one.check_at) and (early or at <= now)]
    counts["due"] += len(checks)
    late = [(now - check_at).total_seconds() for _, check_at in checks]
    counts["oldest_due_seconds"] = max([counts["oldest_due_seconds"], *late])
    return [record for record, _ in checks]


def _settle(ports: Ports, report: RunReport, records: list[Record], time_left: Callable[[], float]) -> None:
    for found in describe_tasks(ports, records):
        if isinstance(found, ReachError):
            report.failed(found)
            continue
        _go_on(time_left)  # each may have waited for a service that does not answer
        record, fact = found
        try:
            # The clock judges only what ECS has just shown.
            settled = settle(ports, record, fact, TimePassed(ref=record.ref, at=ports.clock.now()))
        except RunStopped as stopped:
            # Its action stays pending. The next record may have none.
            report.stopped = stopped.why
        except ReachError as error:
            report.failed(error)
        else:
            report.counts["healed"] += bool(settled.steps)
