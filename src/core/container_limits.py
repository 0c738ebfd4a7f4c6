"""What ECS checks in the containers of a task definition: each by itself, with the task, and with one another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_IMAGE: Final = re.compile(r"[A-Za-z0-9_.:/#-]{1,255}(@sha256:[0-9A-Fa-f]{64})?")
_ECR_IMAGE: Final = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-].+")
_CONDITIONS: Final = frozenset({"START", "COMPLETE", "SUCCESS", "HEALTHY"})
_AFTER_EXIT: Final = frozenset({"COMPLETE", "SUCCESS"})
_FARGATE_LOG_DRIVERS: Final = frozenset({"awslogs", "splunk", "awsfirelens"})
_AWSLOGS_OPTIONS: Final = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
_NOT_ON_FARGATE: Final = ("privileged", "dockerSecurityOptions", "links", "hostname", "extraHosts")
"""The last three are not supported in network mode awsvpc, the only one of Fargate."""
_LINUX_NOT_ON_FARGATE: Final = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_RANGES: Final = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
_TIMEOUTS: Final = (2, 120)


def is_ecr_image(image: str) -> bool:
    """True for an image in a private ECR repository, which Fargate pulls with the execution role only."""
    return _ECR_IMAGE.fullmatch(image) is not None


def container_violations(definition: Mapping[str, Any], *, fargate: bool) -> Iterator[str]:
    """What AWS would object to in the containers of this definition."""
    containers = definition.get("containerDefinitions", ())
    seen = set()
    for container in containers:
        name = container.get("name", "")
        at = f"containerDefinitions[{name}]"
        if name in seen:
            yield f"{at}.name: is used more than once"
        seen.add(name)
        checks: list[Iterable[str]] = [
            _itself(container),
            _variables(container),
            _mounts(container, definition),
            _dependencies(container, containers),
            _health_check(container.get("healthCheck", {})),
        ]
        if fargate:
            checks += [_on_fargate(container), _roles(container, definition), _logs(container)]
        yield from (f"{at}.{found}" for check in checks for found in check)
    if _circular(containers):
        yield "containerDefinitions: the dependencies of the containers are circular"
    yield from _sums(definition)


def _itself(container: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(container.get("name", "")):
        yield "name: must have 1 to 255 letters, digits, hyphens and underscores"
    if not _IMAGE.fullmatch(container.get("image", "")):
        yield "image: must be [registry/]name[:tag] of at most 255 characters, or [registry/]name@sha256:…"
    reserved, hard = container.get("memoryReservation"), container.get("memory")
    if reserved and hard and reserved > hard:
        yield "memoryReservation: must not be greater than memory"
    for mapping in container.get("portMappings", ()):
        if mapping.get("hostPort", mapping.get("containerPort")) not in (0, mapping.get("containerPort")):
            yield "portMappings: in network mode awsvpc the host port is the container port"


def _variables(container: Mapping[str, Any]) -> Iterator[str]:
    plain = [each.get("name", "") for each in container.get("environment", ())]
    secret = [each["name"] for each in container.get("secrets", ())]
    if not all(plain):
        yield "environment: every variable needs a name"
    for name in sorted({each for each in secret if each in plain or secret.count(each) > 1}):
        yield f"secrets: the secret name {name} must be unique and not that of an environment variable"


def _mounts(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    volumes = {volume.get("name") for volume in definition.get("volumes", ())}
    paths = [mount.get("containerPath") for mount in container.get("mountPoints", ())]
    for mount in container.get("mountPoints", ()):
        if mount.get("sourceVolume") not in volumes:
            yield f"mountPoints: unknown volume {mount.get('sourceVolume')!r}"
        if not mount.get("containerPath"):
            yield "mountPoints: containerPath must not be empty"
    for path in sorted({each for each in paths if each and paths.count(each) > 1}):
        yield f"mountPoints: {path} is mounted more than once"


def _dependencies(container: Mapping[str, Any], containers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    known = {each.get("name"): each for each in containers}
    for dependency in container.get("dependsOn", ()):
        name, condition = dependency["containerName"], dependency["condition"]
        other = known.get(name)
        if condition not in _CONDITIONS:
            yield f"dependsOn: {condition!r} is no condition; allowed are {', '.join(sorted(_CONDITIONS))}"
        if other is None:
            yield f"dependsOn: unknown container {name!r}"
        elif condition in _AFTER_EXIT and other.get("essential", True):
            yield f"dependsOn: {condition} waits for an exit, and {name} is essential: its exit ends the task"
        elif condition == "HEALTHY" and not other.get("healthCheck"):
            yield f"dependsOn: HEALTHY needs a health check in {name}"


def _circular(containers: Iterable[Mapping[str, Any]]) -> bool:
    """True when no order of starting the containers satisfies all dependencies."""
    waiting = {each.get("name"): {d["containerName"] for d in each.get("dependsOn", ())} for each in containers}
    while startable := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in startable:
            del waiting[name]
    return bool(waiting)


def _health_check(check: Mapping[str, Any]) -> Iterator[str]:
    if check and (check.get("command") or ("",))[0] not in {"CMD", "CMD-SHELL"}:
        yield "healthCheck.command: must begin with CMD or CMD-SHELL"
    for member, (least, most) in _RANGES.items():
        if member in check and not least <= check[member] <= most:
            yield f"healthCheck.{member}: must be from {least} to {most}"


def _on_fargate(container: Mapping[str, Any]) -> Iterator[str]:
    for member in _NOT_ON_FARGATE:
        if container.get(member):
            yield f"{member}: not supported on Fargate"
    for member in _LINUX_NOT_ON_FARGATE:
        if container.get("linuxParameters", {}).get(member) is not None:
            yield f"linuxParameters.{member}: not supported on Fargate"
    least, most = _TIMEOUTS
    for member in ("startTimeout", "stopTimeout"):
        if member in container and not least <= container[member] <= most:
            yield f"{member}: must be from {least} to {most} seconds on Fargate"


def _roles(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    """What only the execution role can do. Worded as ECS words it."""
    if definition.get("executionRoleArn"):
        return
    needs = "Fargate requires task definition to have execution role ARN to support"
    if container.get("secrets"):
        yield f"secrets: {needs} secrets."
    if is_ecr_image(container.get("image", "")):
        yield f"image: {needs} ECR images."
    if container.get("logConfiguration", {}).get("logDriver") == "awslogs":
        yield f"logConfiguration: {needs} log driver awslogs."


def _logs(container: Mapping[str, Any]) -> Iterator[str]:
    logs = container.get("logConfiguration")
    if not logs:
        return
    driver, options = logs["logDriver"], logs.get("options", {})
    if driver not in _FARGATE_LOG_DRIVERS:
        yield f"logConfiguration.logDriver: {driver!r} is not supported on Fargate"
    if driver == "awslogs":
        for option in _AWSLOGS_OPTIONS:
            if not options.get(option):
                yield f"logConfiguration.options: {option} is required on Fargate"


def _sums(definition: Mapping[str, Any]) -> Iterator[str]:
    """Containers share what the task has. Sizes with a unit, such as `1 vCPU`, are left to ECS."""
    containers = definition.get("containerDefinitions", ())
    claims = {
        "cpu": [each.get("cpu", 0) for each in containers],
        "memory": [each.get("memoryReservation", each.get("memory", 0)) for each in containers],
    }
    for member, claimed in claims.items():
        total = str(definition.get(member, ""))
        if total.isdecimal() and sum(claimed) > int(total):
            yield f"containerDefinitions: their {member} adds up to {sum(claimed)}, and the task has {total}"
