"""What all parts of one life share: the clock, the dice, the way a call to the world goes, the trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from core.launch.settings import Settings, TokenDelivery
from core.model.agent import AgentFlavor
from core.model.errors import ReachError
from core.model.instants import truncate
from core.model.policy import Policy
from core.ports import Launched, RevisionConflict
from tests.exploration import faults
from tests.exploration.faults import CALM, CALM_AFTER, Fault, Faults
from tests.exploration.scheduler import Died, Scheduler, Worker
from tests.factories import SETTINGS, START

T = TypeVar("T")
_TASK: Final = re.compile(r"arn:aws:ecs:[^\s']*:task/default/([0-9a-f]{32})")
_DEFINITION: Final = re.compile(r"arn:aws:ecs:[^\s']*:task-definition/[^\s']*")
FOREVER: Final = float("inf")


class WorkersClock:
    """`core.ports.Clock` of the running worker: it may be ahead or behind."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return truncate(self._world.now() + timedelta(seconds=self._world.worker.skew))

    def monotonic(self) -> float:
        return self._world.scheduler.now

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)

    def random(self) -> float:
        return self._world.chance.random()


class World:
    """One life's surroundings. `trace` is None unless the life is to be told."""

    def __init__(self, name: str, *, traced: bool) -> None:
        self.chance = Random(name)  # noqa: S311 - a seed is the point
        self.scheduler = Scheduler(self.chance)
        self.clock = WorkersClock(self)
        self.trouble = faults.draw(self.chance)
        self.trace: list[str] | None = [] if traced else None
        self.container_id = f"{self.chance.getrandbits(256):064x}"
        self.settings, self.policy = _configured(self.chance)
        self.phase = self.between(0, 60)
        """The second of each minute at which the reconciler runs."""
        self.lost_writes: set[str] = set()
        """Workers that do not know of a write of theirs."""
        self._numbers: dict[str, int] = {}
        self._tokens = 0

    @property
    def faults(self) -> Faults:
        """The trouble that there is now."""
        return CALM if self.calm else self.trouble

    @property
    def calm(self) -> bool:
        """Nothing goes wrong any more."""
        return self.scheduler.now >= CALM_AFTER

    @property
    def worker(self) -> Worker:
        """Whose turn it is."""
        worker = self.scheduler.current
        assert worker is not None
        return worker

    @property
    def name(self) -> str:
        """The running worker's."""
        return self.worker.name

    def time_left(self) -> float:
        """Seconds until the platform ends the running worker."""
        return self.worker.deadline - self.scheduler.now

    def new_token(self) -> str:
        """An agent's token."""
        self._tokens += 1
        return f"{self._tokens:064x}"

    def now(self) -> datetime:
        """True time."""
        return START + timedelta(seconds=self.scheduler.now)

    def happens(self, share: float) -> bool:
        """Rolls the dice."""
        return share > 0 and self.chance.random() < share

    def between(self, least: float, most: float) -> float:
        """A number of seconds."""
        return self.chance.uniform(least, most)

    def sleep(self, seconds: float) -> None:
        """The running worker pauses by itself."""
        self.scheduler.pause(seconds)

    def begin(self, kind: str, work: Callable[[], None], *, timeout: float, after: float = 0.0) -> None:
        """A new invocation. The platform ends it after its time-out, except where no worker is to die."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        skew = self.between(-self.faults.skew, self.faults.skew)
        begins = self.scheduler.now + after
        deadline = FOREVER if self.trouble.answers_only else begins + timeout
        self.scheduler.after(after, Worker(f"{kind}-{number}", work, skew, deadline))

    def call(self, operation: str, effect: Callable[[], T], *about: Any, quiet: bool = False) -> T:
        """One call to the world: it takes its time there and back, others act meanwhile, and faults happen.

        `quiet`: a read that is not worth a line.
        """
        self._travel(operation)
        fault = self.faults.of(operation, self.chance)
        if fault is None or fault is Fault.REPEATED:
            try:
                result = effect()
                if fault is Fault.REPEATED:
                    result = effect()
            except ReachError as error:
                self.note(operation, *about, "->", _words(error))
                self._travel(operation)
                raise
            if not quiet:
                self.note(operation, *about, "->", result)
            self._travel(operation)
            return result
        if fault is Fault.LOST_AFTER:
            self.lost_writes.add(self.worker.name)
            with suppress(ReachError):
                effect()
        self.note(operation, *about, "->", fault)
        self.scheduler.pause(self.between(0.1, 6.0) if "lost" in fault else self.between(0.01, 2.0))
        raise faults.error_of(fault, operation)

    def _travel(self, operation: str) -> None:
        slow = self.happens(self.faults.slow)
        self.scheduler.pause(self.between(0.5, 12.0) if slow else self.between(0.005, 0.1))
        if self.happens(self.faults.death):
            self.note("dies at", operation)
            raise Died

    def note(self, *words: Any) -> None:
        """A line of the trace."""
        if self.trace is not None:
            who = self.scheduler.current.name if self.scheduler.current else "world"
            text = _TASK.sub(lambda arn: f"task-{int(arn[1], 16)}", " ".join(map(_spelled, words)))
            text = _DEFINITION.sub("definition", text).replace(self.container_id, "ID")
            self.trace.append(f"{self.scheduler.now:9.3f}  {who:12}  {text}")


def _spelled(word: object) -> str:
    return word.task_arn if isinstance(word, Launched) else str(word)


def _words(error: ReachError) -> str:
    if isinstance(error, RevisionConflict) and error.current is not None:
        return f"conflict with revision {error.current.revision}"
    return f"{type(error).__name__}: {error}"


def _configured(chance: Random) -> tuple[Settings, Policy]:
    """The stack's parameters: as few looks as possible, because each costs time of the test's."""
    settings = replace(
        SETTINGS,
        execution_role_arn="arn:aws:iam::123456789012:role/execution",
        token_delivery=chance.choice((TokenDelivery.ENVIRONMENT, TokenDelivery.ENVIRONMENT, TokenDelivery.SSM)),
        launch_attempts=chance.choice((1, 2, 2, 3)),
        health_timeout_seconds=chance.choice((10.0, 30.0, 60.0)),
        start_timeout_seconds=chance.choice((120.0, 300.0)),
        early_probe=chance.random() < 0.3,
        keep_unreachable_tasks=chance.random() < 0.3,
        watch_shards=1,
        task_log_group=chance.choice((None, "/ecs/tasks")),
        agent_flavor=chance.choice((AgentFlavor.SPEC, AgentFlavor.SPEC, AgentFlavor.SOCKERLESS)),
        exit_check_seconds=chance.choice((600.0, 3600.0)),
    )
    return settings, replace(settings.policy, healthy_check=chance.choice((900.0, 14400.0, 14400.0, 14400.0)))
