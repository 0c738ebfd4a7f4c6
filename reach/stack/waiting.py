"""A wait of an operator: for what, and for how long."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.client import ReachClient
from core.model.record import Record

LONGEST: Final = 86400.0
"""Seconds. A start ends by the time-outs of its stack or its request; this is for a stack that does not work."""


class Until(StrEnum):
    """What is awaited."""

    HEALTHY = "healthy"
    ENDED = "ended"


def awaited(client: ReachClient, container_id: str, until: Until, timeout: float | None) -> Record:
    """The record of which it is so, at the latest after `timeout` seconds. None: as long as it may take.

    Raises as `ReachClient.wait_until_healthy` and `wait_until_ended` do.
    """
    if timeout is None:
        timeout = LONGEST if until is Until.HEALTHY else float("inf")
    wait = client.wait_until_healthy if until is Until.HEALTHY else client.wait_until_ended
    return wait(container_id, timeout).record
