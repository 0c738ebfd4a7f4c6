"""Which Fargate capacity a container runs on: On-Demand, or Spot, which AWS may take back after a notice (ecs.md 5)."""

from collections.abc import Iterable
from enum import StrEnum

from core.model.failure import Cause, Failure


class Capacity(StrEnum):
    """As a start request names it. `spot-first`: Spot, and On-Demand from the first launch on that lacked capacity."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    SPOT_FIRST = "spot-first"


class Provider(StrEnum):
    """ECS's capacity providers of Fargate. A cluster has to be associated with those that a strategy names."""

    FARGATE = "FARGATE"
    FARGATE_SPOT = "FARGATE_SPOT"


def provider_of(capacity: Capacity, failures: Iterable[Failure]) -> Provider | None:
    """The provider of the launch after these failed ones; None for On-Demand by launch type, which needs none.

    A launch has the same provider however often it is asked for: ECS refuses a client token with another one.
    """
    if capacity is Capacity.ON_DEMAND:
        return None
    lacked = any(failure.cause is Cause.CAPACITY for failure in failures)
    return Provider.FARGATE if capacity is Capacity.SPOT_FIRST and lacked else Provider.FARGATE_SPOT


def goes_on_elsewhere(capacity: Capacity, provider: Provider | None, failure: Failure) -> bool:
    """Whether the next launch takes On-Demand instead of Spot. Its quotas are others, so it may always succeed."""
    spot = capacity is Capacity.SPOT_FIRST and provider is Provider.FARGATE_SPOT
    return spot and failure.cause is Cause.CAPACITY
