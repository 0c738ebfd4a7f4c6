"""What AWS checks in a RunTask request and no service model says. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

OVERRIDES_LIMIT: Final = 8192
MAX_COUNT: Final = 10
MAX_SUBNETS: Final = 16
MAX_SECURITY_GROUPS: Final = 5
MAX_TAGS: Final = 50
_STARTED_BY: Final = re.compile(r"[A-Za-z0-9_/-]*")
_STARTED_BY_LENGTH: Final = 128
_CLIENT_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,64}")
_TAG_KEY_LENGTH: Final = 128
_TAG_VALUE_LENGTH: Final = 256
_TAG_TEXT: Final = re.compile(r"[\w\s.:/=+\-@]*")


def run_task_violations(request: dict[str, Any], definition: dict[str, Any]) -> list[str]:
    """Why RunTask would refuse this request for this ACTIVE definition; empty when it would not.

    `request` is taken to satisfy botocore's parameter validation.
    """
    return [
        *_counts(request),
        *_placement(request, definition),
        *_network(request),
        *_overrides(request.get("overrides", {}), definition),
        *tag_violations(request.get("tags", ())),
    ]


def tag_violations(tags: Sequence[dict[str, str]]) -> Iterator[str]:
    """The rules for tags of any ECS resource."""
    if len(tags) > MAX_TAGS:
        yield f"A resource has at most {MAX_TAGS} tags."
    keys = [tag.get("key", "") for tag in tags]
    if len(set(keys)) != len(keys):
        yield "Tag keys must be unique."
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not 1 <= len(key) <= _TAG_KEY_LENGTH or not _TAG_TEXT.fullmatch(key) or key.lower().startswith("aws:"):
            yield f"Invalid tag key '{key}'."
        if len(value) > _TAG_VALUE_LENGTH or not _TAG_TEXT.fullmatch(value):
            yield f"Invalid value of tag '{key}'."


def _counts(request: dict[str, Any]) -> Iterator[str]:
    if not 1 <= request.get("count", 1) <= MAX_COUNT:
        yield f"count must be between 1 and {MAX_COUNT}."
    started_by = request.get("startedBy", "")
    if len(started_by) > _STARTED_BY_LENGTH:
        yield f"startedBy longer than {_STARTED_BY_LENGTH}."
    if not _STARTED_BY.fullmatch(started_by):
        yield "startedBy contains invalid characters: letters, digits, hyphens, slashes and underscores."
    if "clientToken" in request and not _CLIENT_TOKEN.fullmatch(request["clientToken"]):
        yield "clientToken must be 1 to 64 characters in the range of 33 to 126."


def _placement(request: dict[str, Any], definition: dict[str, Any]) -> Iterator[str]:
    strategy = request.get("capacityProviderStrategy", ())
    launch_type = request.get("launchType")
    if strategy and launch_type:
        yield "A launch type and a capacity provider strategy cannot be specified together."
    if not strategy and launch_type != "FARGATE":
        yield "No Container Instances were found in your cluster."
    unknown = [item["capacityProvider"] for item in strategy if item["capacityProvider"] not in _PROVIDERS]
    if unknown:
        yield f"The specified capacity provider '{unknown[0]}' was not found. Specify a valid name and try again."
    if "FARGATE" not in definition.get("requiresCompatibilities", ()):
        yield "Task definition does not support launch_type FARGATE."
    for container in definition["containerDefinitions"]:
        if any(dependency["condition"] == "HEALTHY" for dependency in container.get("dependsOn", ())):
            yield "The local Fargate runs no health checks: dependsOn with condition HEALTHY is not supported here."


_PROVIDERS: Final = frozenset({"FARGATE", "FARGATE_SPOT"})


def _network(request: dict[str, Any]) -> Iterator[str]:
    configuration = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not configuration:
        yield "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        return
    if not 1 <= len(configuration["subnets"]) <= MAX_SUBNETS:
        yield f"subnets must be between 1 and {MAX_SUBNETS}."
    if len(configuration.get("securityGroups", ())) > MAX_SECURITY_GROUPS:
        yield f"securityGroups can have at most {MAX_SECURITY_GROUPS} items."


def _overrides(overrides: dict[str, Any], definition: dict[str, Any]) -> Iterator[str]:
    if len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False)) > OVERRIDES_LIMIT:
        yield f"Container Overrides length must be at most {OVERRIDES_LIMIT}"
    known = {container["name"] for container in definition["containerDefinitions"]}
    for override in overrides.get("containerOverrides", ()):
        if override.get("name") not in known:
            yield f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
