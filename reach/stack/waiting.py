"""A wait of an operator: for what, and for how long."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.client import ReachClient
from core.model.record import Record

_LAUNCHES: Final = 2
_START, _HEALTH, _SPARE = 300, 60, 40
"""Seconds; with `_LAUNCHES` the stack's defaults."""


class Until(StrEnum):
    """What is awaited."""

    HEALTHY = "healthy"
    ENDED = "ended"


def healthy_seconds(start_timeout: int | None = None, health_timeout: int | None = None) -> float:
    """Longer than a start with these time-outs may take, so that the reason arrives before the end of the wait."""
    return float(_LAUNCHES * (start_timeout or _START) + (health_timeout or _HEALTH) + _SPARE)


def awaited(client: ReachClient, container_id: str, until: Until, timeout: float) -> Record:
    """The record of which it is so. Raises as `ReachClient.wait_until_healthy` and `wait_until_ended` do."""
    wait = client.wait_until_healthy if until is Until.HEALTHY else client.wait_until_ended
    return wait(container_id, timeout).record
