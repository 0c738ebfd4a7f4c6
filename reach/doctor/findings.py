"""What a check finds: that something is right, that it is wrong, or why that is not known.

A text names its facts in braces, as `str.format` does, and the same facts stand in the JSON:
`wrong("{subnet} has {free} free addresses.", ...)`. What others wrote is a fact, and never a part of the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from reach.doctor.knowledge import NotAsked


class Status(StrEnum):
    """As the JSON spells it."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "could not check"


@dataclass(frozen=True, slots=True)
class Ok:
    """`what` may say what the operator should know all the same."""

    what: str
    facts: dict[str, Any] = field(default_factory=dict)
    status: ClassVar[Status] = Status.OK


@dataclass(frozen=True, slots=True)
class Wrong:
    """`mend` is a command, or a place in the console, that mends it."""

    what: str
    mend: str
    facts: dict[str, Any] = field(default_factory=dict)
    status: ClassVar[Status] = Status.WRONG


@dataclass(frozen=True, slots=True)
class Unknown:
    """`permission`: the IAM action that would let the doctor look, where that is what it lacks."""

    why: str
    permission: str | None = None
    status: ClassVar[Status] = Status.UNKNOWN


Finding: TypeAlias = Ok | Wrong | Unknown


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding, and which check of which group has it."""

    group: str
    check: str
    finding: Finding

    def document(self) -> dict[str, Any]:
        """As JSON. Members that a finding does not have are null."""
        found = self.finding
        return {
            "group": self.group,
            "check": self.check,
            "status": found.status,
            "what": found.why if isinstance(found, Unknown) else found.what,
            "mend": found.mend if isinstance(found, Wrong) else None,
            "permission": found.permission if isinstance(found, Unknown) else None,
            "facts": {} if isinstance(found, Unknown) else found.facts,
        }


def ok(text: str, **facts: Any) -> Ok:
    """It is right."""
    return Ok(_filled(text, facts), facts)


def wrong(text: str, mend: str, **facts: Any) -> Wrong:
    """It is wrong. `mend` may name the facts, too."""
    return Wrong(_filled(text, facts), _filled(mend, facts), facts)


def unknown(reason: NotAsked) -> Unknown:
    """It is not known, for what AWS did not answer."""
    return Unknown(reason.why, reason.permission)


def _filled(text: str, facts: dict[str, Any]) -> str:
    """Lists are spelt with commas. A text without facts may have braces of another meaning."""
    spelt = {name: ", ".join(map(str, one)) if isinstance(one, list) else one for name, one in facts.items()}
    return text.format(**spelt) if facts else text
