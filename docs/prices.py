"""What AWS charges, and what of the counts no machine but AWS's own could measure. `docs.costs` computes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

HOURS: Final = 730
"""Of a month, as AWS counts it."""
DAYS: Final = HOURS / 24


@dataclass(frozen=True, slots=True)
class Price:
    """A list price of us-east-1 without free tiers: dollars for `per` units."""

    dollars: float
    per: int
    unit: str
    page: str
    """Where AWS publishes it, under https://aws.amazon.com."""

    def __str__(self) -> str:
        """`$0.20 per million requests`."""
        many = {1: "", 10_000: "10,000 ", 1_000_000: "million "}[self.per]
        return f"${_significant(self.dollars)} per {many}{self.unit}"


PRICES: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "request": Price(0.20, 1_000_000, "requests", "lambda/pricing"),
        "time": Price(0.0000166667, 1, "GB-s (x86)", "lambda/pricing"),
        "write": Price(0.625, 1_000_000, "WRU", "dynamodb/pricing/on-demand"),
        "read": Price(0.125, 1_000_000, "RRU", "dynamodb/pricing/on-demand"),
        "table": Price(0.25, 1, "GB-month stored", "dynamodb/pricing/on-demand"),
        "recovery": Price(0.20, 1, "GB-month of point-in-time recovery", "dynamodb/pricing/on-demand"),
        "queue": Price(0.40, 1_000_000, "queue requests", "sqs/pricing"),
        "schedule": Price(1.00, 1_000_000, "schedule invocations", "eventbridge/pricing"),
        "log": Price(0.50, 1, "GB of logs taken in", "cloudwatch/pricing"),
        "kept log": Price(0.03, 1, "GB-month of logs kept", "cloudwatch/pricing"),
        "metric": Price(0.30, 1, "metric-month", "cloudwatch/pricing"),
        "alarm": Price(0.10, 1, "alarm-month", "cloudwatch/pricing"),
        "dashboard": Price(3.00, 1, "dashboard-month", "cloudwatch/pricing"),
        "key": Price(0.03, 10_000, "KMS requests", "kms/pricing"),
    }
)

ASSUMED: Final[Mapping[str, float]] = MappingProxyType({"StopContainerFunction": 0.3, "ReconcileFunction": 0.3})
"""Seconds of an invocation that does not occur in virtual time: a call to ECS and two to the table."""
WAIT_SECONDS: Final = 40
"""From a start to its agent's answer: Fargate takes 20 to 60 s to RUNNING."""

POLLERS: Final = 5
"""Of Lambda at a queue, also an idle one: with a maximum concurrency they do not become fewer (Lambda guide, SQS)."""
POLLS_A_MINUTE: Final = 3
"""Of each: a long poll of an empty queue lasts 20 s."""
KEY_REQUESTS_AN_HOUR: Final = 12
"""Of each caller of the table: DynamoDB keeps a table's key for five minutes (DynamoDB guide, encryption at rest)."""


def _significant(dollars: float) -> str:
    return f"{dollars:.2f}" if round(dollars, 2) == dollars else f"{dollars:.10f}".rstrip("0")
