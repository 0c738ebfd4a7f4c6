"""One task, two spellings: the detail of an `ECS Task State Change` event, and the Task of the API.

The differences were learnt from captures of both: the attachment's type (`eni`, `ElasticNetworkInterface`), instants
(ISO 8601 with trailing zeros cut, epoch seconds), `updatedAt` only in events; tags, health, platform family and
`networkBindings` only in the API.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from local.fargate.task import Container, NetworkInterface, Task

_ARCHITECTURE: Final = {"ARM64": "arm64"}
_EPHEMERAL_GIB: Final = 20
REDACTED: Final = "***"


def iso(instant: datetime) -> str:
    """As ECS prints it: `.123Z`, `.12Z`, or `Z` when the second is whole."""
    utc = instant.astimezone(UTC)
    fraction = f".{utc.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def detail(task: Task) -> dict[str, Any]:
    """The `detail` of the event; its keys are in alphabetical order, as ECS's are but for one."""
    members = {
        **_members(task, "eni", iso),
        "containers": [_container(task, container) for container in task.containers],
        "overrides": _overrides(task),
        "updatedAt": iso(task.updated_at),
    }
    return _present(dict(sorted(members.items())))


def document(task: Task) -> dict[str, Any]:
    """The Task of RunTask, DescribeTasks and StopTask; instants as datetimes, which `wire` spells. Without tags."""
    placed = task.last_status != "PROVISIONING"
    unknown = {"healthStatus": "UNKNOWN"} if placed else {}
    bindings: dict[str, Any] = {"networkBindings": []} if placed else {}
    return _present({
        **_members(task, "ElasticNetworkInterface", _same),
        "containers": [{**_container(task, container), **bindings, **unknown} for container in task.containers],
        "fargateEphemeralStorage": _ephemeral(task),
        "overrides": {**_overrides(task), "inferenceAcceleratorOverrides": []},
        "platformFamily": "Linux",
        **unknown,
    })  # fmt: skip


def redacted(event: dict[str, Any]) -> dict[str, Any]:
    """A copy of an event in which no environment value can be read: overrides carry tokens in clear text."""
    overrides = event["detail"]["overrides"]
    containers = [
        {**override, "environment": [{**pair, "value": REDACTED} for pair in override["environment"]]}
        if "environment" in override
        else override
        for override in overrides["containerOverrides"]
    ]
    return {**event, "detail": {**event["detail"], "overrides": {**overrides, "containerOverrides": containers}}}


def _same(instant: datetime) -> datetime:
    return instant


def _at(instant: datetime | None, spell: Callable[[datetime], Any]) -> Any:
    return None if instant is None else spell(instant)


def _members(task: Task, attachment: str, spell: Callable[[datetime], Any]) -> dict[str, Any]:
    """What both have, None where it is not known; they differ in the attachment's type and in the spelling of time."""
    return {
        "attachments": [_attachment(task.interface, attachment)],
        "attributes": _attributes(task),
        "availabilityZone": task.availability_zone,
        "capacityProviderName": task.capacity_provider,
        "clusterArn": task.cluster_arn,
        **_connectivity(task, spell),
        "cpu": _size(task, "cpu"),
        "createdAt": spell(task.created_at),
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": task.enable_execute_command,
        "ephemeralStorage": _ephemeral(task),
        "executionStoppedAt": _at(task.execution_stopped_at, spell),
        "group": task.group,
        "lastStatus": task.last_status,
        "launchType": "FARGATE",
        "memory": _size(task, "memory"),
        "platformVersion": task.platform_version,
        **_course(task, spell),
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition["taskDefinitionArn"],
        "version": task.version,
    }


def _present(document: dict[str, Any]) -> dict[str, Any]:
    """ECS leaves out what it does not know; it never writes null."""
    return {key: value for key, value in document.items() if value is not None}


def _attachment(interface: NetworkInterface, kind: str) -> dict[str, Any]:
    details = [("subnetId", interface.subnet_id)]
    if interface.address is not None:
        details += [
            ("networkInterfaceId", interface.id),
            ("macAddress", interface.mac),
            ("privateDnsName", interface.dns_name),
            ("privateIPv4Address", interface.address),
        ]
    return {
        "id": interface.attachment_id,
        "type": kind,
        "status": interface.status,
        "details": [{"name": name, "value": value} for name, value in details],
    }


def _interfaces(task: Task) -> list[dict[str, str]]:
    """The same address spelled again, in another case."""
    interface = task.interface
    if interface.address is None:
        return []
    return [{"attachmentId": interface.attachment_id, "privateIpv4Address": interface.address}]


def _attributes(task: Task) -> list[dict[str, str]]:
    architecture = task.definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    return [{"name": "ecs.cpu-architecture", "value": _ARCHITECTURE.get(architecture, "x86_64")}]


def _connectivity(task: Task, spell: Callable[[datetime], Any]) -> dict[str, Any]:
    # Absent from the first two versions of a captured life, and later earlier than the second: ECS shows it late.
    if task.connectivity_at is None or task.last_status in ("PROVISIONING", "PENDING"):
        return {}
    return {"connectivity": "CONNECTED", "connectivityAt": spell(task.connectivity_at)}


def _course(task: Task, spell: Callable[[datetime], Any]) -> dict[str, Any]:
    return {
        "pullStartedAt": _at(task.pull_started_at, spell),
        "pullStoppedAt": _at(task.pull_stopped_at, spell),
        "startedAt": _at(task.started_at, spell),
        "startedBy": task.started_by,
        "stoppingAt": _at(task.stopping_at, spell),
        "stoppedAt": _at(task.stopped_at, spell),
        "stoppedReason": task.stopped_reason,
        "stopCode": task.stop_code,
    }


def _size(task: Task, kind: str) -> str:
    return str(task.overrides.get(kind) or task.definition[kind])


def _ephemeral(task: Task) -> dict[str, int]:
    chosen = task.overrides.get("ephemeralStorage") or task.definition.get("ephemeralStorage")
    return {"sizeInGiB": chosen["sizeInGiB"] if chosen else _EPHEMERAL_GIB}


def _overrides(task: Task) -> dict[str, Any]:
    """Every container is named, overridden or not; task-level overrides appear when given."""
    containers = [
        {**{key: container.override[key] for key in sorted(container.override) if key != "name"},
         "name": container.name}
        for container in task.containers
    ]  # fmt: skip
    return {"containerOverrides": containers, **{k: v for k, v in task.overrides.items() if k != "containerOverrides"}}


def _sizes(container: Container) -> dict[str, Any]:
    definition = {**container.definition, **container.override}
    memory, soft = definition.get("memory"), definition.get("memoryReservation")
    return {
        "cpu": str(definition.get("cpu", 0)),
        "memory": None if memory is None else str(memory),
        "memoryReservation": None if soft is None else str(soft),
    }


def _container(task: Task, container: Container) -> dict[str, Any]:
    return _present({
        "containerArn": container.arn,
        "exitCode": container.exit_code,
        "lastStatus": container.last_status,
        "name": container.name,
        "reason": container.reason,
        "image": container.definition["image"],
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "taskArn": task.arn,
        "networkInterfaces": _interfaces(task),
        **_sizes(container),
    })  # fmt: skip
