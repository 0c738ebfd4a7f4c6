"""What a task needs before its containers whatever they run as, and the faults that keep it from getting that."""

from __future__ import annotations

from local.fargate import reasons
from local.fargate.errors import InitializationFailed, PullFailed
from local.fargate.faults import FaultName
from local.fargate.log_groups import LogGroups, LogStream
from local.fargate.task import Container, Task
from local.fargate.task_secrets import SecretSource


def connect(task: Task) -> None:
    """Raises `InitializationFailed` when a fault keeps the network interface from the task."""
    fault = task.faults.get(FaultName.ENI_PROVISIONING)
    if fault is not None:
        raise InitializationFailed(fault.parameters.get("reason", reasons.ENI_FAILED))


def find_image(task: Task, container: Container) -> str:
    """The image's name. Raises `PullFailed` when a fault keeps it from the container."""
    image = str(container.definition["image"])
    fault = task.faults.get(FaultName.IMAGE_PULL)
    if fault is not None:
        raise PullFailed(container.name, fault.parameters.get("reason", reasons.cannot_pull(image)))
    return image


async def secrets_of(task: Task, source: SecretSource) -> dict[str, dict[str, str]]:
    """The secret variables of each container, by its name. Raises `InitializationFailed`."""
    return {
        container.name: {
            secret["name"]: await source.read(secret["valueFrom"]) for secret in container.definition.get("secrets", ())
        }
        for container in task.containers
    }


async def streams_of(task: Task, groups: LogGroups) -> dict[str, LogStream | None]:
    return {container.name: await groups.stream(task, container) for container in task.containers}
