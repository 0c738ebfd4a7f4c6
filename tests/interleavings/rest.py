"""From any state on, in calm: no request, no fault and no loss any more, and each step the first that there is.

`Calm(deaf=True)`: no event arrives any more either, so that the reconciler finds out alone.
"""

from __future__ import annotations

from typing import Final

from core.model.parts import Instant
from tests.exploration.ends import at_rest, resting
from tests.exploration.writes import Finding
from tests.interleavings.scene import Scene
from tests.interleavings.state import Left, State
from tests.interleavings.steps import Step, Steps
from tests.unit.core.machine.test_lives_under_faults import what_counts

LONGEST: Final = 600
"""Steps after which a world that does not come to rest hangs."""
LEAK_GRACE: Final = 900
"""Seconds from which on the leak finder takes a task for leaked, and more."""


class Calm:
    """How worlds end. States that come together end together, so each is judged once."""

    def __init__(self, scene: Scene, steps: Steps, *, deaf: bool) -> None:
        self._scene, self._steps, self._deaf = scene, steps, deaf
        self._ends: dict[State, tuple[Finding, ...]] = {}
        self.records: dict[str, dict[str, object]] = {}
        """What the records at rest say, without the way there, by how it is spelt."""

    def findings(self, state: State) -> tuple[Finding, ...]:
        """The rules that are broken on the way to rest, or there."""
        state = state._replace(left=Left(), begun=0)
        path: list[State] = []
        broken: list[tuple[Finding, ...]] = []
        end: tuple[Finding, ...] | None = None
        while (end := self._ends.get(state)) is None:
            path.append(state)
            step = self._next(state)
            if step is None:
                parameters = [name for name, _ in state.vault]
                keeps = self._scene.policies[state.policy].keep_unreachable
                tasks = [task for task in state.tasks if not task.forgotten]
                end = tuple(at_rest(state.records(), tasks, parameters, state.stops, keeps=keeps))
                self._note(state)
                broken.append(())
                break
            broken.append(step.broken)
            state = step.state
            if len(path) > LONGEST:
                end = (("hangs", "there is no end of it"),)
                break
        for seen, on_the_way in zip(reversed(path), reversed(broken), strict=True):
            end = self._ends[seen] = on_the_way + end
        return end

    def _note(self, state: State) -> None:
        for record in state.records().values():
            said = {**what_counts(record), "task_version": None}
            # An ended record is not checked any more: when the last event is lost, its instant is not known.
            said["timings"] = {name: at for name, at in said["timings"].items() if name is not Instant.STOPPED}
            self.records.setdefault(repr(said), said)

    def path(self, state: State) -> list[str]:
        """The labels of the way to rest."""
        state = state._replace(left=Left(), begun=0)
        labels: list[str] = []
        while (step := self._next(state)) is not None and len(labels) <= LONGEST:
            labels.append(step.label)
            state = step.state
        return labels

    def _next(self, state: State) -> Step | None:
        steps = self._steps
        for invocation in state.running:
            for number, call in steps.ready(state, invocation):
                return steps.call(state, invocation, number, call)
        for message in state.messages:
            if self._deaf and message.kind == "event":
                return Step("an event is lost", state.without_message(message))
            if (after := steps.deliver(state, message)) is not None:
                return Step(f"{message.kind} arrives", after)
        for label, after in steps.grown(state):
            return Step(label, after)
        return self._clock(state)

    def _clock(self, state: State) -> Step | None:
        """The reconciler runs when something is due, the leak finder when nothing else is left to do."""
        steps = self._steps
        checks = [steps.due(record) for record in state.records().values() if not resting(record, state.tasks)]
        instants = [instant for instant in checks if instant is not None]
        if any(instant <= state.now for instant in instants):
            return Step("the reconciler runs", steps.begin(state, "run", "calm"))
        if instants:
            return Step("the clock goes on", steps.tick(state, min(instants)))
        if self._leaks(state) and not state.begun:
            later = steps.tick(state, state.now + LEAK_GRACE)._replace(begun=1)
            return Step("the leak finder runs", steps.begin(later, "leaks", "calm"))
        return None

    def _leaks(self, state: State) -> bool:
        named = {record.task_arn for record in state.records().values()}
        return bool(state.vault) or any(task.wanted and task.arn not in named for task in state.tasks)
