"""What ECS checks in the containers of a task definition: each by itself, and with the task around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from core.launch.limits import is_ecr_image
from core.launch.sizing import MAX_STOP_TIMEOUT, MIN_STOP_TIMEOUT
from local.fargate.rules.dependencies import circular, dependency_violations
from local.fargate.rules.logs import log_violations
from local.fargate.rules.naming import LONG_NAME, MAX_NAME, has_foreign_characters
from local.fargate.rules.size import cpu_units, memory_mib
from local.fargate.rules.violation import Violation, quoted

_IMAGE: Final = re.compile(r"[A-Za-z0-9_.:/#-]{1,255}(@sha256:[0-9A-Fa-f]{64})?")
_NOT_ON_FARGATE: Final = ("privileged", "dockerSecurityOptions")
_LINUX_NOT_ON_FARGATE: Final = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_RANGES: Final = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
_FARGATE_ULIMITS: Final = ("nofile",)


def container_violations(definition: Mapping[str, Any], *, fargate: bool) -> Iterator[Violation]:
    containers = definition.get("containerDefinitions", ())
    seen = set()
    for container in containers:
        name = container.get("name", "")
        at = f"containerDefinitions[{name}]"
        if name in seen:
            yield Violation(f"{at}.name", "is used more than once")
        seen.add(name)
        checks: list[Iterable[Violation]] = [
            _itself(container),
            _variables(container),
            _mounts(container, definition),
            dependency_violations(container, containers),
            _health_check(container.get("healthCheck", {})),
            _role(container, definition, fargate=fargate),
            log_violations(container, definition, fargate=fargate),
        ]
        if definition.get("networkMode") == "awsvpc":
            checks.append(_in_awsvpc(container))
        if fargate:
            checks.append(_on_fargate(container))
        yield from (found.within(at) for check in checks for found in check)
    if circular(containers):
        yield Violation("containerDefinitions", "the dependencies of the containers are circular")
    yield from _sums(definition)


def _itself(container: Mapping[str, Any]) -> Iterator[Violation]:
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        yield quoted("name", "Container.name should not be null or empty.")
    if has_foreign_characters(name):
        yield quoted("name", "Container.name contains invalid characters.")
    if len(name) > MAX_NAME:
        yield Violation("name", LONG_NAME)
    if not image:
        yield quoted("image", "Container.image should not be null or empty.")
    elif not _IMAGE.fullmatch(image):
        yield Violation("image", "must be [registry/]name[:tag] of at most 255 characters, or [registry/]name@sha256:…")
    reserved, hard = container.get("memoryReservation"), container.get("memory")
    if reserved and hard and reserved > hard:
        yield Violation("memoryReservation", "must not be greater than memory")
    for ulimit in container.get("ulimits", ()):
        if ulimit["softLimit"] > ulimit["hardLimit"]:
            yield Violation("ulimits", f"the soft limit of {ulimit['name']} must not be greater than its hard limit")


def _variables(container: Mapping[str, Any]) -> Iterator[Violation]:
    plain = [each.get("name", "") for each in container.get("environment", ())]
    secret = [each["name"] for each in container.get("secrets", ())]
    if not all(plain):
        yield Violation("environment", "every variable needs a name")
    for name in sorted({each for each in secret if each in plain or secret.count(each) > 1}):
        yield quoted(
            "secrets",
            "The secret name must be unique and not shared with any new or existing environment variables set on the "
            f"container, such as '{name}'.",
        )


def _mounts(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[Violation]:
    volumes = {volume.get("name") for volume in definition.get("volumes", ())}
    paths = [mount.get("containerPath", "") for mount in container.get("mountPoints", ())]
    for mount in container.get("mountPoints", ()):
        if mount.get("sourceVolume") not in volumes:
            yield quoted("mountPoints", f"Unknown volume '{mount.get('sourceVolume')}'.")
    if not all(path.startswith("/") for path in paths):
        yield Violation("mountPoints", "containerPath must be an absolute path")
    for path in sorted({each for each in paths if paths.count(each) > 1}):
        yield Violation("mountPoints", f"{path} is mounted more than once")


def _health_check(check: Mapping[str, Any]) -> Iterator[Violation]:
    if check and (check.get("command") or ("",))[0] not in {"CMD", "CMD-SHELL"}:
        yield Violation("healthCheck.command", "must begin with CMD or CMD-SHELL")
    for member, (least, most) in _RANGES.items():
        if member in check and not least <= check[member] <= most:
            yield Violation(f"healthCheck.{member}", f"must be from {least} to {most}")


def _role(container: Mapping[str, Any], definition: Mapping[str, Any], *, fargate: bool) -> Iterator[Violation]:
    """What only the execution role can do; for log drivers see `local.fargate.rules.logs`."""
    if definition.get("executionRoleArn"):
        return
    if container.get("secrets"):
        says = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        yield quoted("secrets", says)
    if container.get("repositoryCredentials"):
        says = (
            "Private repository authentication requires that the task definition specify a value for executionRoleArn."
        )
        yield quoted("repositoryCredentials", says)
    if fargate and is_ecr_image(container.get("image", "")):
        yield quoted("image", "Fargate requires task definition to have execution role ARN to support ECR images.")


def _in_awsvpc(container: Mapping[str, Any]) -> Iterator[Violation]:
    for mapping in container.get("portMappings", ()):
        if mapping.get("hostPort", mapping.get("containerPort")) != mapping.get("containerPort"):
            says = "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            yield quoted("portMappings", says)
    if container.get("links"):
        yield quoted("links", "Links are not supported when networkMode=awsvpc.")
    if container.get("hostname"):
        yield quoted("hostname", "hostname is not supported on container when networkMode=awsvpc.")
    if container.get("extraHosts"):
        yield Violation("extraHosts", "not supported in network mode awsvpc")


def _on_fargate(container: Mapping[str, Any]) -> Iterator[Violation]:
    for member in _NOT_ON_FARGATE:
        if container.get(member):
            yield Violation(member, "not supported on Fargate")
    for member in _LINUX_NOT_ON_FARGATE:
        if container.get("linuxParameters", {}).get(member) is not None:
            yield Violation(f"linuxParameters.{member}", "not supported on Fargate")
    for member in ("startTimeout", "stopTimeout"):
        if member in container and not MIN_STOP_TIMEOUT <= container[member] <= MAX_STOP_TIMEOUT:
            yield Violation(member, f"must be from {MIN_STOP_TIMEOUT} to {MAX_STOP_TIMEOUT} seconds on Fargate")
    for ulimit in container.get("ulimits", ()):
        if ulimit["name"] not in _FARGATE_ULIMITS:
            yield Violation("ulimits", f"{ulimit['name']} is not supported on Fargate, which sets nofile only")


def _sums(definition: Mapping[str, Any]) -> Iterator[Violation]:
    """Containers share what the task has; a reservation counts before a limit."""
    containers = definition.get("containerDefinitions", ())
    cpu, memory = cpu_units(definition.get("cpu", "")), memory_mib(definition.get("memory", ""))
    if cpu is not None and sum(each.get("cpu", 0) for each in containers) > cpu:
        says = "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
        yield quoted("containerDefinitions", says)
    if memory is None:
        return
    large = [each.get("name", "") for each in containers if each.get("memory", 0) > memory]
    for name in large:
        says = f"The 'memory' setting for container '{name}' is greater than for the task."
        yield quoted(f"containerDefinitions[{name}].memory", says)
    reserved = sum(each.get("memoryReservation", each.get("memory", 0)) for each in containers)
    if not large and reserved > memory:
        yield Violation("containerDefinitions", f"their memory adds up to {reserved} MiB, and the task has {memory}")
