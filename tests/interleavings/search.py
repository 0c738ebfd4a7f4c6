"""Takes every step of every state of a scene, breadth first, up to a depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from core.diagnosis import stops
from tests.exploration.writes import Finding
from tests.interleavings.invocation import Invocations
from tests.interleavings.rest import Calm
from tests.interleavings.scene import Scene
from tests.interleavings.state import State
from tests.interleavings.steps import Steps


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that was broken, how, and the shortest way there; `calm` is how the world went on to its rest."""

    rule: str
    how: str
    path: tuple[str, ...]
    calm: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.rule}: {self.how}", *(f"  {number:3} {label}" for number, label in enumerate(self.path, 1))]
        return "\n".join([*lines, *(f"      then {label}" for label in self.calm[-40:])])


@dataclass(slots=True)
class Searched:
    """What a search has seen. `depth`: the steps up to which every interleaving was taken; `whole`: there is none more.

    `runs` are the runs of the real functions that differ.
    """

    scene: str
    states: int = 0
    transitions: int = 0
    depth: int = 0
    whole: bool = False
    runs: int = 0
    seconds: float = 0
    broken: list[Broken] = field(default_factory=list)


def search(scene: Scene, *, depth: int = 10**9, most: int = 10**9, first: bool = False) -> Searched:
    """Searches the scene to the depth, or until that many states. `first`: only until a rule is broken."""
    begun, invocations = perf_counter(), Invocations(scene)
    try:
        search = _Search(scene, invocations, first=first)
        with _remembering_texts():
            search.run(depth, most)
    finally:
        invocations.close()
    found = search.found
    found.runs, found.seconds = invocations.runs, perf_counter() - begun
    return found


@contextmanager
def _remembering_texts() -> Iterator[None]:
    """The tables of the diagnosis read the same few texts thousands of times: half of the time of a search."""
    matches, known = stops._matches, dict[Any, list[Any]]()

    def remembered(rows: Iterable[Any], ending: Any, texts: Sequence[Any]) -> Iterator[Any]:
        key = (id(rows), ending, tuple(texts))
        if key not in known:
            known[key] = list(matches(rows, ending, texts))
        return iter(known[key])

    stops._matches = remembered
    try:
        yield
    finally:
        stops._matches = matches


def _after_prologue(scene: Scene, steps: Steps) -> State:
    state = State(now=0, left=scene.given)
    for prefix in scene.prologue:
        again = prefix.endswith("*")
        while step := next((one for one in steps.of(state) if one.label.startswith(prefix.rstrip("*"))), None):
            state = step.state
            if not again:
                break
        else:
            assert again, f"{scene.name}: no step {prefix!r} in {[one.label for one in steps.of(state)]}"
    return state._replace(left=scene.left)


class _Search:
    def __init__(self, scene: Scene, invocations: Invocations, *, first: bool) -> None:
        self._steps = Steps(scene, invocations)
        in_calm = Steps(replace(scene, probed=True), invocations)
        self._calms = [Calm(scene, in_calm, deaf=deaf) for deaf in (False, True)]
        self._first, self._scene = first, scene
        self._from: dict[State, tuple[State, str] | None] = {}
        self.found = Searched(scene.name)
        self._begin = _after_prologue(scene, self._steps)

    def run(self, depth: int, most: int) -> None:
        found, frontier = self.found, [self._begin]
        self._from[self._begin] = None
        while frontier and found.depth < depth:
            following: list[State] = []
            for state in frontier:
                self._go_on(state, following)
                if (self._first and found.broken) or len(self._from) > most:
                    found.states = len(self._from)
                    return
            found.depth += 1
            frontier = following
        found.states, found.whole = len(self._from), not frontier
        if self._scene.agrees:
            self._agree()

    def _agree(self) -> None:
        """The same facts, in whatever order and however often they came, end in the same record."""
        first, *others = [said for calm in self._calms for said in calm.records.values()]
        for other in others:
            if differing := {name: (value, other[name]) for name, value in first.items() if other[name] != value}:
                self._breaks((("agree", str(differing)),), ())

    def _go_on(self, state: State, following: list[State]) -> None:
        for step in self._steps.of(state):
            self.found.transitions += 1
            if step.broken:
                self._breaks(step.broken, (*self._path(state), step.label))
            if step.state in self._from:
                continue
            self._from[step.state] = (state, step.label)
            following.append(step.state)
            for calm in self._calms:
                if broken := calm.findings(step.state):
                    self._breaks(broken, self._path(step.state), calm, step.state)

    def _breaks(
        self, broken: tuple[Finding, ...], path: tuple[str, ...], calm: Calm | None = None, state: State | None = None
    ) -> None:
        for rule, how in broken:
            if rule not in self._scene.waived and all(one.rule != rule for one in self.found.broken):
                went_on = tuple(calm.path(state)) if calm is not None and state is not None else ()
                self.found.broken.append(Broken(rule, how, path, went_on))

    def _path(self, state: State) -> tuple[str, ...]:
        labels: list[str] = []
        while (origin := self._from[state]) is not None:
            state, label = origin
            labels.append(label)
        return tuple(reversed(labels))
