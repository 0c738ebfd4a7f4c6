"""A state of the world, as a value: equal states are one state of the search."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NamedTuple

from core.model.record import Record
from core.storage.item import from_item, to_item
from tests.interleavings.task import Task


class Call(NamedTuple):
    """A call to the world that an invocation is about to make."""

    operation: str
    about: tuple[Hashable, ...]


class Entry(NamedTuple):
    """An answer: to which call of the invocation, what, and when (seconds) it came."""

    number: int
    result: Hashable
    now: float


class Message(NamedTuple):
    """What is under way to a function. `tries`: how often it was delivered in vain."""

    kind: str
    about: tuple[Hashable, ...]
    tries: int = 0


class Invocation(NamedTuple):
    """A running invocation. `policy` is the one it began with, `skew` the seconds its clock is ahead."""

    name: str
    kind: str
    about: tuple[Hashable, ...]
    policy: int
    skew: float
    began: float
    log: tuple[Entry, ...] = ()
    message: Message | None = None


class Left(NamedTuple):
    """How often each thing may still happen."""

    starts: int = 0
    stops: int = 0
    runs: int = 0
    """Of the reconciler, beside those that the table's stream begins."""
    leaks: int = 0
    """Runs of the leak finder."""
    ticks: int = 0
    trouble: int = 0
    """Calls that fail, invocations that die, messages that are lost or doubled: those that the scene has."""
    deployments: int = 0


class State(NamedTuple):
    """`now` in seconds; `items` and `tasks` in the order of their creation; `stops` are generations whose stop counts.

    `begun` counts the invocations that have no message, for their names.
    """

    now: float
    left: Left
    items: tuple[tuple[str, str], ...] = ()
    tasks: tuple[Task, ...] = ()
    messages: tuple[Message, ...] = ()
    running: tuple[Invocation, ...] = ()
    begun: int = 0
    vault: tuple[tuple[str, str], ...] = ()
    stops: tuple[tuple[str, int], ...] = ()
    policy: int = 0

    def item(self, container_id: str) -> str | None:
        """The text of its item."""
        return next((text for one, text in self.items if one == container_id), None)

    def record(self, container_id: str) -> Record | None:
        """What its item says."""
        text = self.item(container_id)
        return None if text is None else record_of(text)

    def records(self) -> dict[str, Record]:
        """What all items say."""
        return {one: record_of(text) for one, text in self.items}

    def with_item(self, container_id: str, text: str | None) -> State:
        """The state after that item was put, or (None) deleted."""
        others = tuple(pair for pair in self.items if pair[0] != container_id)
        return self._replace(items=tuple(sorted((*others, *([(container_id, text)] if text else [])))))

    def with_task(self, task: Task) -> State:
        """The state after that task has changed, or was born."""
        before = self.tasks
        return self._replace(tasks=(*before[: task.number - 1], task, *before[task.number :]))

    def with_message(self, message: Message) -> State:
        """The state with one more under way."""
        return self._replace(messages=tuple(sorted((*self.messages, message))))

    def without_message(self, message: Message) -> State:
        """The state with one less."""
        at = self.messages.index(message)
        return self._replace(messages=(*self.messages[:at], *self.messages[at + 1 :]))

    def with_invocation(self, invocation: Invocation) -> State:
        """The state in which it runs, or has gone on."""
        others = tuple(one for one in self.running if one.name != invocation.name)
        return self._replace(running=tuple(sorted((*others, invocation), key=lambda one: one.name)))

    def without_invocation(self, invocation: Invocation) -> State:
        """The state in which it has ended."""
        return self._replace(running=tuple(one for one in self.running if one.name != invocation.name))

    def spend(self, name: str) -> State:
        """One of these less."""
        return self._replace(left=self.left._replace(**{name: getattr(self.left, name) - 1}))


def text_of(record: Record) -> str:
    """The record's item as a text."""
    return json.dumps(to_item(record), sort_keys=True)


@lru_cache(maxsize=200_000)
def record_of(text: str) -> Record:
    """The record of such a text."""
    return from_item(json.loads(text))


@lru_cache(maxsize=50_000)
def document_of(text: str) -> Any:
    """What a JSON text says. Not to be changed."""
    return json.loads(text)
