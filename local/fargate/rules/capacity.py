"""What ECS checks of a RunTask's launch type and capacity provider strategy.

A cluster here is associated with Fargate's providers, unless a fault says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from local.fargate.rules.violation import Violation, quoted

PROVIDERS: Final = ("FARGATE", "FARGATE_SPOT")
NOT_ASSOCIATED: Final = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
)
_BOTH: Final = (
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
)
_NO_INSTANCES: Final = "No Container Instances were found in your cluster."
_STRATEGY: Final = "capacityProviderStrategy"
_MAX_PROVIDERS, _MAX_WEIGHT, _MAX_BASE = 20, 1000, 100_000


def capacity_violations(run: Mapping[str, Any]) -> Iterator[Violation]:
    """The rules that these parameters of RunTask break."""
    strategy = run.get(_STRATEGY, ())
    if strategy and "launchType" in run:
        yield quoted("launchType", _BOTH)
    elif strategy:
        yield from _of_strategy(strategy)
    elif run.get("launchType") != "FARGATE":
        yield quoted("launchType", _NO_INSTANCES)


def provider_of(run: Mapping[str, Any]) -> str | None:
    """The provider of the first task; None with a launch type."""
    strategy = sorted(run.get(_STRATEGY, ()), key=lambda item: (-item.get("base", 0), -item.get("weight", 0)))
    return strategy[0]["capacityProvider"] if strategy else None


def _of_strategy(strategy: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    names = [item["capacityProvider"] for item in strategy]
    if len(names) > _MAX_PROVIDERS:
        yield Violation(_STRATEGY, f"must be at most {_MAX_PROVIDERS}")
    for name in (name for name in names if name not in PROVIDERS):
        says = f"The specified capacity provider '{name}' was not found. Specify a valid name and try again."
        yield quoted(_STRATEGY, says)
    if len(set(names)) < len(names):
        yield Violation(_STRATEGY, "each capacity provider must be unique")
    if not all(0 <= item.get("weight", 0) <= _MAX_WEIGHT for item in strategy):
        yield Violation(f"{_STRATEGY}.weight", f"must be from 0 to {_MAX_WEIGHT}")
    elif len(strategy) > 1 and not any(item.get("weight", 0) for item in strategy):
        yield Violation(f"{_STRATEGY}.weight", "at least one must be greater than 0")
    bases = [item["base"] for item in strategy if item.get("base", 0)]
    if len(bases) > 1 or not all(0 < base <= _MAX_BASE for base in bases):
        yield Violation(f"{_STRATEGY}.base", f"one provider may have a base, from 0 to {_MAX_BASE}")
