"""What ECS checks in the containers of a task definition: each by itself, with the others, with the task around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from core.launch.ecs_rules import CAPABILITIES, MAX_STOP_TIMEOUT, MIN_STOP_TIMEOUT, is_ecr_image
from local.fargate.rules.violation import LONG_NAME, MAX_NAME, Violation, has_foreign_characters, quoted

_IMAGE: Final = re.compile(r"[A-Za-z0-9_.:/#-]{1,255}(@sha256:[0-9A-Fa-f]{64})?")
_SECRET: Final = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?")
_PARAMETER: Final = re.compile(r"(arn:[^:]+:ssm:[^:]+:[0-9]{12}:parameter/)?[a-zA-Z0-9_./-]{1,2048}")
_CONDITIONS: Final = ("COMPLETE", "START", "SUCCESS")
_AFTER_EXIT: Final = frozenset({"COMPLETE", "SUCCESS"})
_FARGATE_DRIVERS: Final = frozenset({"awslogs", "splunk", "awsfirelens"})
_REQUIRED: Final = ("awslogs-region", "awslogs-group")
_PREFIX: Final = "awslogs-stream-prefix"


def container_violations(definition: Mapping[str, Any]) -> Iterator[Violation]:
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
            _dependencies(container, containers),
            _role(container, definition),
            _on_fargate(container),
            _logs(container, definition),
        ]
        yield from (found.within(at) for check in checks for found in check)
    if _circular(containers):
        yield Violation("containerDefinitions", "the dependencies of the containers are circular")


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
    for ulimit in container.get("ulimits", ()):
        if ulimit["softLimit"] > ulimit["hardLimit"]:
            yield Violation("ulimits", f"the soft limit of {ulimit['name']} must not be greater than its hard limit")


def _variables(container: Mapping[str, Any]) -> Iterator[Violation]:
    for secret in container.get("secrets", ()):
        if not (_SECRET.fullmatch(secret["valueFrom"]) or _PARAMETER.fullmatch(secret["valueFrom"])):
            says = f"The Systems Manager parameter name specified for secret {secret['name']} is invalid."
            yield quoted("secrets", says)
    plain = [each.get("name", "") for each in container.get("environment", ())]
    kept = [each["name"] for each in container.get("secrets", ())]
    if not all(plain):
        yield Violation("environment", "every variable needs a name")
    for name in sorted({each for each in kept if each in plain or kept.count(each) > 1}):
        says = (
            "The secret name must be unique and not shared with any new or existing environment variables set on the "
        )
        yield quoted("secrets", f"{says}container, such as '{name}'.")


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


def _role(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[Violation]:
    """What only the execution role can do; for log drivers see `_logs`."""
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
    if is_ecr_image(container.get("image", "")):
        yield quoted("image", "Fargate requires task definition to have execution role ARN to support ECR images.")


def _on_fargate(container: Mapping[str, Any]) -> Iterator[Violation]:
    timeout = container.get("stopTimeout", MIN_STOP_TIMEOUT)
    if not MIN_STOP_TIMEOUT <= timeout <= MAX_STOP_TIMEOUT:
        yield Violation("stopTimeout", f"must be from {MIN_STOP_TIMEOUT} to {MAX_STOP_TIMEOUT} seconds on Fargate")
    for ulimit in container.get("ulimits", ()):
        if ulimit["name"] != "nofile":
            yield Violation("ulimits", f"{ulimit['name']} is not supported on Fargate, which sets nofile only")
    for capability in container.get("linuxParameters", {}).get("capabilities", {}).get("add", ()):
        if capability not in CAPABILITIES:
            # The sentence of the API Reference; ECS's own was never published.
            says = f"{capability}: Tasks launched on Fargate only support adding the SYS_PTRACE kernel capability."
            yield Violation("linuxParameters.capabilities.add", says)


def _dependencies(container: Mapping[str, Any], containers: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    known = {each.get("name"): each for each in containers}
    for dependency in container.get("dependsOn", ()):
        name, condition = dependency["containerName"], dependency["condition"]
        other = known.get(name)
        if condition not in _CONDITIONS:
            yield Violation(
                "dependsOn",
                f"{condition!r} is no condition here (no health checks are run); allowed are {', '.join(_CONDITIONS)}",
            )
        if other is None:
            # The stray plus sign is ECS's own.
            yield quoted("dependsOn", f"Cannot depend on container + '{name}' because it does not exist")
        elif condition in _AFTER_EXIT and other.get("essential", True):
            says = "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
            yield quoted("dependsOn", says)


def _circular(containers: Iterable[Mapping[str, Any]]) -> bool:
    """True when no order of starting the containers satisfies all dependencies."""
    waiting = {each.get("name"): {d["containerName"] for d in each.get("dependsOn", ())} for each in containers}
    while startable := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in startable:
            del waiting[name]
    return bool(waiting)


def _logs(container: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[Violation]:
    logs = container.get("logConfiguration", {})
    driver, options = logs.get("logDriver"), logs.get("options", {})
    if driver not in {None, *_FARGATE_DRIVERS}:
        yield Violation("logConfiguration.logDriver", f"{driver!r} is not supported on Fargate")
    if driver != "awslogs":
        return
    if missing := [option for option in _REQUIRED if not options.get(option)]:
        yield quoted("logConfiguration.options", f"Log driver awslogs requires options: {', '.join(missing)}")
    if not options.get(_PREFIX):
        says = f"Fargate requires log configuration options to include {_PREFIX} to support log driver awslogs."
        yield quoted("logConfiguration.options", says)
    if not definition.get("executionRoleArn"):
        says = "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        yield quoted("logConfiguration", says)
