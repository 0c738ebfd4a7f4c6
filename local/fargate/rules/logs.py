"""What ECS checks in a container's log configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.fargate.rules.violation import Violation, quoted

_FARGATE_DRIVERS: Final = frozenset({"awslogs", "splunk", "awsfirelens"})
_REQUIRED: Final = ("awslogs-region", "awslogs-group")
_PREFIX: Final = "awslogs-stream-prefix"


def log_violations(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[Violation]:
    logs = container.get("logConfiguration", {})
    driver, options = logs.get("logDriver"), logs.get("options", {})
    if driver not in {None, *_FARGATE_DRIVERS}:
        yield Violation("logConfiguration.logDriver", f"{driver!r} is not supported on Fargate")
    if driver != "awslogs":
        return
    if missing := [option for option in _REQUIRED if not options.get(option)]:
        says = f"Log driver awslogs requires options: {', '.join(missing)}"
        yield quoted("logConfiguration.options", says)
    if not options.get(_PREFIX):
        says = f"Fargate requires log configuration options to include {_PREFIX} to support log driver awslogs."
        yield quoted("logConfiguration.options", says)
    if not definition.get("executionRoleArn"):
        says = "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        yield quoted("logConfiguration", says)
