"""The state of one task, as far as ECS knows it. `life` changes it; `snapshot` publishes it."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from local.fargate.faults import Fault, FaultName

_DEFAULT_AGENT_PORT: Final = 9111


def now() -> datetime:
    """The clock of the local Fargate: UTC, whole milliseconds, as ECS stamps."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@dataclass(slots=True)
class NetworkInterface:
    """The task's ENI. Without an address until it is attached; keeps it, DELETED, when the task has stopped."""

    subnet_id: str
    region: str
    status: str = "PRECREATED"
    address: str | None = None
    attachment_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    id: str = field(default_factory=lambda: f"eni-0{secrets.token_hex(8)}")
    mac: str = field(default_factory=lambda: "0a:" + ":".join(secrets.token_hex(1) for _ in range(5)))

    @property
    def dns_name(self) -> str:
        domain = "ec2" if self.region == "us-east-1" else f"{self.region}.compute"
        return f"ip-{(self.address or '').replace('.', '-')}.{domain}.internal"


@dataclass(slots=True)
class Container:
    """One container: its definition, its override, and its state as ECS shows it."""

    definition: dict[str, Any] = field(repr=False)  # environments may hold secrets
    override: dict[str, Any] = field(repr=False)
    arn: str
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    image_digest: str | None = None

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def essential(self) -> bool:
        """Whether the task ends with it. ECS's default is yes."""
        return bool(self.definition.get("essential", True))

    @property
    def environment(self) -> dict[str, str]:
        """The definition's environment with the override's on top."""
        pairs = [*self.definition.get("environment", ()), *self.override.get("environment", ())]
        return {pair["name"]: pair["value"] for pair in pairs}

    @property
    def command(self) -> tuple[str, ...]:
        """entryPoint, then the overridden or the defined command."""
        command = self.override.get("command") or self.definition.get("command") or ()
        return (*self.definition.get("entryPoint", ()), *command)


@dataclass(slots=True, kw_only=True)
class Task:
    """One task. A change becomes visible with the next version, which `snapshot.publish` makes."""

    id: str
    arn: str
    cluster_arn: str
    definition: dict[str, Any] = field(repr=False)
    containers: list[Container]
    interface: NetworkInterface
    availability_zone: str
    overrides: dict[str, Any] = field(default_factory=dict, repr=False)
    started_by: str | None = None
    group: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    faults: Mapping[FaultName, Fault] = field(default_factory=dict)
    """The faults that it meets."""
    capacity_provider: str | None = None
    enable_execute_command: bool = False
    platform_version: str = "1.4.0"
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    version: int = 0
    stop_code: str | None = None
    stopped_reason: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    connectivity_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_at: datetime | None = None
    document: dict[str, Any] = field(default_factory=dict, repr=False)
    """The API's answer for the published version."""
    detail: dict[str, Any] = field(default_factory=dict, repr=False)
    """The event's detail for the published version."""

    def container(self, name: str) -> Container:
        for container in self.containers:
            if container.name == name:
                return container
        raise KeyError(name)

    @property
    def agent_port(self) -> int:
        """The port in a container's `SOCKERLESS_AGENT_PORT`, else the agent's default."""
        ports = (container.environment.get("SOCKERLESS_AGENT_PORT", "") for container in self.containers)
        return next((int(port) for port in ports if port.isdigit()), _DEFAULT_AGENT_PORT)

    @property
    def cluster(self) -> str:
        return self.cluster_arn.rpartition("/")[2]

    @property
    def family(self) -> str:
        return str(self.definition["family"])
