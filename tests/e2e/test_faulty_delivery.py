"""A fifth of all events lost, a fifth doubled, all reordered: everybody ends as if nothing had happened.

The small version of `tests/chaos`, whose docstring says what is sped up.
"""

from __future__ import annotations

from dataclasses import replace

from core.model.failure import ErrorCode
from tests.chaos.lives import CALM, LIVES, STORM, Member, members
from tests.chaos.storm import weather
from tests.e2e.stack import Stack

SEED = 4
CONTAINERS = 33
WINDOW = 22
PATIENT = 30
CHECK_AFTER = 1.0
"""Seconds without news until a look: well before the health timeout of this stack."""


def patient(member: Member) -> Member:
    """Its agent has longer than the stack gives it: so many at once take long, and none is to fail for that."""
    life = member.life
    if life.end.code is ErrorCode.AGENT_UNREACHABLE:
        return member
    return replace(member, life=replace(life, request={**life.request, "health_timeout": PATIENT}))


def test_faulty_delivery_changes_no_end(stack: Stack) -> None:
    """Lives of all kinds end in exactly the state, with the error, exit code and number of tasks announced.

    Among them one of each kind without faults: what the others are measured by is what really happens.
    """
    crowd = [*members(SEED, len(LIVES), CALM), *members(SEED, CONTAINERS, STORM)]
    run = weather(stack, list(map(patient, crowd)), window=WINDOW, check_after=CHECK_AFTER)
    assert "\n".join((*run.problems, *run.trouble)) == ""
    assert run.deliveries.dropped
    assert run.deliveries.doubled
    assert run.deliveries.overtaken
    assert run.healed
