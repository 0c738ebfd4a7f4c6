"""When an early probe begins, and what a start teaches of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from core.machine.early_probe import FIRST, SOONER, delay, early, learnt
from core.model.parts import Instant
from core.model.record import Record
from tests.factories import DEFINITION, at, pending


def answering(seconds: float) -> Record:
    """A start whose agent has answered so many seconds after the task was created."""
    return replace(
        pending(task_definition_arn=DEFINITION), timings={Instant.CREATED: at(1), Instant.HEALTHY: at(1 + seconds)}
    )


def test_an_early_probe_begins_by_its_definition_and_ecs_s_instant() -> None:
    """Or by the launch's, where ECS has shown none."""
    assert early(answering(5)) == ("sockerless-2f9c1d7e", at(1))
    assert early(replace(pending(), timings={})) == ("", at(0))


@pytest.mark.parametrize(
    ("usual", "passed", "seconds"), [(30, 9.2, 20), (30, 30, 0), (30, 45, 0), (5000, 0, 900), (0, 9, 0)]
)
def test_the_delay_is_what_is_left(usual: float, passed: float, seconds: int) -> None:
    """In whole seconds, never too late by rounding, and no longer than SQS holds a message."""
    assert delay(at(1), usual, at(1) + timedelta(seconds=passed)) == seconds


def test_the_first_start_is_taken_with_a_margin() -> None:
    """Of the next ones most take longer than that."""
    assert learnt(None, answering(30)) == pytest.approx(30 * FIRST)


def test_one_in_five_agents_answers_before_the_probe() -> None:
    """Whatever the first start was, and when the image changes: the figure follows the starts."""
    chance = Random(7)  # noqa: S311 - repeatable, not secret
    usual: float | None = 300.0
    for median in (30.0, 60.0):
        sooner = 0
        for number in range(3000):
            took = median * chance.lognormvariate(0, 0.15)
            sooner += number >= 1000 and usual is not None and took <= usual
            usual = learnt(usual, answering(took))
        assert sooner / 2000 == pytest.approx(SOONER, abs=0.05)
