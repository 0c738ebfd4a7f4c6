"""When an early probe begins: shortly before the agents of its task definition usually answer.

Theory of operation
-------------------
ECS shows the address while the task is PENDING, some 20 s before an agent can answer. A prober that asks all the time
is paid for all the time, so the message of an early probe is delayed by what earlier starts of the definition took.
Starts are compared from `createdAt` on, ECS's own instant, which stands in every event of a task.

What is learnt is a low quantile, `SOONER`: in so many starts the agent answers before the probe begins, which costs
nothing, because the event of RUNNING brings a probe in any case. The figure rises by `STEP` with a start that took
longer, and falls by as much more as such a start is rarer. So it follows one image's starts, and no sample is kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.model.actions import Early
from core.model.families import family_in
from core.model.parts import Instant
from core.model.record import Record

SOONER: Final = 0.2
"""The share of starts whose agent answers before the early probe begins."""
STEP: Final = 1.03
FIRST: Final = 0.8
"""Of the first start that is known: most others take longer than that."""
LONGEST: Final = 900
"""Seconds for which SQS holds a message back (DelaySeconds)."""


def early(record: Record) -> Early:
    """What an early probe of this container begins by."""
    return Early(family_in(record.task_definition_arn or ""), record.timings.get(Instant.CREATED, record.launched_at))


def delay(since: datetime, usual: float, now: datetime) -> int:
    """Whole seconds until a probe has to begin whose agent usually answers `usual` seconds after `since`."""
    left = usual - (now - since).total_seconds()
    return min(max(0, int(left)), LONGEST)


def learnt(usual: float | None, record: Record) -> float:
    """`usual` after one more start, whose agent has answered: seconds from `early(record).since` on."""
    took = max(0.0, (record.timings[Instant.HEALTHY] - early(record).since).total_seconds())
    if usual is None:
        return took * FIRST
    return usual * STEP if took > usual else usual / STEP ** ((1 - SOONER) / SOONER)
