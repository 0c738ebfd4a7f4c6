"""The seed's polling start in the simulated AWS: the steps of `bench.polling_backend`, on the same quotas and tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.polling_backend import CheckHealth, DescribeTask, Sleep, StartFailed, Steps, follow, wait_until_healthy
from bench.rows import NEVER
from bench.virtual import hops
from bench.virtual.world import Container, World
from core.control.run_task import FIRST_PAUSE, LONGEST_PAUSE
from local.fargate.api.errors import AwsError


@dataclass
class Polling:
    """`known_at`: when each start was known to be healthy; `NEVER` where it failed."""

    world: World
    known_at: dict[str, float] = field(default_factory=dict)
    describes: int = 0
    throttled: int = 0

    def run(self) -> None:
        """Until every start has been found, or has failed."""
        self.world_of = {one.task_arn: one for one in self.world.containers}
        for container in self.world.containers:
            self.world.after(container.asked_at, lambda container=container: self._start(container, 0))  # type: ignore[misc]
        self.world.scheduler.run(until=NEVER)

    def _start(self, container: Container, tries: int) -> None:
        """RunTask, repeated while it is throttled, with the pauses of this stack's start and without its patience."""
        try:
            self.world.run_task(container)
        except AwsError:
            longest = min(FIRST_PAUSE * 2.0 ** min(tries, 16), LONGEST_PAUSE)
            pause = longest * (0.5 + self.world.chance.random() / 2)
            self.world.after(pause, lambda: self._start(container, tries + 1))
            return
        took = self.world.draw(hops.RUN_TASK) / 2
        self.world.after(took, lambda: self._wait(container))

    def _wait(self, container: Container) -> None:
        steps = wait_until_healthy(container.task_arn, self.world.monotonic)
        self._step(steps, None, lambda known: self._known(container, known=known))

    def _known(self, container: Container, *, known: bool) -> None:
        self.known_at[container.name] = self.world.monotonic() if known else NEVER
        if known and len(self.known_at) < len(self.world.containers):
            self._step(follow(container.task_arn, self.world.monotonic), None, lambda _: None)

    def _step(self, steps: Steps[Any], answer: Any, ended: Callable[[bool], None]) -> None:
        if len(self.known_at) == len(self.world.containers):
            steps.close()  # what lives on is not what is measured
            return
        try:
            step = steps.send(answer)
        except (StopIteration, StartFailed) as end:
            ended(isinstance(end, StopIteration))
            return
        match step:
            case Sleep(seconds):
                self.world.after(seconds, lambda: self._step(steps, None, ended))
            case DescribeTask(task_arn):
                half = self.world.draw(hops.DESCRIBE) / 2

                def arrive() -> None:
                    shown = self._describe(task_arn)
                    # A refusal is waited for, too, but nothing follows from it before the next tick.
                    self.world.after(half, lambda: self._step(steps, shown, ended)) if shown else self._step(
                        steps, None, ended
                    )

                self.world.after(half, arrive)
            case CheckHealth(address):
                healthy = self.world.listens(address)
                self.world.after(self.world.draw(hops.HEALTH), lambda: self._step(steps, healthy, ended))

    def _describe(self, task_arn: str) -> Mapping[str, Any] | None:
        """The task as it is when the call arrives; None when it is throttled."""
        self.describes += 1
        try:
            self.world.rates.take("DescribeTasks")
        except AwsError:
            self.throttled += 1
            return None
        container = self.world_of[task_arn]
        running = container.running_at <= self.world.monotonic()
        ip = container.address.partition(":")[0]
        details = [{"name": "privateIPv4Address", "value": ip}]
        return {
            "lastStatus": "RUNNING" if running else "PENDING",
            "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
        }
