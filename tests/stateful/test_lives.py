from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.launch.settings import TokenDelivery
from tests.factories import SETTINGS
from tests.interleavings.mutations import MUTATIONS
from tests.stateful.interrupted import OPERATIONS, Way
from tests.stateful.tasks import Change
from tests.stateful.world import IDS, World

LIVES: Final = int(os.environ.get("STATEFUL_LIVES", "150"))
"""So many that all tests stay quick; `make explore` draws 10,000, on every core."""
PARTS: Final = -(-LIVES // 1000)
STEPS: Final = 30
ROLE: Final = "arn:aws:iam::123456789012:role/execution"
ONE = st.sampled_from(IDS)
ANY = st.integers(0, 30)
"""One of what there is, counted from the newest."""


class Lives(RuleBasedStateMachine):
    """Starts, stops, events, probes, runs, waits and trouble, in any order; after each of them every rule holds."""

    world: World

    @initialize(
        ssm=st.booleans(),
        early=st.booleans(),
        keeps=st.booleans(),
        attempts=st.sampled_from([1, 2, 3]),
        deaf=st.booleans(),
    )
    def begin(self, *, ssm: bool, early: bool, keeps: bool, attempts: int, deaf: bool) -> None:
        settings = replace(
            SETTINGS,
            execution_role_arn=ROLE,
            token_delivery=TokenDelivery.SSM if ssm else TokenDelivery.ENVIRONMENT,
            early_probe=early,
            keep_unreachable_tasks=keeps,
            launch_attempts=attempts,
            watch_shards=1,
        )
        self.world = World(settings, deaf=deaf)

    @rule(one=ONE, cmd=st.sampled_from(["serve", "serve", "migrate"]))
    def start(self, one: str, cmd: str) -> None:
        self.world.start(one, {"cmd": [cmd]})

    @rule(one=ONE)
    def stop(self, one: str) -> None:
        self.world.stop(one)

    @precondition(lambda self: self.world.ecs.living)
    @rule(which=ANY, what=st.sampled_from(Change))
    def task(self, which: int, what: Change) -> None:
        self.world.ecs.change(_newest(self.world.ecs.living, which), what)

    @precondition(lambda self: self.world.ecs.events)
    @rule(which=ANY)
    def event(self, which: int) -> None:
        self.world.deliver(_newest(self.world.ecs.events, which))

    @precondition(lambda self: self.world.queue.sent)
    @rule(which=ANY)
    def probe(self, which: int) -> None:
        self.world.probe(_newest(self.world.queue.sent, which))

    @rule()
    def reconcile(self) -> None:
        self.world.reconcile()

    @rule()
    def find_leaks(self) -> None:
        self.world.find_leaks()

    @rule(seconds=st.sampled_from([1, 29, 31, 60, 300, 1000]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        if seconds > 30:
            self.world.ecs.young.clear()

    @rule()
    def hide_the_next_task(self) -> None:
        self.world.ecs.hides = True

    @rule(method=st.sampled_from(sorted(OPERATIONS)), way=st.sampled_from(Way))
    def go_wrong(self, method: str, way: Way) -> None:
        if way is not Way.REPEATED or method == "save":
            self.world.interruptions.set(method, way)

    @rule(method=st.sampled_from(["save", "run", "stop", "describe", "find", "send"]), what=st.integers(0, 4), one=ONE)
    def meanwhile(self, method: str, what: int, one: str) -> None:
        """Another invocation comes between two calls."""
        world = self.world
        others: tuple[Callable[[], None], ...] = (
            lambda: world.start(one, {}),
            lambda: world.stop(one),
            world.reconcile,
            world.deliver_the_newest,
            world.probe_the_newest,
        )
        world.interruptions.set(method, others[what])

    @invariant()
    def every_rule_holds(self) -> None:
        assert not self.world.broken

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.calm()
            assert not self.world.broken


def _newest(of: list[Any], which: int) -> Any:
    return of[-1 - which % len(of)]


def size(lives: int) -> settings:
    """So many lives, however long they take."""
    return settings(
        max_examples=lives, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_no_life_breaks_a_rule(part: int) -> None:
    """Whatever fails, dies, is late or comes in between: the rules hold after each step, and at rest."""
    run_state_machine_as_test(Lives, settings=size(LIVES // PARTS))


@pytest.mark.parametrize("name", ["withdrawal", "stop of a start"])
def test_a_removed_safeguard_breaks_a_life(name: str) -> None:
    """Without one of the safeguards some life breaks a rule, so the lives are rich enough to see it."""
    (mutation,) = (one for one in MUTATIONS if one.name == name)
    quick = settings(size(1000), database=None, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
    with mutation.planted(), pytest.raises(AssertionError):
        run_state_machine_as_test(Lives, settings=quick)
