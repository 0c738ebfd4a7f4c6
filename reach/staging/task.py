"""The one-off task that stages on EFS: the documents of RegisterTaskDefinition and RunTask.

Its first container is the stack's own init container: it copies the agent out of the agent image by the copy command,
so an image from scratch will do. The second one runs `stage.sh` in an image with a shell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.launch.ecs_rules import present
from core.launch.injection import AGENT_VOLUME, COPY_DIRECTORY, InjectedParts, injected_parts
from core.launch.request import Platform
from core.launch.settings import Settings
from core.launch.volumes import efs_volume
from core.model.agent import Injection
from reach import Refused
from reach.staging.access import Access
from reach.staging.script import SHELL

FAMILY: Final = "sockerless-stage-agent"
STAGE: Final = "stage"
"""The container that runs the script."""
DIRECTORY: Final = "/staging"
"""Where it mounts the tasks' directory."""
_STOP_SECONDS: Final = 2
"""Fargate's least: a copy that was interrupted is worth nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """`run` names this run. `tools` is the image of the script. `copies`: the agent image is run first."""

    run: str
    tools: str
    platform: Platform
    copies: bool
    cluster: str
    region: str

    @property
    def started_by(self) -> str:
        """RunTask's. It never begins with a stack's prefix and a slash, so no stack takes the task for its own."""
        return f"reach-stage-agent-{self.run}"


def definition(settings: Settings, order: Order, access: Access, arguments: Sequence[str]) -> dict[str, Any]:
    """RegisterTaskDefinition's parameters, with the access point that there is."""
    parts = injected_parts(Injection.INIT_CONTAINER, settings) if order.copies else InjectedParts()
    copied = {"sourceVolume": AGENT_VOLUME, "containerPath": COPY_DIRECTORY, "readOnly": True}
    mounted = {"sourceVolume": "directory", "containerPath": DIRECTORY, "readOnly": False}
    script = {
        "name": STAGE,
        "image": order.tools,
        "essential": True,
        "user": "0",
        "entryPoint": list(SHELL),
        "command": list(arguments),
        "mountPoints": [mounted, copied] if order.copies else [mounted],
        "dependsOn": list(parts.depends_on),
    }
    logs = {"awslogs-group": settings.task_log_group, "awslogs-region": order.region, "awslogs-stream-prefix": FAMILY}
    more = {"stopTimeout": _STOP_SECONDS, "logConfiguration": {"logDriver": "awslogs", "options": logs}}
    return present(
        {
            "family": FAMILY,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "runtimePlatform": {"cpuArchitecture": order.platform.value, "operatingSystemFamily": "LINUX"},
            "containerDefinitions": [present({**one, **more}) for one in (*parts.containers, script)],
            "executionRoleArn": settings.execution_role_arn,
            "taskRoleArn": access.role,
            "volumes": [efs_volume("directory", access.file_system, access.point, iam=True), *parts.volumes],
        }
    )


def run_request(settings: Settings, order: Order, definition_arn: str) -> dict[str, Any]:
    """RunTask's parameters. The token makes a repeated call the same task."""
    network = {
        "subnets": list(settings.task_subnets),
        "securityGroups": list(settings.task_security_groups),
        "assignPublicIp": "ENABLED" if settings.assign_public_ip else "DISABLED",
    }
    return {
        "cluster": order.cluster,
        "taskDefinition": definition_arn,
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": order.started_by,
        "clientToken": order.started_by,
        "networkConfiguration": {"awsvpcConfiguration": present(network)},
    }


def check(stack: str, settings: Settings) -> None:
    """Raises `Refused` where the stack lacks what the task needs. The report is in its output, so it needs a group."""
    needed = {"TaskSubnets": settings.task_subnets, "TaskLogGroup": settings.task_log_group}
    if missing := [name for name, value in needed.items() if not value]:
        raise Refused(
            f"The stack {stack} has no {' and no '.join(missing)}, and the task that stages on EFS needs it. What to "
            f"do: deploy with {' and '.join(missing)}: docs/deploy.md."
        )
