"""On which capacity a launch runs: what the request or the stack names, and what RunTask is sent for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.launch.settings import Settings, invalid
from core.model.capacity import Capacity, Provider

if TYPE_CHECKING:
    from core.launch.request import StartRequest


def choose_capacity(request: StartRequest, settings: Settings) -> Capacity:
    """The request's, else the stack's. Raises `Refused` for `spot-first` where no second launch is made."""
    capacity = request.capacity or settings.capacity
    if capacity is Capacity.SPOT_FIRST and settings.launch_attempts == 1:
        raise invalid(
            "The request cannot be carried out: capacity: spot-first goes on with On-Demand in another launch, and "
            "this stack makes one launch a start. Nothing was written or started.",
            "Send on-demand or spot, or set LAUNCH_ATTEMPTS (stack parameter LaunchAttempts) to 2 or more.",
        )
    return capacity


def placement(provider: Provider | None) -> dict[str, Any]:
    """RunTask's launch type, or a strategy of one provider: ECS refuses both together (API Reference, RunTask)."""
    if provider is None:
        return {"launchType": "FARGATE"}
    return {"capacityProviderStrategy": [{"capacityProvider": provider.value, "weight": 1}]}
