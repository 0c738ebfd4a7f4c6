"""A backend that starts, stops and starts again, repeats what got no answer, and changes its mind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from core.model.errors import ReachError
from core.model.record import Record
from core.model.state import State
from tests.exploration.ecs import SimulatedEcs
from tests.exploration.rules import Rules
from tests.exploration.wired import Answer, ControlPlane
from tests.exploration.world import World
from tests.factories import event

TIMEOUT: Final = 60.0
"""Seconds, of StartContainerFunction and StopContainerFunction."""
LAST_WISH: Final = 600.0
MOST_STARTS: Final = 12
_START: Final = event("start-container")


class Backend:
    """Everything that it does is decided by the dice; it has some habits. `ecs` is set before it begins."""

    ecs: SimulatedEcs

    def __init__(self, world: World, plane: ControlPlane, rules: Rules) -> None:
        self._world, self._plane, self._rules = world, plane, rules
        chance = world.chance
        self._habit_double = chance.choice((0.0, 0.2, 0.7))
        self._habit_other = chance.choice((0.0, 0.0, 0.3))
        self._habit_again = chance.choice((0.0, 0.5, 1.0))
        self._habit_attach = chance.choice((0.0, 0.5))
        self._attached: set[str] = set()
        capacities = ["on-demand", "spot", *(["spot-first"] if world.policy.launch_attempts > 1 else [])]
        self._habit_capacity = chance.choice((None, *capacities))
        self._habit_lifetime = chance.choice((None, None, 60, 300))
        self._habit_minute = chance.choice((False, True))
        self._habit_numbered = chance.choice((0.0, 0.5, 1.0))
        self._starts = 0

    def begin(self) -> None:
        """The first start, and what it will want later."""
        world = self._world
        self._start_some(0)
        for _ in range(world.chance.choice((0, 0, 1, 2))):
            world.scheduler.after(world.between(1, LAST_WISH), lambda: self._start_some(0))
        for _ in range(world.chance.choice((0, 1, 1, 2))):
            most = world.chance.choice((10, 120, LAST_WISH))
            world.scheduler.after(world.between(0.1, most), lambda: self._stop(retries=3))

    def saved(self, after: Record) -> None:
        """Its container has ended: it may want another one at once."""
        world = self._world
        if after.state is State.AGENT_HEALTHY and after.task_arn is not None:
            self._attach(after.task_arn, after.generation)
        if after.state.ended and world.scheduler.now < LAST_WISH and world.happens(self._habit_again):
            self._start_some(world.between(0, 3))

    def _attach(self, task_arn: str, generation: int) -> None:
        if task_arn in self._attached:
            return
        self._attached.add(task_arn)
        if self._world.happens(self._habit_attach):
            self.ecs.tasks[task_arn].on_exit.append(
                lambda code: self._stop(retries=3, exit_code=code, generation=generation)
            )

    def _start_some(self, after: float) -> None:
        world = self._world
        request = self._request()
        if world.happens(self._habit_numbered):
            record = self._rules.store.truth(world.container_id)
            request["generation"] = record.generation + 1 if record else 1
        self._start(request, after)
        if world.happens(self._habit_double):
            other = self._request() if world.happens(self._habit_other) else request
            self._start(other, after + world.between(0, 3))

    def _request(self) -> dict[str, Any]:
        request = {**_START, "container_id": self._world.container_id, "capacity": self._habit_capacity}
        request |= {"max_lifetime": self._habit_lifetime}
        if self._world.happens(self._habit_other):
            request |= self._world.chance.choice(({"cmd": ["migrate", "--all"]}, {"image": "python:3.12-slim"}))
        return request

    def _start(self, request: dict[str, Any], after: float, retries: int = 3) -> None:
        self._starts += 1
        if self._starts > MOST_STARTS:
            return
        describes = f"{request['image']} {' '.join(request['cmd'])[:20]} on {request['capacity']}"
        again = self._request() if self._world.happens(self._habit_other) else request

        def repeat() -> None:
            if retries:
                self._start(again, self._patience(), retries - 1)

        call = partial(self._plane.start, request)
        answered = partial(self._rules.started, wanted=request.get("generation"))
        self._world.begin("start", self._asking(call, describes, answered, repeat), timeout=TIMEOUT, after=after)

    def _patience(self) -> float:
        """Seconds before it repeats itself: some, or so many that it meets the reconciler a minute later."""
        world = self._world
        if not self._habit_minute:
            return world.between(0.5, 20)
        minutes = (world.scheduler.now - world.phase) % 60
        return 60 - minutes + world.chance.choice((0, 60)) + world.between(-0.6, 0.1)

    def _stop(self, retries: int, **reported: int) -> None:
        request = {"container_id": self._world.container_id, "reason": "the backend asked for it", **reported}
        wait = self._world.between(1, 30)

        def again() -> None:
            if retries and self._world.happens(0.7):
                self._world.scheduler.after(wait, lambda: self._stop(retries - 1, **reported))

        def answered(answer: Answer) -> None:
            # A report about an older generation stops nothing.
            if answer.record is None or reported.get("generation") in (None, answer.record.generation):
                self._rules.stopped(answer)

        call = self._asking(partial(self._plane.stop, request), "", answered, again)
        self._world.begin("stop", call, timeout=TIMEOUT)

    def _asking(
        self, call: Callable[[], Answer], describes: str, answered: Callable[[Answer], None], again: Callable[[], None]
    ) -> Callable[[], None]:
        world = self._world

        def work() -> None:
            world.note("is asked", describes)
            answer: Answer | None = None
            try:
                answer = call()
            except ReachError as error:
                world.note("fails:", error)
            finally:
                if answer is None:
                    again()
            if answer is not None:
                world.note("answers", answer)
                answered(answer)
                self._rules.finished(world.worker.name)

        return work
