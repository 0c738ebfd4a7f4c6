"""Carrying out what a record owes: one function per kind of action, each telling what became known by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.events import NotOurs, observe_description
from core.facts import Fact, StopAccepted
from core.owed import Action, DescribeTask, SendProbe, StopTask
from core.ports import Clock, Ecs, ProbeQueue
from core.settle import Perform


@dataclass(frozen=True, slots=True)
class Performer:
    """The actions of the functions that can reach the ECS API and the probe queue.

    The ports are asked for when they are first needed: a client costs 0.1 s of a cold start, and most starts need one.
    """

    ecs: Callable[[], Ecs]
    queue: Callable[[], ProbeQueue]
    clock: Clock
    prefix: str

    def table(self) -> Mapping[type[Action], Perform]:
        """For `Settler`: what this performer can do, by kind of action."""
        return {SendProbe: self._send_probe, StopTask: self._stop_task, DescribeTask: self._describe_task}

    def _send_probe(self, action: Any) -> None:
        self.queue().send(action.container_id, action.generation, action.address)

    def _stop_task(self, action: Any) -> Fact:
        self.ecs().stop(action.cluster_arn, action.task_arn, action.reason)
        return StopAccepted(
            container_id=action.container_id,
            generation=action.generation,
            at=self.clock(),
            task_arn=action.task_arn,
        )

    def _describe_task(self, action: Any) -> Fact | None:
        """None when ECS shows no such task yet, or it is not ours: the reconciler looks again."""
        for task in self.ecs().describe(action.cluster_arn, [action.task_arn]).tasks:
            observed = observe_description(task, prefix=self.prefix, at=self.clock())
            if not isinstance(observed, NotOurs):
                return observed
        return None
