"""Builds the task definition: everything about a container that RunTask cannot override."""

from typing import Any

from core.launch.injection import InjectedParts, efs_volume, injected_parts
from core.launch.limits import is_ecr_image
from core.launch.request import LogOptions, StartRequest
from core.launch.settings import Settings, unconfigured
from core.launch.sizing import stop_timeout_of
from core.model.agent import AgentVariable, Injection, agent_path
from core.model.errors import Refused
from core.model.facts import MAIN
from core.model.failure import Cause, ErrorCode, Failure


def build_definition(
    request: StartRequest, settings: Settings, strategy: Injection, secret_name: str | None
) -> dict[str, Any]:
    """RegisterTaskDefinition's parameters without family, command, environment and token.

    `secret_name` is the SSM parameter that holds the token, None for a token in the overrides. Raises `Refused` if a
    role is missing.
    """
    parts = injected_parts(strategy, settings)
    logs = _log_configuration(request.log or LogOptions(), settings)
    _check_roles(request, settings, strategy, logged=logs is not None, secret=secret_name is not None)
    task_role = request.task_role_arn or settings.task_role_arn
    containers = [*parts.containers, _main(request, strategy, parts, secret_name)]
    if logs:
        containers = [{**container, "logConfiguration": logs} for container in containers]
    size = request.limits.size
    volumes = [*parts.volumes, *_bound_volumes(request, iam=task_role is not None)]
    optional = {
        "executionRoleArn": settings.execution_role_arn,
        "taskRoleArn": task_role,
        "volumes": volumes,
        "ephemeralStorage": request.ephemeral_storage_gib and {"sizeInGiB": request.ephemeral_storage_gib},
    }
    return {
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(size.cpu_units),
        "memory": str(size.memory_mib),
        "runtimePlatform": {"cpuArchitecture": request.platform.value, "operatingSystemFamily": "LINUX"},
        "containerDefinitions": containers,
        **_present(optional),
    }


def _main(request: StartRequest, strategy: Injection, parts: InjectedParts, secret_name: str | None) -> dict[str, Any]:
    """The caller's container, with the agent as its first process.

    No init process (`linuxParameters.initProcessEnabled`): it would start without the agent too, and hide ECS's
    CannotStartContainerError behind an exit code 127.
    No port mappings: in awsvpc mode the task has its own address, and only the security group filters ports.
    No labels: they differ between containers, and many containers share a definition.
    """
    optional = {
        "mountPoints": [*parts.mount_points, *_bound_mount_points(request)],
        "dependsOn": list(parts.depends_on),
        "workingDirectory": request.working_dir,
        "user": request.user,
        "ulimits": [
            {"name": limit.name, "softLimit": limit.soft, "hardLimit": limit.hard} for limit in request.ulimits
        ],
        "stopTimeout": None if request.stop_timeout is None else stop_timeout_of(request.stop_timeout),
        "repositoryCredentials": request.repository_credentials
        and {"credentialsParameter": request.repository_credentials},
        "secrets": secret_name and [{"name": AgentVariable.TOKEN.value, "valueFrom": secret_name}],
    }
    return {
        "name": MAIN,
        "image": request.image,
        "essential": True,
        "entryPoint": [agent_path(strategy)],
        **_present(optional),
    }


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _bind_name(position: int) -> str:
    return f"bind-{position}"


def _bound_volumes(request: StartRequest, *, iam: bool) -> list[dict[str, Any]]:
    """The caller's file systems. IAM authorisation needs a task role; without one, the mount is anonymous."""
    return [
        efs_volume(
            _bind_name(position),
            bind.file_system_id,
            access_point_id=bind.access_point_id,
            root_directory=bind.root_directory,
            iam=iam,
        )
        for position, bind in enumerate(request.efs_binds)
    ]


def _bound_mount_points(request: StartRequest) -> list[dict[str, Any]]:
    return [
        {"sourceVolume": _bind_name(position), "containerPath": bind.container_path, "readOnly": bind.read_only}
        for position, bind in enumerate(request.efs_binds)
    ]


def _log_configuration(log: LogOptions, settings: Settings) -> dict[str, Any] | None:
    """The awslogs driver; None without a group. Fargate requires group, region and stream prefix."""
    group = log.group or settings.task_log_group
    if group is None:
        if log.model_fields_set:
            raise Refused(
                Failure(
                    ErrorCode.INVALID_REQUEST,
                    "log has options, but neither the request nor the stack names a log group.",
                    "Send log.group, or set TASK_LOG_GROUP (stack parameter TaskLogGroup).",
                    Cause.TASK_DEFINITION,
                )
            )
        return None
    options = {
        "awslogs-group": group,
        "awslogs-region": _region(settings),
        "awslogs-stream-prefix": log.stream_prefix or settings.started_by_prefix,
        "mode": log.mode,
        "max-buffer-size": log.max_buffer_size,
    }
    return {"logDriver": "awslogs", "options": _present(options)}


def _region(settings: Settings) -> str:
    """The cluster's region, from its ARN: `arn:aws:ecs:<region>:<account>:cluster/<name>`."""
    if settings.cluster_arn is None:
        raise unconfigured(
            "No cluster is configured, so the region of the log group is not known.",
            "Set CLUSTER_ARN (stack parameter ClusterName) to the cluster that this stack listens to.",
        )
    return settings.cluster_arn.split(":")[3]


def _check_roles(request: StartRequest, settings: Settings, strategy: Injection, *, logged: bool, secret: bool) -> None:
    """Refuses what ECS would refuse, or fail at every task, because a role is missing."""
    if settings.execution_role_arn is None:
        images = [request.image, settings.agent_image if strategy is Injection.INIT_CONTAINER else None]
        needs = {
            "token_delivery ssm reads a parameter": secret,
            "a log group is written to": logged,
            "repository_credentials names a secret": request.repository_credentials is not None,
            "an image is pulled from ECR": any(image and is_ecr_image(image) for image in images),
        }
        if wanting := [need for need, present in needs.items() if present]:
            raise unconfigured(
                f"The task needs an execution role ({', '.join(wanting)}), and none is configured.",
                "Set EXECUTION_ROLE_ARN (stack parameter ExecutionRoleArn).",
            )
    if strategy is Injection.EFS and not (request.task_role_arn or settings.task_role_arn):
        raise unconfigured(
            "injection efs mounts the agent's file system with IAM authorisation, and the task has no role.",
            "Set TASK_ROLE_ARN (stack parameter TaskRoleArn) or send task_role_arn; "
            "the role needs elasticfilesystem:ClientMount on the file system.",
        )
