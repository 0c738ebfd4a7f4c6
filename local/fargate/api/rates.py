"""How many calls a second AWS takes: token buckets of an account and Region, one for each kind of operation.

Amazon ECS API Reference, "Request throttling for the Amazon ECS API", and Developer Guide, "AWS Fargate throttling
quotas". An operation that stands in two buckets takes a token of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from local.fargate.api.errors import throttled


class Rate(NamedTuple):
    """`burst` tokens at most, `refill` of them a second, one for each call of these operations."""

    burst: int
    refill: int
    operations: frozenset[str]


RATES: Final = (
    Rate(20, 1, frozenset({"RegisterTaskDefinition", "DeregisterTaskDefinition"})),
    Rate(50, 20, frozenset({"DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"})),
    Rate(5, 1, frozenset({"DeleteTaskDefinitions"})),
    Rate(100, 40, frozenset({"RunTask", "StopTask"})),
    Rate(100, 20, frozenset({"DescribeTasks", "ListTasks"})),
    Rate(20, 20, frozenset({"RunTask"})),  # Fargate's own: no burst above it
)


@dataclass(slots=True)
class Rates:
    """The buckets, full at first. `clock` gives seconds."""

    clock: Callable[[], float]
    _left: dict[Rate, tuple[float, float]] = field(default_factory=dict, init=False)
    """Tokens at an instant."""

    def take(self, operation: str) -> None:
        """One call. Raises `AwsError` (ThrottlingException) when a bucket is empty; then none loses a token."""
        now = self.clock()
        tokens = {}
        for rate in RATES:
            if operation in rate.operations:
                left, since = self._left.get(rate, (float(rate.burst), now))
                tokens[rate] = min(rate.burst, left + (now - since) * rate.refill)
        if any(left < 1 for left in tokens.values()):
            raise throttled()
        self._left |= {rate: (left - 1, now) for rate, left in tokens.items()}
