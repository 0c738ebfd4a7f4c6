"""Builds the RunTask that repeats a failed task, from its DescribeTasks document: definition, overrides and tags.

The start request is not saved, because it holds the caller's environment and ECS keeps that anyway. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

from core.launch.plan import run_parameters
from core.launch.settings import Settings
from core.model.facts import MAIN
from core.model.families import family_in
from core.model.identity import Ref

_OVERRIDES: Final = ("name", "command", "environment")
"""The members of a container's overrides that `core.launch.plan` sets. ECS's answer adds others."""


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
