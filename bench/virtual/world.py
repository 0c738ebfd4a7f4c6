"""A small AWS on a simulated clock: containers whose times are drawn beforehand, ECS's tasks, and its token buckets.

Two systems that start the same containers in two worlds of one seed meet the same tasks, the same agents and the same
quotas. What happens depends on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Final, TypeVar

from bench.rows import NEVER
from bench.virtual import hops
from bench.virtual.hops import Hop
from core.model.instants import truncate
from local.fargate.api.rates import Rates
from tests.exploration.scheduler import Act, Scheduler, Worker
from tests.factories import CLUSTER, START

MINUTE: Final = 60.0
PORT: Final = 9111
_TASK: Final = CLUSTER.replace(":cluster/", ":task/")

T = TypeVar("T")


@dataclass(slots=True)
class Container:
    """One start. `asked_at`: the instant at which the backend wants it, in seconds of the simulated clock.

    `running_at` and `listening_at` are known once ECS has taken its RunTask.
    """

    number: int
    name: str
    asked_at: float
    provisioning: float
    """Seconds from RunTask to RUNNING."""
    agent: float
    """Seconds from there to the agent listening."""
    ran_at: float = NEVER
    running_at: float = NEVER
    listening_at: float = NEVER

    @property
    def address(self) -> str:
        """Of its agent."""
        return f"10.{self.number >> 16}.{self.number >> 8 & 0xFF}.{self.number & 0xFF}:{PORT}"

    @property
    def task_arn(self) -> str:
        """Of its task."""
        return f"{_TASK}/{self.name[:32]}"


def containers(seed: int, number: int, agent: Hop = hops.AGENT, task: Hop = hops.TASK) -> list[Container]:
    """So many, asked for at any instants of one minute, in their order."""
    made = []
    for index in range(number):
        chance = Random(f"{seed}/{number}/{index}")  # noqa: S311 - repeatable, not secret
        name = sha256(f"{seed}/{number}/{index}".encode()).hexdigest()
        asked_at = chance.random() * MINUTE
        made.append(Container(index, name, asked_at, task.draw(chance), agent.draw(chance)))
    return sorted(made, key=lambda one: one.asked_at)


@dataclass
class World:
    """The clock, the dice and the account's ECS quotas."""

    seed: int
    containers: Sequence[Container]
    chance: Random = field(init=False)
    scheduler: Scheduler = field(init=False)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311 - repeatable, not secret
        self.scheduler = Scheduler(self.chance)
        self.rates = Rates(self.monotonic)
        self.by_name = {one.name: one for one in self.containers}
        self.by_address = {one.address: one for one in self.containers}

    def monotonic(self) -> float:
        """Seconds."""
        return self.scheduler.now

    def now(self) -> datetime:
        """As the functions' clocks show it."""
        return truncate(self.at(self.scheduler.now))

    def at(self, seconds: float) -> datetime:
        """The instant at which the clock shows so many seconds."""
        return START + timedelta(seconds=seconds)

    def draw(self, hop: Hop) -> float:
        """Seconds."""
        return hop.draw(self.chance)

    def after(self, seconds: float, act: Act) -> None:
        """Calls something that takes no time, so much later."""
        self.scheduler.after(seconds, act)

    def begin(self, seconds: float, work: Act, name: str) -> None:
        """Begins something that pauses, so much later."""
        self.scheduler.after(seconds, Worker(name, work, 0.0, NEVER))

    def pause(self, seconds: float) -> None:
        """Of what `begin` began: others go on meanwhile."""
        self.scheduler.pause(seconds)

    def call(self, hop: Hop, effect: Callable[[], T]) -> T:
        """A call of what `begin` began: its effect comes when half of its time has passed, also when it raises."""
        half = self.draw(hop) / 2
        self.pause(half)
        try:
            return effect()
        finally:
            self.pause(half)

    def run_task(self, container: Container) -> None:
        """ECS takes it. Raises `local.fargate.api.errors.AwsError` when an account's bucket is empty."""
        self.rates.take("RunTask")
        container.ran_at = self.scheduler.now
        container.running_at = container.ran_at + container.provisioning
        container.listening_at = container.running_at + container.agent

    def listens(self, address: str) -> bool:
        """Whether the agent there accepts connections by now."""
        return self.by_address[address].listening_at <= self.scheduler.now
