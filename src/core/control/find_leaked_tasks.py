"""A leaked task runs with our startedBy, but no record refers to it.

A start whose client token ECS had forgotten, a StopTask that was never made, a table that was put back: each leaves a
task that costs money and cannot be reached or stopped by its container. The reconciler cannot see it, because it goes
from the records to the tasks; this job goes from the tasks to the records. The same for the parameters that hold
agents' tokens: a start that died after its container's end may leave one.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from core.control.background_run import RunReport
from core.control.describe_tasks import observe
from core.machine.next_actions import kept_running
from core.machine.task_documents import NotOurs
from core.model.errors import CallFailed, MalformedEvent
from core.model.identity import Ref, container_of_parameter
from core.model.policy import Policy
from core.model.record import Record
from core.ports import Ports, TaskPage

FORGOTTEN: Final = "no such container is recorded"


@dataclass(frozen=True, slots=True)
class RunningTask:
    """What never changes about a task of ours."""

    task_arn: str
    ref: Ref
    created_at: datetime | None


_KnownTasks: TypeAlias = MutableMapping[str, RunningTask | None]


@dataclass(slots=True)
class Listing:
    """What one run leaves for the next: the memory is as large as the cluster, not as its past.

    `known` are the running tasks that have been described, by ARN; None is a task that is not ours. startedBy of a task
    never changes, so that only new tasks are described. `listed` are those of the listing under way, which goes on
    `after` that page (ListTasks, `nextToken`).
    """

    known: dict[str, RunningTask | None] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    after: str | None = None

    def ended(self) -> None:
        """All tasks are listed: those that were not run no more."""
        for arn in self.known.keys() - self.listed:
            del self.known[arn]
        self.begin()

    def begin(self) -> None:
        """At the first page."""
        self.listed, self.after = set(), None


def leaked(task: RunningTask, record: Record | None, policy: Policy, now: datetime) -> str | None:
    """Why this running task is leaked; None when a record refers to it, or may within the grace.

    `record` has to be read after the task was listed: a start saves its record before it runs its task.
    The grace counts from the task's creation and from the instant at which it was last wanted, whichever is later:
    a task goes on for a while after its container exited, and after its stop was requested.
    """
    unwanted = _unwanted(task, record, policy)
    if unwanted is None or task.created_at is None:
        return None
    why, since = unwanted
    idle = now - max(task.created_at, since or task.created_at)
    return why if idle.total_seconds() >= policy.leak_grace else None


def _unwanted(task: RunningTask, record: Record | None, policy: Policy) -> tuple[str, datetime | None] | None:
    """The reason, and since when; None for the instant where only the task's own age counts."""
    if record is None:
        return FORGOTTEN, None
    if task.ref.generation != record.generation:
        return f"the container is at generation {record.generation}", record.created_at
    if record.task_arn == task.task_arn and (not record.state.ended or kept_running(record, policy)):
        return None
    for launch in record.launches:
        if launch.task_arn == task.task_arn:
            return "its launch was given up", launch.at
    if record.state.ended:
        return f"the container is {record.state}", record.updated_at
    # A record without a task is about to adopt this one: the reconciler finds it by startedBy.
    return (f"the container runs as {record.task_arn.rpartition('/')[2]}", None) if record.task_arn else None


def find_leaked_tasks(ports: Ports, cluster: str, listing: Listing) -> RunReport:
    """One run over the parameters of this stack and the running tasks of the cluster, as far as the rate limit goes.

    The next run with the same `listing` goes on from there, so that every task of a large cluster has its turn.

    Counts tasks `listed`, those that are `ours`, those that are `leaked`, and `parameters` deleted.
    """
    report = RunReport(ports.observer, dict.fromkeys(("listed", "ours", "leaked", "parameters"), 0))
    with report.until_stopped():
        _delete_leaked_parameters(ports, report)
    with report.until_stopped():
        while True:
            page = _listed(ports, cluster, listing)
            _page(ports, report, cluster, page.task_arns, listing.known)
            listing.listed.update(page.task_arns)
            if (following := page.following) is None:
                break
            listing.after = following
        listing.ended()
    return report


def _listed(ports: Ports, cluster: str, listing: Listing) -> TaskPage:
    try:
        return ports.ecs.running(cluster, after=listing.after)
    except CallFailed as failed:
        # How long ECS knows a nextToken is not documented.
        if listing.after is None or failed.transient or failed.uncertain:
            raise
        listing.begin()
        return ports.ecs.running(cluster)


def _page(ports: Ports, report: RunReport, cluster: str, task_arns: Sequence[str], known: _KnownTasks) -> None:
    report.counts["listed"] += len(task_arns)
    if new := [arn for arn in task_arns if arn not in known]:
        _describe(ports, report, cluster, new, known)
    ours = [task for arn in task_arns if (task := known.get(arn)) is not None]
    report.counts["ours"] += len(ours)
    loaded = ports.store.load_many(task.ref.container_id for task in ours)
    report.failed(*loaded.unreadable)
    unreadable = {error.container_id for error in loaded.unreadable}
    for task in ours:
        if task.ref.container_id not in unreadable:
            _judge(ports, report, cluster, task, loaded.records.get(task.ref.container_id))


def _describe(ports: Ports, report: RunReport, cluster: str, new: Sequence[str], known: _KnownTasks) -> None:
    answer = ports.ecs.describe(cluster, new)
    report.failed(*answer.refused)
    for document in answer.tasks:
        try:
            task = observe(ports, document)
        except MalformedEvent as error:
            report.failed(error)
            continue
        ours = None if isinstance(task, NotOurs) else RunningTask(task.task_arn, task.ref, task.created_at)
        known[document["taskArn"]] = ours


def _judge(ports: Ports, report: RunReport, cluster: str, task: RunningTask, record: Record | None) -> None:
    why = leaked(task, record, ports.policy, ports.clock.now())
    if why is None:
        return
    report.counts["leaked"] += 1
    ports.observer.task_leaked(task.ref, task.task_arn, why)
    if ports.policy.keep_leaked:
        return
    try:
        # 255 characters at most; this has about 150.
        ports.ecs.stop(cluster, task.task_arn, f"Leaked task of container {task.ref.container_id}: {why}.")
    except CallFailed as error:
        report.failed(error)


def _delete_leaked_parameters(ports: Ports, report: RunReport) -> None:
    """Listed before the records are read: a start puts its parameter after it has named it in its record."""
    now, prefix = ports.clock.now(), ports.settings.started_by_prefix
    aged = {
        name: container_id
        for name, changed in ports.vault.names(prefix)
        if (container_id := container_of_parameter(prefix, name)) is not None
        and (now - changed).total_seconds() >= ports.policy.leak_grace
    }
    loaded = ports.store.load_many(aged.values())
    named = {record.token_parameter for record in loaded.records.values()}
    unreadable = {error.container_id for error in loaded.unreadable}
    for name, container_id in aged.items():
        if name not in named and container_id not in unreadable:
            ports.vault.erase(name)
            report.counts["parameters"] += 1
