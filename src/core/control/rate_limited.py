"""ECS and CloudWatch Logs for background runs, which must leave rate to starts and stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.control.rate_limit import RateLimit
from core.ports import Described, Ecs, Launched, Output, TaskPage

READ_SECONDS: Final = 10.0
"""What the reading of one output may take, when every answer is slow."""


@dataclass(frozen=True, slots=True)
class RateLimitedEcs:
    """`core.ports.Ecs` that also raises `RunStopped`. ECS counts reads and changes apart (ecs.md 6).

    Give it an adapter that does not repeat throttled calls: the repetitions would be in no limit.
    """

    ecs: Ecs
    reads: RateLimit
    changes: RateLimit

    def register(self, definition: dict[str, Any]) -> None:
        """One change."""
        with self.changes.call():
            self.ecs.register(definition)

    def run(self, request: dict[str, Any]) -> Launched:
        """One change."""
        with self.changes.call():
            return self.ecs.run(request)

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """One change."""
        with self.changes.call():
            return self.ecs.stop(cluster, task_arn, reason)

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """One read."""
        with self.reads.call():
            return self.ecs.describe(cluster, task_arns)

    def find(self, cluster: str, started_by: str) -> tuple[str, ...]:
        """Two reads: running and stopped tasks are listed apart."""
        with self.reads.call(2):
            return self.ecs.find(cluster, started_by)

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """One read."""
        with self.reads.call():
            return self.ecs.running(cluster, after=after)


@dataclass(frozen=True, slots=True)
class RateLimitedOutput:
    """`core.ports.Output` that also raises `RunStopped`."""

    output: Output
    reads: RateLimit

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """One read."""
        with self.reads.call():
            return self.output.last_lines(task_arn, container, most)
