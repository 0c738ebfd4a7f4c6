"""One run: a crowd lives in a storm, and everything about its end is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos import account
from tests.chaos.crowd import STUCK_SECONDS, Crowd
from tests.chaos.lives import Member
from tests.e2e.stack import Stack


@dataclass(frozen=True, slots=True)
class Run:
    """What a run led to. `problems` is empty when everybody ended as announced and nothing is left.

    `trouble` is what the functions logged as errors meanwhile: of an AWS that answers, nothing.
    """

    problems: tuple[str, ...]
    trouble: tuple[str, ...]
    summary: str
    deliveries: account.Deliveries
    healed: int
    repeated: int


def weather(
    stack: Stack,
    members: Sequence[Member],
    *,
    window: int,
    check_after: float,
    tell: Callable[[str], None] = lambda _: None,
    repeats: int = 0,
    stuck_seconds: float = STUCK_SECONDS,
    hold: Callable[[int], bool] = lambda _left: False,
) -> Run:
    """Lets them live, waits until their tasks are gone, and checks everything."""
    before = account.Logbook.read(stack)
    begun = time.monotonic()
    crowd = Crowd(stack, window, check_after, tell, repeats=repeats, stuck_seconds=stuck_seconds, hold=hold)
    records = crowd.live(members)
    stack.eventually(
        lambda: all(
            task["last_status"] == "STOPPED" for tasks in account.tasks_of(stack, members).values() for task in tasks
        ),
        lambda: "no task is left running",
    )
    took = time.monotonic() - begun
    tasks = account.tasks_of(stack, members)
    # What ECS said last may still be under way to an ended record; it must change nothing.
    stack.eventually(lambda: not account.under_way(stack, tasks), lambda: "every event has arrived or is lost")
    records |= stack.store.load_many(records).records
    logbook = account.Logbook.since(before, stack)
    seen = account.deliveries(stack, tasks)
    steps = sum(len(record.history) for record in records.values())
    problems = [
        *(problem for member in members for problem in account.wrong(member, records[member.container_id])),
        *account.double_launches(tasks, records),
        *account.dead_letters(stack, members),
    ]
    summary = (
        f"{len(members)} containers in {took:.0f} s, {sum(map(len, tasks.values()))} tasks. "
        f"Events: {seen.events}, of which {seen.dropped} dropped, {seen.doubled} doubled, {seen.overtaken} overtaken, "
        f"{seen.failed} not delivered. The reconciler moved {crowd.healed} records on, in {crowd.runs} runs with "
        f"{crowd.hurried} looks brought forward. Of {steps} steps {logbook.moves(members)} are in the logs, with "
        f"{logbook.conflicts()} conflicts."
    )
    return Run(tuple(problems), tuple(logbook.trouble()), summary, seen, crowd.healed, crowd.repeated)
