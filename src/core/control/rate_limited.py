"""ECS and CloudWatch Logs for what looks and waits while others start and stop containers: within budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.control.rate_limit import Budget, BudgetSpent
from core.model.errors import CallFailed
from core.ports import Described, Launched, Output, TaskPage, Tasks

READ_SECONDS: Final = 10.0
"""What the reading of one output may take, when every answer is slow."""


@dataclass(frozen=True, slots=True)
class PacedTasks:
    """`core.ports.Tasks` that also raises `BudgetSpent`. ECS counts reads and changes apart (ecs.md 6).

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


@dataclass(slots=True)
class SparingOutput:
    """`core.ports.Output` for a run with more to do than to read. It also raises `BudgetSpent`.

    A diagnosis is worth less than the work of the run: when the service is down or throttles, nothing more is read.
    """

    output: Output
    time_left: Callable[[], float]
    """Seconds until the run has to end."""
    _down: CallFailed | None = field(default=None, init=False)

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """The same failure again, without a call, after one that may pass."""
        if self._down is not None:
            raise self._down
        if self.time_left() < READ_SECONDS:
            raise BudgetSpent("time")
        try:
            return self.output.last_lines(task_arn, container, most)
        except CallFailed as failed:
            if failed.transient:
                self._down = failed
            raise
