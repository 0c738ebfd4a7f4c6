"""What has to be true when everybody has ended, and what it took. Reads the items, ECS, the queues and the logs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from core.model.record import Record
from core.model.state import State
from tests.chaos.lives import End, Member
from tests.e2e import logs
from tests.e2e.queues import DEAD_LETTER_QUEUES
from tests.e2e.stack import Stack

_TROUBLE: Final = frozenset({"ERROR", "CRITICAL"})


def wrong(member: Member, record: Record) -> list[str]:
    """What is not as announced, and what should be gone and is not."""
    seen = end_of(record, member.life.end)
    problems = [] if seen == member.life.end else [f"ended as {seen} instead of {member.life.end}: {record.error}"]
    kept = ("agent_address", "early_address", "agent_token", "watch", "check_at")
    problems += [f"still has {name}" for name in kept if getattr(record, name) is not None]
    if record.generation != 1:
        problems.append(f"is generation {record.generation}")
    if record.expires_at is None:
        problems.append("is never forgotten")
    steps = record.history
    if any(before.to is not after.origin for before, after in pairwise(steps)) or sum(s.to.ended for s in steps) != 1:
        problems.append(f"has an impossible history: {steps}")
    return [f"{member.container_id} ({member.life.name}) {problem}" for problem in problems]


def end_of(record: Record, announced: End) -> End:
    """How it ended. How the task of a failed container ended afterwards is learnt if an event says so, or never."""
    stop, error = record.stop, record.error
    if record.state is State.FAILED:
        exit_code, stop_code = announced.exit_code, announced.stop_code
    else:
        exit_code, stop_code = (stop.exit_code, stop.code) if stop else (None, None)
        if stop and stop.reported and announced.stop_code == "EssentialContainerExited":
            # The prober saw the exit first. Then StopTask may come before ECS's word of it, and that word may be lost.
            stop_code = announced.stop_code
    tasks = {launch.task_arn for launch in record.launches} | {record.task_arn}
    return End(
        record.state, error.code if error else None, error.cause if error else None, exit_code, stop_code, len(tasks)
    )


def tasks_of(stack: Stack, members: Sequence[Member]) -> dict[str, list[dict[str, Any]]]:
    """Every task that ECS ever started for each container."""
    found: dict[str, list[dict[str, Any]]] = {member.container_id: [] for member in members}
    for task in stack.fargate.tasks():
        parts = (task["started_by"] or "").split("/")
        if len(parts) > 1 and parts[1] in found:
            found[parts[1]].append(task)
    return found


def double_launches(tasks: Mapping[str, list[dict[str, Any]]], records: Mapping[str, Record]) -> list[str]:
    """Tasks that no record names, and tasks that records name and ECS never started."""
    problems = []
    for container_id, started in tasks.items():
        record = records[container_id]
        named = sorted(str(arn) for arn in [*(launch.task_arn for launch in record.launches), record.task_arn])
        if sorted(task["arn"] for task in started) != named:
            problems.append(f"{container_id} has the tasks {[task['arn'] for task in started]}, its item names {named}")
    return problems


def dead_letters(stack: Stack, members: Sequence[Member]) -> list[str]:
    """What was given up about these containers."""
    ids = {member.container_id for member in members}
    kept = [json.dumps(body) for queue in DEAD_LETTER_QUEUES for body in stack.queues.dead_letters(queue)]
    return [text for text in kept if any(container_id in text for container_id in ids)]


def under_way(stack: Stack, tasks: Mapping[str, list[dict[str, Any]]]) -> bool:
    """Whether an event of these tasks has neither arrived nor been lost yet."""
    arns = {task["arn"] for started in tasks.values() for task in started}
    return any(
        delivery["outcome"] == "pending" and delivery["event"]["detail"]["taskArn"] in arns
        for delivery in stack.fargate.deliveries()
    )


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the events, in numbers of events."""

    events: int
    dropped: int
    doubled: int
    overtaken: int
    failed: int


def deliveries(stack: Stack, tasks: Mapping[str, list[dict[str, Any]]]) -> Deliveries:
    """Counts the events of these tasks. One is overtaken when a later one of its task arrived before a copy of it."""
    of_task: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for delivery in stack.fargate.deliveries():
        of_task[delivery["event"]["detail"]["taskArn"]].append(delivery)
    outcomes: Counter[str] = Counter()
    doubled = overtaken = 0
    for task in (task for started in tasks.values() for task in started):
        later: list[int] = []
        for delivery in reversed(of_task[task["arn"]]):
            outcomes[delivery["outcome"]] += 1
            doubled += len(delivery["arrivals"]) > 1
            overtaken += any(first < arrival for arrival in delivery["arrivals"] for first in later)
            later += delivery["arrivals"]
    return Deliveries(outcomes.total(), outcomes["dropped"], doubled, overtaken, outcomes["failed"])


@dataclass(frozen=True, slots=True)
class Logbook:
    """What the functions logged in a while: every line is a document, or a text that is none."""

    lines: tuple[tuple[str, Any], ...]

    @classmethod
    def read(cls, stack: Stack) -> Counter[tuple[str, str]]:
        """Every line of every function, for the difference between two instants."""
        return Counter(
            (group, line)
            for group in logs.groups(stack.cloud)
            for line in logs.messages(stack.cloud, group.rpartition("/")[2])
        )

    @classmethod
    def since(cls, before: Counter[tuple[str, str]], stack: Stack) -> Logbook:
        """What was logged after `before` was read."""
        return cls(tuple((group, _parsed(line)) for group, line in (cls.read(stack) - before).elements()))

    def trouble(self) -> list[str]:
        """Errors, and what is printed of a function that breaks off."""
        return [f"{group}: {line}" for group, line in self.lines if _is_trouble(line)]

    def moves(self, members: Sequence[Member]) -> int:
        """How many steps of these containers were logged. The local AWS may miss lines of a busy function."""
        ids = {member.container_id for member in members}
        return sum(1 for _, line in self._documents() if "trigger" in line and line.get("container_id") in ids)

    def conflicts(self) -> int:
        """How often a function met another writer. Its number stands in each line of one settled fact."""
        met = {
            (line.get("function_request_id"), line["container_id"]): line["conflicts"]
            for _, line in self._documents()
            if "conflicts" in line
        }
        return sum(met.values())

    def _documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((group, line) for group, line in self.lines if isinstance(line, dict))


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _is_trouble(line: Any) -> bool:
    if isinstance(line, dict):
        return line.get("level") in _TROUBLE
    return any(word in str(line) for word in ("Traceback", "[ERROR]", "Task timed out"))
