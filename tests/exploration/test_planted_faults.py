"""Faults that are planted between the control plane and its surroundings: each breaks the rule that is about it.

Rules that nothing ever breaks may be unable to see anything.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any, Final, cast

import pytest

from core.model.identity import Ref
from core.model.record import Record
from core.ports import Ecs, ProbeQueue, Store, TokenVault
from tests.exploration.life import Plant, live
from tests.exploration.stores import SimulatedStore
from tests.exploration.wired import Surroundings

LIVES: Final = 30


class _Through:
    """Everything but what a subclass does otherwise."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Unconditional(_Through):
    def save(self, record: Record) -> None:
        real: SimulatedStore = self._real
        now = real.truth(record.container_id)
        real.save(replace(record, revision=(now.revision if now else 0) + 1))


class _Unlisting(_Through):
    def save(self, record: Record) -> None:
        self._real.save(replace(record, watch=None))


class _Keeping(_Through):
    def erase(self, name: str) -> None: ...


class _Unheard(_Through):
    def send(self, ref: Ref, address: str, after: int = 0) -> None: ...


class _Unstoppable(_Through):
    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        return True


class _Forgetful(_Through):
    """Never knows a client token again."""

    numbers = count()

    def run(self, request: dict[str, Any]) -> Any:
        return self._real.run({**request, "clientToken": f"{next(self.numbers):064}"})


def _unconditional(around: Surroundings) -> Surroundings:
    return replace(around, store=cast("Store", _Unconditional(around.store)))


def _unlisting(around: Surroundings) -> Surroundings:
    return replace(around, store=cast("Store", _Unlisting(around.store)))


def _keeping(around: Surroundings) -> Surroundings:
    return replace(around, vault=cast("TokenVault", _Keeping(around.vault)))


def _unheard(around: Surroundings) -> Surroundings:
    return replace(around, queue=cast("ProbeQueue", _Unheard(around.queue)))


def _unstoppable(around: Surroundings) -> Surroundings:
    return replace(around, ecs=cast("Ecs", _Unstoppable(around.ecs)))


def _forgetful(around: Surroundings) -> Surroundings:
    return replace(around, ecs=cast("Ecs", _Forgetful(around.ecs)))


class _Indifferent(_Forgetful):
    """And does not stop what is one too many."""

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        return reason.startswith("One task too many") or self._real.stop(cluster, task_arn, reason)


def _indifferent(around: Surroundings) -> Surroundings:
    return replace(around, ecs=cast("Ecs", _Indifferent(around.ecs)))


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        pytest.param(_unconditional, {"set-back", "stop-forgotten"}, id="writes without a condition"),
        pytest.param(_unlisting, {"unlisted"}, id="live records that are not in the index"),
        pytest.param(_keeping, {"parameter"}, id="parameters that are not erased"),
        pytest.param(_unheard, {"no-try", "hangs"}, id="probes that nobody gets"),
        pytest.param(_unstoppable, {"stop", "leak"}, id="tasks that are not stopped"),
    ],
)
def test_a_planted_fault_breaks_its_rule(plant: Plant, rules: set[str]) -> None:
    """Within some lives."""
    broken = {one.rule for number in range(LIVES) for one in live(1, number, plant=plant).broken}
    assert broken & rules


def test_tasks_that_are_started_twice_are_left_to_the_leak_finder() -> None:
    """Client tokens that differ from try to try make more tasks than records name; nobody remembers the others."""
    leaks = [why for number in range(4 * LIVES) for why in live(1, number, plant=_indifferent).leaks]
    assert len(leaks) > LIVES / 10


def test_tasks_that_are_started_twice_are_stopped() -> None:
    """The record remembers them, so next to none is left to the leak finder."""
    leaks = [why for number in range(2 * LIVES) for why in live(1, number, plant=_forgetful).leaks]
    assert len(leaks) < LIVES / 10
