"""What goes wrong in one life, and how often. Each life has a few kinds of trouble, often; together they have all.

(Groce et al., "Swarm Testing", ISSTA 2012: leaving kinds out finds more than a little of each.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from core.model.errors import CallFailed
from core.model.failure import Cause

_OPERATIONS: Final = (
    *("RunTask", "RunTask", "RegisterTaskDefinition", "PutParameter", "StopTask", "StopTask", "DescribeTasks"),
    *("ListTasks", "SendMessage", "PutItem", "DeleteParameter", "GetLogEvents"),
)
"""What trouble may be limited to; the more often named, the more often."""
CALM_AFTER: Final = 900.0
"""Seconds after which nothing goes wrong any more."""


class Fault(StrEnum):
    """What may become of one call."""

    THROTTLED = "throttled"
    REFUSED = "refused, for now"
    DENIED = "access denied"
    LOST_BEFORE = "lost before it had an effect"
    LOST_AFTER = "done, and the answer lost"
    REPEATED = "done, and repeated by the SDK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Shares of calls, messages and events, and seconds."""

    throttled: float
    throttled_only: str | None
    """The operation that `throttled` concerns; None for all. The same for `lost_only`."""
    refused: float
    """Of RunTasks that would start a task: there is no capacity."""
    no_spot: float
    """Of RunTasks for Spot, and of the tasks of Spot that are started: there is no Spot capacity."""
    lost: float
    lost_only: str | None
    denied: frozenset[str]
    """Operations that are denied throughout."""
    repeated: float
    """Of writes to the table."""
    death: float
    """Of workers, at each call."""
    slow: float
    event_lost: float
    event_doubled: float
    event_late: float
    probe_lost: float
    probe_doubled: float
    hidden: float
    """For how long ECS may not show a task that it has started."""
    skew: float
    index_lags: float

    @property
    def answers_only(self) -> bool:
        """Nothing but lost answers and throttling: no worker dies."""
        return not self.death

    def of(self, operation: str, chance: Random) -> Fault | None:
        """What becomes of this call."""
        if operation in self.denied:
            return Fault.DENIED
        throttled = self.throttled if self.throttled_only in (None, operation) else 0.0
        lost = self.lost / 2 if self.lost_only in (None, operation) else 0.0
        dice = chance.random()
        for share, fault in (
            (throttled, Fault.THROTTLED),
            (lost, Fault.LOST_BEFORE),
            (lost, Fault.LOST_AFTER),
            (self.repeated if operation == "PutItem" else 0.0, Fault.REPEATED),
        ):
            if dice < share:
                return fault
            dice -= share
        return None


def draw(chance: Random) -> Faults:
    """The trouble of one life."""

    def some(probability: float, *shares: float) -> float:
        return chance.choice(shares) if chance.random() < probability else 0.0

    def one(probability: float) -> str | None:
        return chance.choice(_OPERATIONS) if chance.random() < probability else None

    throttled_only, lost_only, denied = one(0.5), one(0.5), one(0.03)
    return Faults(
        throttled=some(0.5, 0.3, 0.6) if throttled_only else some(0.5, 0.03, 0.1, 0.25),
        throttled_only=throttled_only,
        refused=some(0.4, 0.1, 0.4),
        no_spot=some(0.5, 0.3, 0.7),
        lost=some(0.7, 0.3, 0.6) if lost_only else some(0.6, 0.03, 0.1, 0.25),
        lost_only=lost_only,
        denied=frozenset({denied} if denied else ()),
        repeated=some(0.3, 0.1),
        death=some(0.4, 0.01, 0.04),
        slow=some(0.4, 0.03, 0.15),
        event_lost=some(0.3, 0.1, 0.5),
        event_doubled=some(0.3, 0.2),
        event_late=some(0.3, 0.1, 0.4),
        probe_lost=some(0.3, 0.2, 0.6),
        probe_doubled=some(0.2, 0.3),
        hidden=some(0.5, 2.0, 8.0, 30.0),
        skew=some(0.3, 0.8),
        index_lags=some(0.2, 0.3),
    )


CALM: Final = Faults(
    throttled=0,
    throttled_only=None,
    refused=0,
    no_spot=0,
    lost=0,
    lost_only=None,
    denied=frozenset(),
    repeated=0,
    death=0,
    slow=0,
    event_lost=0,
    event_doubled=0,
    event_late=0,
    probe_lost=0,
    probe_doubled=0,
    hidden=0,
    skew=0,
    index_lags=0,
)

_ERRORS: Final = {
    Fault.THROTTLED: ("ThrottlingException", "Rate exceeded", Cause.THROTTLED, True, False),
    Fault.REFUSED: ("Failure", "Capacity is unavailable at this time.", Cause.CAPACITY, True, False),
    Fault.DENIED: ("AccessDeniedException", "not authorized to perform this", Cause.PERMISSION, False, False),
    Fault.LOST_BEFORE: ("ReadTimeoutError", "Read timed out.", Cause.UNKNOWN, True, True),
    Fault.LOST_AFTER: ("ReadTimeoutError", "Read timed out.", Cause.UNKNOWN, True, True),
}


def error_of(fault: Fault, operation: str) -> CallFailed:
    """As `core.adapters.aws_errors` translates it."""
    code, message, cause, transient, uncertain = _ERRORS[fault]
    return CallFailed(operation, code, message, cause=cause, transient=transient, uncertain=uncertain)
