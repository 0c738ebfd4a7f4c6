"""What became of facts: the answer of `core.control.settle`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.facts import Fact
from core.model.record import Record, Step


@dataclass(frozen=True, slots=True)
class Settled:
    """The saved record. `ignored` says why the first fact changed nothing; `steps` are the transitions made."""

    record: Record
    steps: tuple[Step, ...] = ()
    ignored: str | None = None
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact about a container that has no item. Nothing was written."""

    fact: Fact
    ignored: Final = "no such container is recorded"
