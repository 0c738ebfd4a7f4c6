"""A fifth of all events lost, a fifth doubled, all reordered: 500 containers end as if nothing had happened.

The stack, its functions, its tables and queues and the tasks are those of the end-to-end tests; each event of a task,
whether the rule lets it through or not, is dropped, doubled and held back by the seed of its container.

What is sped up; no decision of the state machine is changed for it:

- Tasks live in seconds (`--speed fast` of the local Fargate), and events overtake each other within two.
- A record that had no news for `CHECK_AFTER` seconds is checked: its `check_at` is set to now. On AWS that check comes
  after 30 s to 150 s, for a healthy container after 15 minutes (`core.model.policy`), at the next run of the schedule.
- That look is well before the health timeout here (4 s, 20 s). With the defaults the two are close (30 s and up to a
  minute of the schedule, 60 s): which of them comes first is not what this test is about.
- ReconcileFunction is invoked as soon as a record is due; its schedule of every minute runs beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.lives import CALM, LIVES, STORM, kinds, members
from tests.chaos.storm import weather
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack

CHECK_AFTER = 4.0
"""Seconds."""


def test_every_life_ends_as_announced(stack: Stack, pytestconfig: pytest.Config) -> None:
    """Without faults: what the storm is measured by is what really happens."""
    calm = members(pytestconfig.getoption("seed"), len(LIVES), CALM)
    assert kinds(calm) == {life.name for life in LIVES}
    run = weather(stack, calm, window=len(calm), check_after=CHECK_AFTER)
    assert (*run.problems, *run.trouble) == ()


def test_faulty_delivery_changes_no_end(stack: Stack, pytestconfig: pytest.Config, tell: Callable[[str], None]) -> None:
    """Everybody ends in exactly the state, with the error, exit code and number of tasks announced; nothing is left."""
    number = pytestconfig.getoption("containers")
    crowd = members(pytestconfig.getoption("seed"), number, STORM)
    run = weather(stack, crowd, window=pytestconfig.getoption("window"), check_after=CHECK_AFTER, tell=tell)
    for line in (run.summary, *run.problems, *run.trouble):
        tell(line)
    assert (*run.problems, *run.trouble) == ()
    assert [stack.queues.dead_letters(queue) for queue in DEAD_LETTER_QUEUES] == [[], []]
    assert run.deliveries.failed == 0
    assert run.deliveries.dropped > number // 2
    assert run.deliveries.doubled > number // 2
    assert run.deliveries.overtaken > number // 2
    assert run.healed > number // 20
