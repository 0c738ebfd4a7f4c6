"""Asking ECS what became of tasks: the reconciler's way of learning, and the fallback of the others.

Whatever is learnt goes through the same facts as the events do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from core.machine.task_documents import NotOurs, observe_description
from core.model.errors import CallFailed, MalformedEvent, ReachError
from core.model.facts import Fact, TaskGone, TaskListed, TaskObserved
from core.model.identity import started_by
from core.model.record import Record
from core.ports import Clock, Tasks

BATCH: Final = 100
"""DescribeTasks' own limit."""


@dataclass(frozen=True, slots=True)
class Looker:
    """Turns records into facts about their tasks."""

    ecs: Tasks
    clock: Clock
    prefix: str
    failed: Callable[[ReachError], None]

    def look(self, records: Iterable[Record]) -> Iterator[tuple[Record, Fact]]:
        """Each record with what ECS shows of its task, or that it shows none; up to 100 tasks a call.

        A call that fails is told to `failed`, and its records are left out: not to have been able to ask is not the
        same as there being nothing.
        """
        for cluster, group in groupby(sorted(records, key=_cluster), key=_cluster):
            members = list(group)
            # Those with a task first: a hundred of them cost one call, each of the others two of its own.
            yield from self._describe(cluster, [(one, one.task_arn) for one in members if one.task_arn is not None])
            adopted: list[tuple[Record, str]] = []
            for record in members:
                if record.task_arn is not None:
                    continue
                try:
                    arn = self._find(cluster, record)
                except CallFailed as error:
                    self.failed(error)
                    continue
                if arn is None:
                    yield record, self._gone(record)
                else:
                    adopted.append((record, arn))
            yield from self._describe(cluster, adopted)

    def _find(self, cluster: str, record: Record) -> str | None:
        """The task that carries the record's startedBy: RunTask may have been the last call made."""
        found = self.ecs.find(cluster, started_by(self.prefix, record.ref))
        return next((arn for arn in found if not record.gave_up(arn)), None)

    def _describe(self, cluster: str, known: Sequence[tuple[Record, str]]) -> Iterator[tuple[Record, Fact]]:
        for start in range(0, len(known), BATCH):
            yield from self._describe_batch(cluster, known[start : start + BATCH])

    def _describe_batch(self, cluster: str, batch: Sequence[tuple[Record, str]]) -> Iterator[tuple[Record, Fact]]:
        try:
            answer = self.ecs.describe(cluster, [arn for _, arn in batch])
        except CallFailed as error:
            self.failed(error)
            return
        for refused in answer.refused:
            self.failed(refused)
        tasks = {task["taskArn"]: task for task in answer.tasks}
        for record, arn in batch:
            if arn in tasks:
                if (fact := self._observe(tasks[arn])) is not None:
                    yield record, fact
            elif arn in answer.missing:
                yield record, self._gone(record) if record.task_arn else self._listed(record, arn)

    def _observe(self, task: dict[str, Any]) -> TaskObserved | None:
        try:
            observed = observe_description(task, prefix=self.prefix, at=self.clock())
        except MalformedEvent as error:
            self.failed(error)
            return None
        return None if isinstance(observed, NotOurs) else observed

    def _listed(self, record: Record, arn: str) -> TaskListed:
        return TaskListed(ref=record.ref, at=self.clock(), task_arn=arn)

    def _gone(self, record: Record) -> TaskGone:
        return TaskGone(
            ref=record.ref,
            at=self.clock(),
            task_arn=record.task_arn,
        )


def _cluster(record: Record) -> str:
    return record.cluster_arn or ""
