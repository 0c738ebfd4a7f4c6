"""One task, two spellings: the detail of an `ECS Task State Change` event, and the Task of the API.

Captures of both show the differences: the attachment's type (`eni`, `ElasticNetworkInterface`), instants (ISO 8601
with trailing zeros cut, epoch seconds), `updatedAt` only in events; tags, health, platform family and
`networkBindings` only in the API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from local.fargate.task import Container, NetworkInterface, Task

_EPHEMERAL_GIB: Final = 20
REDACTED: Final = "***"


def iso(instant: datetime) -> str:
    """As ECS prints it: `.123Z`, `.12Z`, or `Z` when the second is whole."""
    utc = instant.astimezone(UTC)
    fraction = f".{utc.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def publish(task: Task, last_status: str, at: datetime) -> None:
    """Shows the state as it is now, as the next version, updated at that instant."""
    task.last_status = last_status
    task.version += 1
    task.updated_at = at
    task.document = _document(task)
    task.detail = _detail(task)


def _detail(task: Task) -> dict[str, Any]:
    """The `detail` of the event; its keys are in alphabetical order, as ECS's are but for one."""
    members = {
        **_members(task, "eni"),
        "containers": [_container(task, container) for container in task.containers],
        "overrides": _overrides(task),
        "updatedAt": task.updated_at,
    }
    return {key: iso(value) if isinstance(value, datetime) else value for key, value in sorted(members.items())}


def _document(task: Task) -> dict[str, Any]:
    """The Task of RunTask, DescribeTasks and StopTask; instants as datetimes, which `wire` spells. Without tags."""
    placed = task.last_status != "PROVISIONING"
    unknown = {"healthStatus": "UNKNOWN"} if placed else {}
    bindings: dict[str, Any] = {"networkBindings": []} if placed else {}
    return {
        **_members(task, "ElasticNetworkInterface"),
        "containers": [{**_container(task, container), **bindings, **unknown} for container in task.containers],
        "fargateEphemeralStorage": _ephemeral(task),
        "overrides": {**_overrides(task), "inferenceAcceleratorOverrides": []},
        "platformFamily": "Linux",
        **unknown,
    }


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


def _members(task: Task, attachment: str) -> dict[str, Any]:
    """The members of both, instants as datetimes; they differ in the attachment's type and in the spelling of time."""
    arm = task.definition.get("runtimePlatform", {}).get("cpuArchitecture") == "ARM64"
    # Absent from the first two versions of a captured life, and later earlier than the second: ECS shows it late.
    connected = task.connectivity_at is not None and task.last_status not in ("PROVISIONING", "PENDING")
    return _present({
        "attachments": [_attachment(task.interface, attachment)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "arm64" if arm else "x86_64"}],
        "availabilityZone": task.availability_zone,
        "capacityProviderName": task.capacity_provider,
        "clusterArn": task.cluster_arn,
        "connectivity": "CONNECTED" if connected else None,
        "connectivityAt": task.connectivity_at if connected else None,
        "cpu": _size(task, "cpu"),
        "createdAt": task.created_at,
        "desiredStatus": task.desired_status,
        "enableExecuteCommand": task.enable_execute_command,
        "ephemeralStorage": _ephemeral(task),
        "executionStoppedAt": task.execution_stopped_at,
        "group": task.group,
        "lastStatus": task.last_status,
        "launchType": "FARGATE",
        "memory": _size(task, "memory"),
        "platformVersion": task.platform_version,
        "pullStartedAt": task.pull_started_at,
        "pullStoppedAt": task.pull_stopped_at,
        "startedAt": task.started_at,
        "startedBy": task.started_by,
        "stoppingAt": task.stopping_at,
        "stoppedAt": task.stopped_at,
        "stoppedReason": task.stopped_reason,
        "stopCode": task.stop_code,
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition["taskDefinitionArn"],
        "version": task.version,
    })  # fmt: skip


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
    return {"containerOverrides": containers, **task.overrides}


def _container(task: Task, container: Container) -> dict[str, Any]:
    interface, sizes = task.interface, {**container.definition, **container.override}
    # The address of the attachment again, in another case.
    address = {"attachmentId": interface.attachment_id, "privateIpv4Address": interface.address}
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
        "networkInterfaces": [] if interface.address is None else [address],
        "cpu": str(sizes.get("cpu", 0)),
        "memory": str(sizes["memory"]) if "memory" in sizes else None,
        "memoryReservation": str(sizes["memoryReservation"]) if "memoryReservation" in sizes else None,
    })  # fmt: skip
