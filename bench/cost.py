"""What a million lives cost: counted units times list prices (`docs.costs`), the polling start beside them."""

from __future__ import annotations

from typing import Any, Final

from bench.rows import Result, Row, Say, at_most
from docs import costs
from local.fargate.api.rates import RATES

GOAL: Final = 20.0
"""Dollars for a million lives, the backend's reads included."""
_LARGEST: Final = 4


def measure(say: Say) -> Result:
    """Nothing is timed: the same code has the same cost."""
    say("counting the units of a life")
    return Result(
        tuple(_row(name, seconds) for name, seconds in costs.LIVES.items()),
        {"lives": [_document(name, seconds) for name, seconds in costs.LIVES.items()]},
    )


def _row(name: str, seconds: float) -> Row:
    lines = costs.life(seconds)
    dollars = costs.MILLION * costs.total(lines)
    largest = sorted(lines, key=lambda line: -line.dollars)[:_LARGEST]
    refill = next(rate.refill for rate in RATES if "DescribeTasks" in rate.operations)
    describes = costs.polling_describes(seconds)
    return at_most(
        GOAL,
        "dollars for a million lives",
        dollars,
        point="5",
        what=f"a container that is healthy for {name}, on demand, the backend's reads and the prober's waiting in it",
        measured=f"${dollars:.2f}; the polling start $0 and {describes:,.0f} DescribeTasks a life, of which an account "
        f"has {refill} a second",
        why="; ".join(f"{line.what}: ${costs.MILLION * line.dollars:.2f}" for line in largest),
    )


def _document(name: str, seconds: float) -> dict[str, Any]:
    lines = costs.life(seconds)
    return {
        "healthy_for": name,
        "dollars_of_a_million": round(costs.MILLION * costs.total(lines), 2),
        "units_of_a_life": {line.what: round(line.amount, 9) for line in lines},
        "polling_describe_tasks_of_a_life": costs.polling_describes(seconds),
    }
