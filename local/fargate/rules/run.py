"""What ECS checks in RunTask, and between it and the task definition it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.launch.ecs_rules import MAX_OVERRIDES_LENGTH, MAX_SECURITY_GROUPS
from local.fargate.rules.capacity import capacity_violations
from local.fargate.rules.definition import ephemeral_violations
from local.fargate.rules.violation import Violation, quoted, tag_violations

_STARTED_BY: Final = re.compile(r"[A-Za-z0-9_/-]*")
_CLIENT_TOKEN: Final = re.compile(r"[!-~]{1,64}")
_MAX_STARTED_BY, _MAX_COUNT, _MAX_SUBNETS = 128, 10, 16


def override_violations(run: Mapping[str, Any], definition: Mapping[str, Any] | None = None) -> tuple[Violation, ...]:
    """The rules that these parameters of RunTask break, by themselves and with the definition that they name."""
    found = [*_itself(run), *_overrides(run.get("overrides", {})), *tag_violations(run.get("tags", ()))]
    found += capacity_violations(run)
    if definition is not None:
        found += _disagreements(run, definition)
    return tuple(found)


def overrides_length(overrides: Mapping[str, Any]) -> int:
    """The characters of RunTask's overrides as compact JSON: the least that ECS can count."""
    return len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False))


def _itself(run: Mapping[str, Any]) -> Iterator[Violation]:
    started_by = run.get("startedBy", "")
    if not 1 <= run.get("count", 1) <= _MAX_COUNT:
        yield Violation("count", f"must be from 1 to {_MAX_COUNT}")
    if len(started_by) > _MAX_STARTED_BY:
        yield quoted("startedBy", f"startedBy longer than {_MAX_STARTED_BY}.")
    if not _STARTED_BY.fullmatch(started_by):
        yield Violation("startedBy", "must have letters, digits, hyphens, slashes and underscores, and nothing else")
    if "clientToken" in run and not _CLIENT_TOKEN.fullmatch(run["clientToken"]):
        yield Violation("clientToken", "must have 1 to 64 characters from the range 33 to 126")
    network = run.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is None:
        says = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        yield quoted("networkConfiguration", says)
    else:
        yield from (found.within("networkConfiguration.awsvpcConfiguration") for found in _network(network))


def _network(network: Mapping[str, Any]) -> Iterator[Violation]:
    subnets = network.get("subnets", ())
    if not subnets:
        yield quoted("subnets", "subnets can not be empty.")
    if len(subnets) > _MAX_SUBNETS:
        yield Violation("subnets", f"must be at most {_MAX_SUBNETS}")
    if len(network.get("securityGroups", ())) > MAX_SECURITY_GROUPS:
        yield Violation("securityGroups", f"must be at most {MAX_SECURITY_GROUPS}")
    if network.get("assignPublicIp", "DISABLED") not in {"ENABLED", "DISABLED"}:
        yield Violation("assignPublicIp", "must be ENABLED or DISABLED")


def _overrides(overrides: Mapping[str, Any]) -> Iterator[Violation]:
    if overrides_length(overrides) > MAX_OVERRIDES_LENGTH:
        yield quoted("overrides", f"Container Overrides length must be at most {MAX_OVERRIDES_LENGTH}")
    yield from (found.within("overrides") for found in ephemeral_violations(overrides))
    if not all(override.get("name") for override in overrides.get("containerOverrides", ())):
        yield Violation("overrides.containerOverrides", "an override needs the name of its container")


def _disagreements(run: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[Violation]:
    containers = {each.get("name"): each for each in definition.get("containerDefinitions", ())}
    for override in run.get("overrides", {}).get("containerOverrides", ()):
        name = override.get("name")
        if name not in containers:
            says = f"Override for container named {name} is not a container in the TaskDefinition."
            yield quoted("overrides.containerOverrides", says)
            continue
        secrets = {secret["name"] for secret in containers[name].get("secrets", ())}
        for variable in sorted(secrets & {each.get("name") for each in override.get("environment", ())}):
            member = f"overrides.containerOverrides[{name}].environment"
            yield Violation(member, f"{variable} is a secret of the container")
