"""One container's wait: what each read of its item says, when the next one is due, and how it has to be made. No I/O.

Reads are eventually consistent, at half the price. They may show the item as it was: what is older than what was seen
counts as not seen, and a verdict counts when a strongly consistent read gives it, too. The first read is strongly
consistent unless the caller knows the generation, so that no earlier start's item is taken for this one's. So are the
next one where a read shows no item, or the first one an earlier start; those of the moments in which the outcome is
about to come, because each confirms itself; and the last one, when the time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from core.client.verdicts import hint
from core.model.errors import ContainerNotFound, ReachError, WaitTimeout
from core.model.record import Record

T = TypeVar("T")


class Pace(Protocol):
    """What a wait waits for, and how often it looks."""

    def phase(self, record: Record) -> tuple[Hashable, datetime | None]:
        """Waits in one phase have one pace; and since when the record is in it, as far as it says."""

    def pause(self, record: Record, elapsed: float) -> float:
        """Seconds to the next read, after so many in this phase."""

    def hastens(self, record: Record, elapsed: float) -> bool:
        """Whether the outcome is so near that the next read is to be the one that counts."""


@dataclass(slots=True)
class Wait(Generic[T]):
    """`verdict` gets the newest record and the first one. Seconds are of a monotonic clock.

    `due`: when to read next; `consistent`: whether strongly consistent. A container with `generation`, or a newer one,
    has been started: an older one is an old item.
    """

    container_id: str
    verdict: Callable[[Record, Record], T | None]
    pace: Pace
    _: KW_ONLY
    begun: float
    timeout: float
    generation: int | None = None
    due: float = field(init=False)
    consistent: bool = field(init=False)
    _first: Record | None = field(default=None, init=False)
    _newest: Record | None = field(default=None, init=False)
    _phase: Hashable = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.due = self.begun
        self.consistent = self.generation is None or self.timeout <= 0

    def saw(self, record: Record | None, seconds: float, now: datetime) -> T | ReachError | None:
        """The outcome, once the read that `consistent` asks for gives it; `record` is what that read gave, at `now`.

        An outcome may be an error; the caller raises it, or hands it on.
        """
        consistent = self.consistent
        if not consistent and (record is None or self._old(record)):
            self._next(seconds, now, consistent=record is None or self._newest is None)
            return None
        if record is None:
            return ContainerNotFound(self.container_id)
        self._newest = record
        self._first = self._first or record
        if (outcome := self._judged(record)) is not None:
            if consistent:
                return outcome
            self.due, self.consistent = seconds, True
            return None
        if consistent and seconds >= self.begun + self.timeout:
            return WaitTimeout(self.container_id, record.state, seconds - self.begun, hint(record))
        self._next(seconds, now, consistent=False)
        return None

    def failed(self, error: ReachError, seconds: float, due: float) -> ReachError | None:
        """The error of a read, once the time is up; until then the read is due again at `due`, or at the end."""
        end = self.begun + self.timeout
        self.due = min(due, end)
        self.consistent = self.consistent or due >= end
        return error if seconds >= end else None

    def _old(self, record: Record) -> bool:
        if self._newest is None:
            return self.generation is not None and record.generation < self.generation
        # Revisions begin again when an item was deleted, but with a later start.
        return record.revision < self._newest.revision and record.created_at <= self._newest.created_at

    def _judged(self, record: Record) -> T | ReachError | None:
        try:
            return self.verdict(record, self._first or record)
        except ReachError as error:
            return error

    def _next(self, seconds: float, now: datetime, *, consistent: bool) -> None:
        end = self.begun + self.timeout
        due = seconds
        if not consistent and self._newest is not None:
            elapsed = self._elapsed(self._newest, seconds, now)
            due += self.pace.pause(self._newest, elapsed)
            consistent = self.pace.hastens(self._newest, elapsed)
        self.due, self.consistent = min(due, end), consistent or due >= end

    def _elapsed(self, record: Record, seconds: float, now: datetime) -> float:
        """In the phase, as long as it is seen, or as the record says."""
        phase, since = self.pace.phase(record)
        if phase != self._phase:
            self._phase, self._since = phase, seconds
        shown = (now - since).total_seconds() if since else 0.0
        return max(seconds - self._since, shown)
