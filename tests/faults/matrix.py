"""The matrix: calm lives show the calls, each call fails in each way in a life of its own, and each end is judged."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.model.failure import Cause, ErrorCode
from core.model.record import Record
from core.model.state import State
from tests.chaos import account
from tests.chaos.lives import End, Member
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack
from tests.faults import ways
from tests.faults.backend import Backend
from tests.faults.lives import Kind
from tests.faults.proxy import Fault, Ledger
from tests.faults.ways import Call, Way

WINDOW: Final = 8
"""Lives at a time, of a small wave. A function that waits has a worker to itself, and each worker is a process."""
WIDE: Final = 24
SMALL: Final = 30
REPEATS: Final = 6
CHECK_AFTER: Final = 4.0
"""Seconds without news until a look at a record is brought forward."""

LAUNCHING: Final = frozenset({
    ("StartContainer", "ecs:RunTask"), ("TaskState", "ecs:RunTask"), ("Reconcile", "ecs:RunTask"),
    ("StartContainer", "ecs:RegisterTaskDefinition"), ("StartContainer", "ssm:PutParameter"),
    # The turn to register a definition is an item.
    ("StartContainer", "dynamodb:PutItem"),
})  # fmt: skip
"""What a launch needs."""
GIVEN_UP: Final = "denied until given up"
"""So the event is in the dead-letter queue, by design, and the reconciler does without it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A life, and the call of it that fails, if any."""

    kind: Kind
    call: Call | None = None
    way: Way | None = None
    number: int = 0
    """Tells apart what is otherwise the same."""

    def member(self) -> Member:
        digest = hashlib.sha256(str(self).encode())
        return Member(digest.hexdigest(), self.kind.life, self.kind.weather, int.from_bytes(digest.digest()[:4]))

    def fault(self) -> Fault | None:
        return Fault(self.call, self.way) if self.call and self.way else None

    @property
    def refusal(self) -> Cause | None:
        """Why the launch is not made, by design: then its container has failed, and the record says why."""
        kind, action = self.way and self.way.kind, self.call and self.call.action
        if kind is ways.Kind.DENIED and action in LAUNCHING:
            return Cause.PERMISSION
        # RunTask and RegisterTaskDefinition wait for their turn; this one is repeated by the SDK alone.
        throttled = kind is ways.Kind.THROTTLED and action == ("StartContainer", "ssm:PutParameter")
        return Cause.THROTTLED if throttled else None

    def __str__(self) -> str:
        call = f"{self.call.function} {self.call.operation} #{self.call.ordinal}" if self.call else "calm"
        return f"{self.kind.name} {self.number or ''}: {call}{f' {self.way.name}' if self.way else ''}"


@dataclass(slots=True)
class Outcome:
    """What a wave of lives led to."""

    problems: list[str] = field(default_factory=list)
    met: set[Case] = field(default_factory=set)
    missed: set[Case] = field(default_factory=set)
    """The call did not occur this time."""
    refused: set[Case] = field(default_factory=set)
    calls: list[tuple[Kind, tuple[Call, ...]]] = field(default_factory=list)
    """Of each calm life."""

    def __add__(self, later: Outcome) -> Outcome:
        """What was missed and met later was not missed."""
        met = self.met | later.met
        missed = {replace(case, number=0) for case in self.missed | later.missed}
        return Outcome(
            self.problems + later.problems,
            met,
            missed - {replace(case, number=0) for case in met},
            self.refused | later.refused,
            self.calls + later.calls,
        )


def sites(calm: Sequence[tuple[Kind, Sequence[Call]]]) -> dict[Call, Kind]:
    """Each call, in the first kind of life that makes it in all its calm lives.

    What no kind always makes is a repetition that came earlier or later; but the first of its operation stays.
    """
    always: dict[Kind, set[Call]] = {}
    for kind, calls in calm:
        always.setdefault(kind, set(calls)).intersection_update(calls)
    found: dict[Call, Kind] = {}
    for kind, common in always.items():
        found |= {call: kind for call in sorted(common) if call not in found}
    for kind, calls in calm:
        found |= {call: kind for call in calls if call.ordinal == 1 and call not in found}
    return found


def every_case(calls: Mapping[Call, Kind], among: Iterable[Way]) -> list[Case]:
    """Each call in each way in which it can fail."""
    return [Case(kind, call, way) for way in among for call, kind in calls.items() if call.fails(way)]


def sample(calls: Mapping[Call, Kind], among: Sequence[Way]) -> list[Case]:
    """The first call of each operation of each function, in one way: the rarest so far that it can fail in."""
    used: Counter[Way] = Counter()
    cases = []
    for call, kind in calls.items():
        if call.ordinal == 1:
            way = min((way for way in reversed(among) if call.fails(way)), key=used.__getitem__)
            used[way] += 1
            cases.append(Case(kind, call, way))
    return cases


def wave(stack: Stack, ledger: Ledger, cases: Sequence[Case], tell: Callable[[str], None]) -> Outcome:
    """Lets a life of each case begin, and judges all when nothing happens any more."""
    lives = [_Life(case, case.member(), case.fault()) for case in cases]
    for life in lives:
        ledger.follow(life.container_id, *([life.fault] if life.fault else []))
    crowd = Backend(
        stack,
        WINDOW if len(cases) <= SMALL else WIDE,
        CHECK_AFTER,
        tell,
        hands=10,
        repeats=REPEATS,
        kinds={life.container_id: life.case.kind for life in lives},
    )
    everybody = [life.member for life in lives]
    records = crowd.live(everybody)
    stack.eventually(lambda: not _running(stack, everybody), lambda: f"all is at rest: {_running(stack, everybody)}")
    tasks = account.tasks_of(stack, everybody)
    stack.eventually(lambda: not account.under_way(stack, tasks), lambda: "every event has arrived or is lost")
    records |= stack.store.load_many(records).records
    parameters = _parameters(stack)
    letters = [json.dumps(body) for queue in DEAD_LETTER_QUEUES for body in stack.queues.dead_letters(queue)]
    outcome = Outcome()
    for life in lives:
        one = life.container_id
        problems = _wrong(life, records[one], tasks[one], crowd.refused.get(one))
        problems += [f"has left {name}" for name in parameters if one in name]
        if (dead := sum(one in letter for letter in letters)) > life.given_up:
            problems.append(f"has {dead} messages in the dead-letter queues")
        outcome.problems += [f"{life.case}: {problem}" for problem in problems]
        if one in crowd.refused:
            outcome.refused.add(life.case)
        if life.fault is None:
            outcome.calls.append((life.case.kind, tuple(ledger.calls[one])))
        else:
            (outcome.met if life.fault.met else outcome.missed).add(life.case)
    return outcome


@dataclass(frozen=True, slots=True)
class _Life:
    case: Case
    member: Member
    fault: Fault | None

    @property
    def container_id(self) -> str:
        return self.member.container_id

    @property
    def given_up(self) -> bool:
        """One event is in the dead-letter queue by design."""
        return self.fault is not None and self.fault.way.name == GIVEN_UP and self.fault.met > 0


def _running(stack: Stack, members: Sequence[Member]) -> list[str]:
    tasks = [task for started in account.tasks_of(stack, members).values() for task in started]
    return [f"{task['started_by']} {task['arn']}" for task in tasks if task["last_status"] != "STOPPED"]


def _wrong(life: _Life, record: Record, tasks: list[dict[str, Any]], refused: Mapping[str, Any] | None) -> list[str]:
    """By the rules of the storm. A launch that AWS refuses has failed, and its container with it."""
    member = life.member
    # A launch that was given up before it had a task, for a reason that may pass, is no task.
    record = replace(record, launches=tuple(one for one in record.launches if one.task_arn is not None))
    failed = record.error is not None and record.error.code is ErrorCode.LAUNCH_FAILED
    if life.case.refusal and failed:
        end = End(State.FAILED, ErrorCode.LAUNCH_FAILED, life.case.refusal, tasks=len(tasks) + 1)
        member = replace(member, life=replace(member.life, end=end))
        tasks = [*tasks, {"arn": "None"}]
    elif refused is not None:
        return [f"its start was refused: {refused}"]
    one = life.container_id
    return account.wrong(member, record) + account.double_launches({one: tasks}, {one: record})


def _parameters(stack: Stack) -> list[str]:
    pages = stack.cloud.client("ssm").get_paginator("describe_parameters").paginate()
    return [parameter["Name"] for page in pages for parameter in page["Parameters"]]
