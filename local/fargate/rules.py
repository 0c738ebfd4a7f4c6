"""What AWS checks in a Fargate task definition and no service model says. Pure.

Sources: the RegisterTaskDefinition reference, the developer guide's Fargate pages, and reported error texts where
they are public; the other sentences are ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

MAX_CONTAINERS: Final = 10
MAX_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FILE_SYSTEM: Final = re.compile(r"fs-[0-9a-f]{8,40}|arn:aws[a-z-]*:elasticfilesystem:.+")
_AMOUNT: Final = re.compile(r"(\d*\.?\d+)\s*(vcpu|gb)?", re.IGNORECASE)
_STOP_SECONDS: Final = range(2, 121)
_EPHEMERAL_GIB: Final = range(21, 201)


def _steps(first: int, last: int, step: int) -> frozenset[int]:
    return frozenset(range(first, last + 1, step))


FARGATE_SIZES: Final[dict[int, frozenset[int]]] = {
    256: frozenset({512, 1024, 2048}),
    512: _steps(1024, 4096, 1024),
    1024: _steps(2048, 8192, 1024),
    2048: _steps(4096, 16384, 1024),
    4096: _steps(8192, 30720, 1024),
    8192: _steps(16384, 61440, 4096),
    16384: _steps(32768, 122880, 8192),
}
"""CPU units to the memory in MiB that goes with them."""


def violations(definition: dict[str, Any]) -> list[str]:
    """Why RegisterTaskDefinition would refuse this request; empty when it would not.

    `definition` has the request's members. It is taken to satisfy botocore's parameter validation.
    """
    return [
        *_family(definition),
        *_task(definition),
        *_size(definition),
        *_volumes(definition),
        *_containers(definition),
        *_dependencies(definition),
    ]


def cpu_units(text: str) -> int | None:
    """`256`, `.25 vCPU`, `1 vcpu` as CPU units; None for anything else."""
    return _amount(text, "vcpu")


def memory_mib(text: str) -> int | None:
    """`512`, `0.5GB`, `1 GB` as MiB; None for anything else."""
    return _amount(text, "gb")


def _amount(text: str, unit: str) -> int | None:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or (match[2] or unit).lower() != unit:
        return None
    value = float(match[1]) * (1024 if match[2] else 1)
    return int(value) if value.is_integer() else None


def _family(definition: dict[str, Any]) -> Iterator[str]:
    if not _NAME.fullmatch(definition.get("family", "")):
        yield "Family contains invalid characters or is longer than 255: letters, digits, hyphens and underscores."
    if len(json.dumps(definition, separators=(",", ":")).encode()) > MAX_BYTES:
        yield f"Actual length of the task definition exceeds the maximum allowed length of {MAX_BYTES} bytes."


def _task(definition: dict[str, Any]) -> Iterator[str]:
    mode = definition.get("networkMode")
    if mode != "awsvpc":
        yield "Fargate only supports network mode 'awsvpc'."
    ephemeral = definition.get("ephemeralStorage")
    if ephemeral and ephemeral["sizeInGiB"] not in _EPHEMERAL_GIB:
        yield "Ephemeral storage must be between 21 and 200 GiB."
    if definition.get("executionRoleArn"):
        return
    for container in definition.get("containerDefinitions", ()):
        if container.get("secrets"):
            yield "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        driver = container.get("logConfiguration", {}).get("logDriver")
        if driver == "awslogs":
            yield "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        if ".dkr.ecr." in container.get("image", ""):
            yield "Fargate requires task definition to have execution role ARN to support ECR images."


def _size(definition: dict[str, Any]) -> Iterator[str]:
    cpu, memory = definition.get("cpu"), definition.get("memory")
    if not cpu:
        yield "Fargate requires that 'cpu' be defined at the task level."
    if not memory:
        yield "Fargate requires that 'memory' be defined at the task level."
    if not cpu or not memory:
        return
    units, mib = cpu_units(cpu), memory_mib(memory)
    if units not in FARGATE_SIZES:
        yield "Invalid 'cpu' setting for task."
        return
    if mib not in FARGATE_SIZES[units]:
        yield f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        return
    containers = definition.get("containerDefinitions", ())
    if sum(container.get("cpu", 0) for container in containers) > units:
        yield "The 'cpu' of the containers together exceeds that of the task."
    if any(container.get("memory", 0) > mib for container in containers):
        yield "The 'memory' of a container exceeds that of the task."


def _volumes(definition: dict[str, Any]) -> Iterator[str]:
    names = [volume.get("name", "") for volume in definition.get("volumes", ())]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Duplicate volume name '{name}'."
    for volume in definition.get("volumes", ()):
        name = volume.get("name", "")
        if not _NAME.fullmatch(name):
            yield f"Volume name '{name}' contains invalid characters."
        if volume.get("host", {}).get("sourcePath"):
            yield "host.sourcePath should not be set for volumes in Fargate."
        if "dockerVolumeConfiguration" in volume:
            yield "dockerVolumeConfiguration is not supported for volumes in Fargate."
        if "efsVolumeConfiguration" in volume:
            yield from _efs(name, volume["efsVolumeConfiguration"])


def _efs(name: str, efs: dict[str, Any]) -> Iterator[str]:
    authorization = efs.get("authorizationConfig", {})
    access_point = authorization.get("accessPointId")
    if not _FILE_SYSTEM.fullmatch(efs.get("fileSystemId", "")):
        yield f"Invalid EFS file system id in volume '{name}'."
    if access_point and efs.get("rootDirectory", "/") != "/":
        yield f"EFS rootDirectory of volume '{name}' must be omitted or '/' when an access point is specified."
    encrypted = efs.get("transitEncryption") == "ENABLED"
    if not encrypted and (access_point or authorization.get("iam") == "ENABLED"):
        yield f"EFS transit encryption of volume '{name}' must be enabled to use an access point or IAM authorization."
    if not encrypted and "transitEncryptionPort" in efs:
        yield f"EFS transitEncryptionPort of volume '{name}' needs transit encryption."


def _containers(definition: dict[str, Any]) -> Iterator[str]:
    containers = definition.get("containerDefinitions", ())
    if not containers:
        yield "Container list cannot be empty."
        return
    if len(containers) > MAX_CONTAINERS:
        yield f"A task definition has at most {MAX_CONTAINERS} containers."
    names = [container.get("name", "") for container in containers]
    if len(set(names)) != len(names):
        yield "Container.name must be unique within a task definition."
    if not any(container.get("essential", True) for container in containers):
        yield "A task definition needs at least one essential container."
    volumes = {volume.get("name") for volume in definition.get("volumes", ())}
    for container in containers:
        yield from _container(container, volumes)


def _container(container: dict[str, Any], volumes: set[str | None]) -> Iterator[str]:
    name = container.get("name", "")
    if not _NAME.fullmatch(name):
        yield "Container.name should not be null or empty, and holds letters, digits, hyphens and underscores."
    if not container.get("image"):
        yield "Container.image should not be null or empty."
    for mapping in container.get("portMappings", ()):
        if mapping.get("hostPort", mapping.get("containerPort")) != mapping.get("containerPort"):
            yield "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
    for timeout in ("startTimeout", "stopTimeout"):
        if timeout in container and container[timeout] not in _STOP_SECONDS:
            yield f"{timeout} of container '{name}' must be between 2 and 120 seconds."
    variables = {pair.get("name") for pair in container.get("environment", ())}
    for secret in container.get("secrets", ()):
        if secret["name"] in variables:
            yield (
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{secret['name']}'."
            )
    yield from _mount_points(container, volumes)


def _mount_points(container: dict[str, Any], volumes: set[str | None]) -> Iterator[str]:
    points = container.get("mountPoints", ())
    paths = [point.get("containerPath") or "" for point in points]
    if len(set(paths)) != len(paths):
        yield f"Duplicate containerPath in the mount points of container '{container.get('name')}'."
    for point, path in zip(points, paths, strict=True):
        if point.get("sourceVolume") not in volumes:
            yield f"Unknown volume '{point.get('sourceVolume')}'."
        if not path.startswith("/"):
            yield f"A mount point of container '{container.get('name')}' needs an absolute containerPath."


def _dependencies(definition: dict[str, Any]) -> Iterator[str]:
    containers = {container.get("name"): container for container in definition.get("containerDefinitions", ())}
    for name, container in containers.items():
        for dependency in container.get("dependsOn", ()):
            target, condition = dependency["containerName"], dependency["condition"]
            if target not in containers or target == name:
                yield f"Container '{name}' depends on '{target}', which is no other container of the task."
            elif condition in ("COMPLETE", "SUCCESS") and containers[target].get("essential", True):
                yield f"Container '{name}' depends on '{target}' with {condition}, so '{target}' cannot be essential."
            elif condition == "HEALTHY" and "healthCheck" not in containers[target]:
                yield f"Container '{name}' depends on '{target}' with HEALTHY, but '{target}' has no health check."
    if _cyclic(containers):
        yield "The dependsOn conditions of the containers form a cycle."


def _cyclic(containers: dict[Any, dict[str, Any]]) -> bool:
    waiting = {
        name: {dependency["containerName"] for dependency in container.get("dependsOn", ())} & set(containers)
        for name, container in containers.items()
    }
    while free := [name for name, needs in waiting.items() if not needs]:
        for name in free:
            del waiting[name]
        for needs in waiting.values():
            needs.difference_update(free)
    return bool(waiting)
