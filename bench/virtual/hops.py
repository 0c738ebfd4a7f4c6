"""How long each hop takes on AWS: one table of published figures, and of assumptions where none is published.

A hop is drawn from its quantiles: between two of them, and beyond the outer ones, the logarithm of the time runs
straight with the normal deviate. With two quantiles that is the lognormal distribution. What is drawn is one of some
thousand times that are equally likely, because a world draws millions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import Final

STEPS: Final = 4096
"""Times of a hop: the longest is that of one in 8,192."""

_MESSAGING: Final = (
    '"Serverless Messaging: Latency Compared" (Bite-Sized Serverless; eu-west-1, 2022, EventBridge 2023)'
)
_DYNAMODB: Final = (
    'average in single-digit milliseconds ("How can I troubleshoot high latency on a DynamoDB table?", AWS re:Post); '
    "p99 assumed"
)
_OWN_CPU: Final = 'measured CPU seconds (operations.md "Memory and cold starts") over the size\'s part of a CPU'


@dataclass(frozen=True, slots=True)
class Hop:
    """`quantiles`: milliseconds by share. `source` begins with `assumed` where nothing is published."""

    what: str
    quantiles: tuple[tuple[float, float], ...]
    source: str
    _times: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        normal = NormalDist()
        points = [(normal.inv_cdf(share), log(ms / 1000)) for share, ms in self.quantiles]
        times = []
        for step in range(STEPS):
            deviate = normal.inv_cdf((step + 0.5) / STEPS)
            segments = list(pairwise(points))
            (left, low), (right, high) = next((pair for pair in segments if deviate <= pair[1][0]), segments[-1])
            times.append(exp(low + (deviate - left) * (high - low) / (right - left)))
        object.__setattr__(self, "_times", tuple(times))

    def draw(self, chance: Random) -> float:
        """Seconds."""
        return self._times[int(chance.random() * STEPS)]


def _hop(what: str, p50: float, p99: float, source: str) -> Hop:
    return Hop(what, ((0.5, p50), (0.99, p99)), source)


TASK: Final = Hop(
    "RunTask to RUNNING on Fargate",
    ((0.1, 19_540), (0.5, 38_250), (0.9, 62_029)),
    "createdAt to startedAt of seven tasks (ecs.md 3, captures)",
)
AGENT: Final = Hop(
    "RUNNING to the agent listening",
    ((0.5, 168), (0.99, 265)),
    "measured on the laptop cloud, a Python agent (below); on Fargate nothing is published",
)
EMIT: Final = _hop(
    "RUNNING in DescribeTasks to the event on its way",
    30,
    150,
    "assumed: updatedAt of the event is startedAt of the task (captures), what follows is not published",
)
EVENT: Final = Hop("EventBridge to the function", ((0.1, 113), (0.5, 148), (0.9, 241), (0.99, 387)), _MESSAGING)
MESSAGE: Final = Hop("SQS to the function", ((0.1, 13.7), (0.5, 16.2), (0.9, 33.8), (0.99, 105)), _MESSAGING)
INVOKE: Final = _hop("Lambda Invoke, there and back", 15, 60, "assumed")
COLD: Final = _hop(
    "cold start: environment and init phase",
    650,
    1400,
    '"from under 100 ms to over 1 second" ("Operating Lambda: Performance optimization - Part 1", AWS Compute Blog); '
    "0.3 to 0.5 s of it is the measured init",
)
CPU: Final = _hop("the function's code at 512 MB", 15, 40, _OWN_CPU)
PROBER_CPU: Final = _hop("the prober's code at 256 MB", 25, 60, _OWN_CPU)
GET: Final = _hop("DynamoDB GetItem", 4, 12, _DYNAMODB)
PUT: Final = _hop("DynamoDB PutItem, with a condition", 6, 18, _DYNAMODB)
BATCH_GET: Final = _hop("DynamoDB BatchGetItem", 6, 20, _DYNAMODB)
REPLICA: Final = _hop(
    "a write until every eventually consistent read shows it",
    10,
    100,
    'assumed; "usually within a second or less" (DynamoDB Developer Guide, "Read consistency")',
)
SEND: Final = _hop("SQS SendMessage", 8, 30, "assumed")
RUN_TASK: Final = _hop("ECS RunTask", 250, 800, "assumed")
DESCRIBE: Final = _hop("ECS DescribeTasks", 60, 200, "assumed")
HEALTH: Final = _hop("connect and GET /health inside the VPC", 1.5, 5, "assumed")

HOPS: Final = (
    TASK,
    AGENT,
    EMIT,
    EVENT,
    MESSAGE,
    INVOKE,
    COLD,
    CPU,
    PROBER_CPU,
    GET,
    PUT,
    BATCH_GET,
    REPLICA,
    SEND,
    RUN_TASK,
    DESCRIBE,
    HEALTH,
)
