"""RunTask once more, from what ECS shows of the task that failed: its definition, overrides and tags.

The request itself is not kept anywhere: it holds the caller's environment, and ECS has it already. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.launch.plan import run_parameters
from core.launch.settings import Settings
from core.model.facts import MAIN
from core.model.families import family_in
from core.model.identity import Ref

_OVERRIDES: Final = ("name", "command", "environment")
"""What `core.launch.plan` puts into the overrides of a container. ECS's answer adds what nobody asked for."""


def relaunch(task: Mapping[str, Any], settings: Settings, ref: Ref, attempt: int) -> dict[str, Any]:
    """RunTask's parameters for the next launch, from one member of DescribeTasks' `tasks` (asked with the tags)."""
    overrides = task.get("overrides", {}).get("containerOverrides", ())
    main = [{name: one[name] for name in _OVERRIDES if name in one} for one in overrides if one.get("name") == MAIN]
    tags = task.get("tags")
    return {
        "cluster": task["clusterArn"],
        "taskDefinition": family_in(task["taskDefinitionArn"]),
        **run_parameters(settings, ref, attempt),
        "overrides": {"containerOverrides": main},
        **({"tags": tags} if tags else {}),
    }
