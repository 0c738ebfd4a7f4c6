"""What one event did to one container: the line of a replayed life."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, assert_never

from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.instants import format_instant
from core.model.parts import Step as Transition
from core.model.record import Record
from core.storage.item import to_item
from reach.replaying.reading import detail_of


class Outcome(StrEnum):
    """What became of an event."""

    MOVED = "moved"  # the container changed its state
    LEARNT = "learnt"  # the record holds more, in the same state
    IGNORED = "ignored"  # late, repeated or of a launch that was given up: `why` is the core's reason
    WITHHELD = "withheld"  # the stack's rule does not let it through to the function
    NOT_OURS = "not-ours"
    MALFORMED = "malformed"  # in production it would end in the dead-letter queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`at` is when the fact counted as known; `state` is the one after it. `changes` holds attribute -> before, after.

    `pending` says what the stack would do next: the prober and the reconciler do not run in an offline replay.
    """

    origin: str
    outcome: Outcome
    task: str = ""
    at: datetime | None = None
    container_id: str | None = None
    generation: int | None = None
    state: str | None = None
    transitions: tuple[Transition, ...] = ()
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    why: str | None = None
    pending: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON, without members that are empty or None."""
        members = {member.name: getattr(self, member.name) for member in fields(self)} | {
            "at": self.at and format_instant(self.at),
            "transitions": [{"from": one.origin, "to": one.to, "trigger": one.trigger} for one in self.transitions],
            "changes": {name: {"before": before, "after": after} for name, (before, after) in self.changes.items()},
            "pending": list(self.pending),
        }
        return {name: value for name, value in members.items() if value not in (None, [], {})}


def task_of(event: Any) -> str:
    """What an event says of its task, such as `RUNNING v4` or `RUNNING (to be STOPPED) v5`; empty if it says nothing.

    Read without trust: this is shown of malformed events too.
    """
    detail = detail_of(event)
    last, desired = _status(detail.get("lastStatus")), _status(detail.get("desiredStatus"))
    leaving = f"(to be {desired})" if desired not in ("", last, "RUNNING") else ""
    number = f"v{version}" if isinstance(version := detail.get("version"), int) else ""
    return " ".join(word for word in (last, leaving, number) if word)


def _status(word: Any) -> str:
    """A word in capitals, or nothing: anything else in its place might be anything, a secret too."""
    return word if isinstance(word, str) and re.fullmatch("[A-Z_]{1,40}", word) else ""


_UNSHOWN: Final = frozenset({
    "agent_token", "check_at", "generation", "history", "revision", "state", "updated_at", "watch",
})  # fmt: skip
"""The token is never shown; the rest is the machine's own bookkeeping, or shown elsewhere."""


def differences(before: Record, after: Record) -> dict[str, tuple[Any, Any]]:
    """The attributes of the item that differ, members of maps by `map.member`; None where one was or is absent."""
    old, new = _flat(before), _flat(after)
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def new_transitions(before: Record, after: Record) -> tuple[Transition, ...]:
    """The steps of the history that `after` has and `before` has not."""
    known = set(before.history)
    return tuple(step for step in after.history if step not in known)


def _flat(record: Record) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in to_item(record).items():
        if name in _UNSHOWN:
            continue
        if isinstance(value, dict):
            flat |= {f"{name}.{member}": one for member, one in value.items()}
        else:
            flat[name] = value
    return flat


def described(action: Action) -> str:
    """What is pending, in words."""
    match action:
        case SendProbe(address=address):
            return f"ask the agent at {address}"
        case DescribeTask():
            return "ask ECS for the task's address"
        case StopTask(reason=reason):
            return f"stop the task: {reason}"
        case ClaimLaunch(attempt=attempt) | Relaunch(attempt=attempt):
            return f"launch the task again, attempt {attempt}"
        case ReadOutput(container=container):
            return f"read the output of container {container}"
        case EraseToken(name=name):
            return f"delete the parameter {name}"
        case _:
            assert_never(action)
