"""What ECS checks in RegisterTaskDefinition and RunTask beyond the shapes that botocore knows.

Emulators accept nearly anything; this says what AWS would object to, so that the laptop cloud can answer as AWS does
and tests can hold every definition the builder makes against it. Shapes are botocore's part: run its validation first.
Sources: botocore's ECS model, the ECS developer guide, ECS's own error texts (facts, sections 5 and 7). Each finding
begins with the member's path and shows no value of an environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.container_limits import NAME, container_violations, is_ecr_image
from core.sizing import FARGATE_MEMORY_MIB
from core.tags import MAX_TAGS, tag_fault

__all__ = [
    "MAX_DEFINITION_BYTES",
    "MAX_OVERRIDES_LENGTH",
    "definition_size",
    "is_ecr_image",
    "override_violations",
    "overrides_length",
    "violations",
]

MAX_OVERRIDES_LENGTH: Final = 8192
MAX_DEFINITION_BYTES: Final = 64 * 1024
MAX_CONTAINERS: Final = 10
_EPHEMERAL_GIB: Final = range(21, 201)
_STARTED_BY: Final = re.compile(r"[A-Za-z0-9_/-]{0,128}")
_CLIENT_TOKEN: Final = re.compile(r"[!-~]{0,64}")
_CPU: Final = re.compile(r"([0-9]+)|([0-9]*\.?[0-9]+)\s*vcpu", re.IGNORECASE)
_MEMORY: Final = re.compile(r"([0-9]+)|([0-9]*\.?[0-9]+)\s*gb", re.IGNORECASE)
_PORTS: Final = range(1, 65536)
_MAX_COUNT, _MAX_SUBNETS, _MAX_SECURITY_GROUPS, _MAX_GROUP = 10, 16, 5, 255


def violations(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """What AWS would object to in these parameters of RegisterTaskDefinition; empty when it would take them."""
    return tuple(_definition_violations(definition))


def override_violations(run: Mapping[str, Any], definition: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """What AWS would object to in these parameters of RunTask; empty when it would take them.

    With the definition that `taskDefinition` names, what the two must have in common is checked too.
    """
    found = [*_run_violations(run)]
    if definition is not None:
        found += _disagreements(run, definition)
    return tuple(found)


def definition_size(definition: Mapping[str, Any]) -> int:
    """The bytes of a definition as compact JSON in UTF-8: the least that ECS can count."""
    return len(_compact(definition).encode())


def overrides_length(overrides: Mapping[str, Any]) -> int:
    """The characters of RunTask's overrides as compact JSON: the least that ECS can count."""
    return len(_compact(overrides))


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _definition_violations(definition: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(definition.get("family", "")):
        yield "family: must have 1 to 255 letters, digits, hyphens and underscores"
    if (size := definition_size(definition)) > MAX_DEFINITION_BYTES:
        yield f"the definition has {size} bytes; at most {MAX_DEFINITION_BYTES} are allowed"
    fargate = "FARGATE" in definition.get("requiresCompatibilities", ())
    if fargate:
        yield from _fargate(definition)
    if ephemeral := definition.get("ephemeralStorage"):
        yield from _ephemeral(ephemeral)
    yield from _volumes(definition.get("volumes", ()), fargate=fargate)
    containers = definition.get("containerDefinitions", ())
    if not 1 <= len(containers) <= MAX_CONTAINERS:
        yield f"containerDefinitions: a definition has 1 to {MAX_CONTAINERS} containers, this one {len(containers)}"
    if containers and not any(each.get("essential", True) for each in containers):
        yield "containerDefinitions: at least one container must be essential"
    yield from container_violations(definition, fargate=fargate)
    yield from _tags(definition.get("tags", ()))


def _fargate(definition: Mapping[str, Any]) -> Iterator[str]:
    if definition.get("networkMode") != "awsvpc":
        yield "networkMode: Fargate only supports network mode 'awsvpc'"
    yield from _size(definition.get("cpu"), definition.get("memory"))
    if definition.get("ipcMode"):
        yield "ipcMode: not supported on Fargate"
    if definition.get("pidMode") not in (None, "task"):
        yield "pidMode: Fargate only supports 'task'"
    if definition.get("placementConstraints"):
        yield "placementConstraints: not supported on Fargate"
    if definition.get("runtimePlatform", {}).get("cpuArchitecture") not in (None, "X86_64", "ARM64"):
        yield "runtimePlatform.cpuArchitecture: must be X86_64 or ARM64"


def _size(cpu: str | None, memory: str | None) -> Iterator[str]:
    if cpu is None:
        yield "cpu: Fargate requires that 'cpu' be defined at the task level"
    if memory is None:
        yield "memory: Fargate requires that 'memory' be defined at the task level"
    if cpu is None or memory is None:
        return
    sizes = FARGATE_MEMORY_MIB.get(_quantity(_CPU, cpu) or 0)
    if sizes is None:
        yield f"cpu: Invalid 'cpu' setting for task; must be one of {', '.join(map(str, FARGATE_MEMORY_MIB))}"
    elif _quantity(_MEMORY, memory) not in sizes:
        yield f"memory: No Fargate configuration exists for given values: {cpu} goes with {_listed(sizes)} MiB"


def _quantity(pattern: re.Pattern[str], text: str) -> int | None:
    """ECS takes `256` and `.25 vCPU`, `512` and `0.5 GB`: both in 1024ths of the unit."""
    found = pattern.fullmatch(text.strip())
    if found is None:
        return None
    plain, in_units = found.groups()
    return int(plain) if plain else round(float(in_units) * 1024)


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes)) if len(sizes) <= len(FARGATE_MEMORY_MIB) else f"{sizes[0]} to {sizes[-1]}"


def _ephemeral(storage: Mapping[str, Any]) -> Iterator[str]:
    if storage.get("sizeInGiB") not in _EPHEMERAL_GIB:
        yield f"ephemeralStorage.sizeInGiB: must be from {_EPHEMERAL_GIB.start} to {_EPHEMERAL_GIB.stop - 1}"


def _volumes(volumes: Sequence[Mapping[str, Any]], *, fargate: bool) -> Iterator[str]:
    seen = set()
    for volume in volumes:
        name = volume.get("name", "")
        at = f"volumes[{name}]"
        if not NAME.fullmatch(name):
            yield f"{at}: a name has 1 to 255 letters, digits, hyphens and underscores"
        if name in seen:
            yield f"{at}: the name is used more than once"
        seen.add(name)
        if fargate and (volume.get("dockerVolumeConfiguration") or volume.get("host", {}).get("sourcePath")):
            yield f"{at}: Fargate supports neither host.sourcePath nor Docker volumes"
        if efs := volume.get("efsVolumeConfiguration"):
            yield from (f"{at}.efsVolumeConfiguration.{each}" for each in _efs(efs))


def _efs(efs: Mapping[str, Any]) -> Iterator[str]:
    authorization = efs.get("authorizationConfig", {})
    access_point = authorization.get("accessPointId")
    encrypted = efs.get("transitEncryption") == "ENABLED"
    root = efs.get("rootDirectory")
    if not re.fullmatch(r"fs-[0-9a-f]{8,40}", efs.get("fileSystemId", "")):
        yield "fileSystemId: must be the id of a file system (fs-…)"
    if access_point and not re.fullmatch(r"fsap-[0-9a-f]{8,40}", access_point):
        yield "authorizationConfig.accessPointId: must be the id of an access point (fsap-…)"
    if access_point and root not in (None, "/"):
        yield "rootDirectory: must be left out or / with an access point, which fixes it"
    if root is not None and not root.startswith("/"):
        yield "rootDirectory: must be an absolute path"
    if not encrypted and (access_point or authorization.get("iam") == "ENABLED"):
        yield "transitEncryption: must be ENABLED with an access point or IAM authorisation"
    port = efs.get("transitEncryptionPort")
    if port is not None and not (encrypted and port in _PORTS):
        yield "transitEncryptionPort: must be a port, and transit encryption ENABLED"


def _tags(tags: Sequence[Mapping[str, str]]) -> Iterator[str]:
    keys = [tag.get("key", "") for tag in tags]
    if len(tags) > MAX_TAGS:
        yield f"tags: at most {MAX_TAGS} are allowed, these are {len(tags)}"
    for position, tag in enumerate(tags):
        if fault := tag_fault(tag.get("key", ""), tag.get("value", "")):
            yield f"tags[{position}]: {fault}"
    if len(set(keys)) < len(keys):
        yield "tags: each key must be unique"


def _run_violations(run: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= run.get("count", 1) <= _MAX_COUNT:
        yield f"count: must be from 1 to {_MAX_COUNT}"
    if not _STARTED_BY.fullmatch(run.get("startedBy", "")):
        yield "startedBy: must have at most 128 letters, digits, hyphens, slashes and underscores"
    if not _CLIENT_TOKEN.fullmatch(run.get("clientToken", "")):
        yield "clientToken: must have at most 64 characters from the range 33 to 126"
    if len(run.get("group", "")) > _MAX_GROUP:
        yield f"group: must have at most {_MAX_GROUP} characters"
    if run.get("launchType") and run.get("capacityProviderStrategy"):
        yield "launchType: must be left out with a capacityProviderStrategy"
    network = run.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is None:
        yield "networkConfiguration: Network Configuration must be provided when networkMode 'awsvpc' is specified."
    else:
        yield from _network(network)
    overrides = run.get("overrides", {})
    if (length := overrides_length(overrides)) > MAX_OVERRIDES_LENGTH:
        yield f"overrides: Container Overrides length must be at most {MAX_OVERRIDES_LENGTH}; it is {length}"
    if ephemeral := overrides.get("ephemeralStorage"):
        yield from _ephemeral(ephemeral)
    if not all(override.get("name") for override in overrides.get("containerOverrides", ())):
        yield "overrides.containerOverrides: an override needs the name of its container"
    yield from _tags(run.get("tags", ()))


def _network(network: Mapping[str, Any]) -> Iterator[str]:
    if not 1 <= len(network.get("subnets", ())) <= _MAX_SUBNETS:
        yield f"networkConfiguration: subnets must be from 1 to {_MAX_SUBNETS}"
    if len(network.get("securityGroups", ())) > _MAX_SECURITY_GROUPS:
        yield f"networkConfiguration: securityGroups must be at most {_MAX_SECURITY_GROUPS}"
    if network.get("assignPublicIp", "DISABLED") not in {"ENABLED", "DISABLED"}:
        yield "networkConfiguration: assignPublicIp must be ENABLED or DISABLED"


def _disagreements(run: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    containers = {each.get("name"): each for each in definition.get("containerDefinitions", ())}
    overrides = run.get("overrides", {})
    for override in overrides.get("containerOverrides", ()):
        name = override.get("name")
        if name not in containers:
            yield f"overrides: Override for container named {name} is not a container in the TaskDefinition."
            continue
        secrets = {secret["name"] for secret in containers[name].get("secrets", ())}
        for variable in sorted(secrets & {each.get("name") for each in override.get("environment", ())}):
            yield f"overrides.containerOverrides[{name}].environment: {variable} is a secret of the container"
    if overrides.get("cpu") or overrides.get("memory"):
        size = [overrides.get(member) or definition.get(member) for member in ("cpu", "memory")]
        yield from (f"overrides.{found}" for found in _size(*size))
