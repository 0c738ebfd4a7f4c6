"""The tasks of ECS within two budgets: for what looks and waits while others start and stop containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.budget import Budget
from core.facts import TaskObserved
from core.ports import Described, Launched, Output, TaskPage, Tasks


@dataclass(frozen=True, slots=True)
class PacedTasks:
    """`core.ports.Tasks` that also raises `BudgetSpent`. ECS counts reads and changes apart (facts, section 6).

    Give it an adapter that does not repeat throttled calls: the repetitions would be in no budget.
    """

    tasks: Tasks
    reads: Budget
    changes: Budget

    def run(self, request: dict[str, Any]) -> Launched:
        """One change."""
        with self.changes.call():
            return self.tasks.run(request)

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """One change."""
        with self.changes.call():
            return self.tasks.stop(cluster, task_arn, reason)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """One read."""
        with self.reads.call():
            return self.tasks.describe(cluster, task_arns)

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """Two reads: running and stopped tasks are listed apart."""
        with self.reads.call(2):
            return self.tasks.find(cluster, started_by)

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """One read."""
        with self.reads.call():
            return self.tasks.running(cluster, after=after)


@dataclass(frozen=True, slots=True)
class PacedOutput:
    """`core.ports.Output` that also raises `BudgetSpent`: where a container logs to is asked of ECS."""

    output: Output
    reads: Budget

    def last_lines(self, task: TaskObserved, container: str, most: int) -> tuple[str, ...]:
        """One read, at most."""
        with self.reads.call():
            return self.output.last_lines(task, container, most)
