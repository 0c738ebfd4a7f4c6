"""Leaked tasks: they carry our startedBy and run, and no record wants them.

A start whose client token ECS had forgotten, a StopTask that was never made, a table that was put back: each leaves a
task that costs money and that nobody can reach or stop by its container. The reconciler cannot see it, because it goes
from the records to the tasks; this pass goes from the tasks to the records. The same for the parameters that hold
agents' tokens: a start that died after its container's end may leave one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.control.rate_limit import BudgetSpent
from core.machine.next_actions import kept_running
from core.machine.task_documents import NotOurs, observe_description
from core.model.errors import CallFailed, MalformedEvent, ReachError
from core.model.failure import Cause
from core.model.identity import Ref, container_of_parameter
from core.model.policy import Policy
from core.model.record import Record
from core.ports import Clock, Store, Tasks, TokenVault

FORGOTTEN: Final = "no such container is recorded"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What never changes about a task of ours."""

    task_arn: str
    ref: Ref
    created_at: datetime | None


def leaked(task: Sighting, record: Record | None, policy: Policy, now: datetime) -> str | None:
    """Why nobody wants this task, which ECS is to run; None when somebody does, or may within the grace.

    `record` has to be read after the task was listed: a start saves its record before it runs its task.
    The grace counts from the task's creation and from the instant at which it was last wanted, whichever is later:
    a task goes on for a while after its container exited, and after its stop was asked for.
    """
    unwanted = _unwanted(task, record, policy)
    if unwanted is None or task.created_at is None:
        return None
    why, since = unwanted
    idle = now - max(task.created_at, since or task.created_at)
    return why if idle.total_seconds() >= policy.leak_grace else None


def _unwanted(task: Sighting, record: Record | None, policy: Policy) -> tuple[str, datetime | None] | None:
    """The reason, and since when; None for the instant where only the task's own age counts."""
    if record is None:
        return FORGOTTEN, None
    if task.ref.generation != record.generation:
        return f"the container is at generation {record.generation}", record.created_at
    return _unwanted_by(record, task, policy)


def _unwanted_by(record: Record, task: Sighting, policy: Policy) -> tuple[str, datetime | None] | None:
    """The same, when both are of one generation."""
    if record.task_arn == task.task_arn and (not record.state.ended or kept_running(record, policy)):
        return None
    for launch in record.launches:
        if launch.task_arn == task.task_arn:
            return "its launch was given up", launch.at
    if record.state.ended:
        return f"the container is {record.state}", record.updated_at
    if record.task_arn is None:
        # The record is about to adopt this one: the reconciler asks ECS by startedBy.
        return None
    return f"the container runs as {record.task_arn.rpartition('/')[2]}", None


@dataclass(slots=True)
class Leaks:
    """What one run did: tasks listed, those of ours among them, those leaked, and what went wrong by kind.

    `parameters` are the leaked ones that it deleted.

    `stopped` says why it ended before the list did: `throttled`, `time`, `limit` or `failed`.
    """

    listed: int = 0
    ours: int = 0
    leaked: int = 0
    parameters: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None


@dataclass(slots=True, kw_only=True)
class LeakFinder:
    """One run over the running tasks of the cluster; make another one for the next.

    `sightings` outlives the run: startedBy of a task never changes, so that only new tasks are described. A task that
    is not ours is None in it.
    """

    store: Store
    ecs: Tasks
    vault: TokenVault
    sightings: MutableMapping[str, Sighting | None]
    cluster: str
    prefix: str
    policy: Policy
    clock: Clock
    told: Callable[[Sighting, str], None]
    """Hears of every leaked task and why it is one, before it is stopped."""
    failed: Callable[[ReachError], None]
    _report: Leaks = field(default_factory=Leaks, init=False)

    def run(self) -> Leaks:
        """Looks at every task as far as the budget of `ecs` goes. What is left is for the next run."""
        try:
            self._work()
        except BudgetSpent as spent:
            self._report.stopped = spent.why
        except CallFailed as error:
            self._note(error)
            self._report.stopped = "throttled" if error.cause is Cause.THROTTLED else "failed"
        return self._report

    def _work(self) -> None:
        listed: set[str] = set()
        page = self.ecs.running(self.cluster)
        while True:
            listed.update(page.task_arns)
            self._page(page.task_arns)
            if page.following is None:
                break
            page = self.ecs.running(self.cluster, after=page.following)
        for arn in self.sightings.keys() - listed:
            del self.sightings[arn]
        self._parameters()

    def _parameters(self) -> None:
        """Read before the records are: a start puts its parameter after it has named it in its record."""
        now = self.clock()
        aged = {
            name: container_id
            for name, changed in self.vault.names(self.prefix)
            if (container_id := container_of_parameter(self.prefix, name)) is not None
            and (now - changed).total_seconds() >= self.policy.leak_grace
        }
        loaded = self.store.load_many(aged.values())
        left_alone = {unreadable.container_id for unreadable in loaded.unreadable}
        for name, container_id in aged.items():
            record = loaded.records.get(container_id)
            if container_id in left_alone or (record is not None and record.token_parameter == name):
                continue
            self.vault.erase(name)
            self._report.parameters += 1

    def _page(self, task_arns: Sequence[str]) -> None:
        self._report.listed += len(task_arns)
        if new := [arn for arn in task_arns if arn not in self.sightings]:
            self._describe(new)
        ours = [task for arn in task_arns if (task := self.sightings.get(arn)) is not None]
        self._report.ours += len(ours)
        loaded = self.store.load_many(task.ref.container_id for task in ours)
        for unreadable in loaded.unreadable:
            self._note(unreadable)
        left_alone = {unreadable.container_id for unreadable in loaded.unreadable}
        for task in ours:
            if task.ref.container_id not in left_alone:
                self._judge(task, loaded.records.get(task.ref.container_id))

    def _describe(self, task_arns: Sequence[str]) -> None:
        answer = self.ecs.describe(self.cluster, task_arns)
        for refused in answer.refused:
            self._note(refused)
        for document in answer.tasks:
            try:
                seen = observe_description(document, prefix=self.prefix, at=self.clock())
            except MalformedEvent as error:
                self._note(error)
                continue
            self.sightings[document["taskArn"]] = (
                None if isinstance(seen, NotOurs) else Sighting(seen.task_arn, seen.ref, seen.created_at)
            )

    def _judge(self, task: Sighting, record: Record | None) -> None:
        why = leaked(task, record, self.policy, self.clock())
        if why is None:
            return
        self._report.leaked += 1
        self.told(task, why)
        if self.policy.keep_leaked:
            return
        try:
            # 255 characters at most; this has about 150.
            self.ecs.stop(self.cluster, task.task_arn, f"Leaked task of container {task.ref.container_id}: {why}.")
        except CallFailed as error:
            self._note(error)

    def _note(self, error: ReachError) -> None:
        self._report.errors[type(error).__name__] += 1
        self.failed(error)
