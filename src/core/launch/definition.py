"""Builds the task definition: everything about a container that RunTask cannot override."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.launch.ecs_rules import CAPABILITIES, DROPPED_CAPABILITIES, is_ecr_image, present, stop_timeout_of
from core.launch.injection import InjectedParts, injected_parts
from core.launch.settings import Settings, unconfigured
from core.model.agent import AgentVariable, Injection, agent_path
from core.model.facts import MAIN
from core.model.failure import ErrorCode
from core.model.parts import Logs

if TYPE_CHECKING:
    from core.launch.binds import EfsBind, S3FilesBind
    from core.launch.request import StartRequest


def build_definition(
    request: StartRequest, settings: Settings, strategy: Injection, secret_name: str | None
) -> dict[str, Any]:
    """RegisterTaskDefinition's parameters without family, command, environment and token.

    `secret_name` is the SSM parameter that holds the token, None for a token in the overrides. Raises `Refused` if a
    role is missing.
    """
    parts = injected_parts(strategy, settings)
    logs = _log_configuration(request, settings)
    _check_roles(request, settings, strategy, logged=logs is not None, secret=secret_name is not None)
    task_role = request.task_role_arn or settings.task_role_arn
    containers = [*parts.containers, _main(request, settings, strategy, parts, secret_name)]
    # IAM authorisation needs a task role; without one, EFS is mounted anonymously.
    bound = [bind.volume(name, iam=task_role is not None) for name, bind in _binds(request).items()]
    definition = {
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(request.limits.size.cpu_units),
        "memory": str(request.limits.size.memory_mib),
        "runtimePlatform": {"cpuArchitecture": request.platform.value, "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [present({**container, "logConfiguration": logs}) for container in containers],
        "executionRoleArn": settings.execution_role_arn,
        "taskRoleArn": task_role,
        "volumes": [*parts.volumes, *bound],
        "ephemeralStorage": present({"sizeInGiB": request.ephemeral_storage_gib}),
    }
    return present(definition)


def _main(
    request: StartRequest, settings: Settings, strategy: Injection, parts: InjectedParts, secret_name: str | None
) -> dict[str, Any]:
    """The caller's container, with the agent as its first process. Members that are not set are empty.

    No init process and no health check: `core.launch.declined` has the reasons.
    No port mappings: in awsvpc mode the task has its own address, and only the security group filters ports.
    No labels: they differ between containers, and many containers share a definition.
    """
    bound = [
        {"sourceVolume": name, "containerPath": bind.container_path, "readOnly": bind.read_only}
        for name, bind in _binds(request).items()
    ]
    stop_timeout = settings.stop_timeout_seconds if request.stop_timeout is None else request.stop_timeout
    token = {AgentVariable.TOKEN.value: secret_name} if secret_name else {}
    return {
        "name": MAIN,
        "image": request.image,
        "essential": True,
        "entryPoint": [agent_path(strategy)],
        "mountPoints": [*parts.mount_points, *bound],
        "dependsOn": list(parts.depends_on),
        "workingDirectory": request.working_dir,
        "user": request.user,
        "ulimits": [{"name": one.name, "softLimit": one.soft, "hardLimit": one.hard} for one in request.ulimits],
        "stopTimeout": stop_timeout_of(stop_timeout),
        "readonlyRootFilesystem": request.read_only_root or None,
        "linuxParameters": present({"capabilities": _capabilities(request)}),
        "repositoryCredentials": present({"credentialsParameter": request.repository_credentials}),
        # Sorted, because the family is the hash of the definition.
        "secrets": [{"name": name, "valueFrom": arn} for name, arn in sorted({**request.secrets, **token}.items())],
    }


def _capabilities(request: StartRequest) -> dict[str, list[str]]:
    """As in Docker, what is added is not dropped, also not by ALL. Of Docker's default, ECS adds nothing."""
    added, dropped = frozenset(request.cap_add), frozenset(request.cap_drop)
    if added and "ALL" in dropped:
        dropped = DROPPED_CAPABILITIES - {"ALL"}
    return present({"add": sorted(added & CAPABILITIES), "drop": sorted(dropped - added)})


def _binds(request: StartRequest) -> dict[str, EfsBind | S3FilesBind]:
    """The caller's file systems, by the names of their volumes."""
    return {f"bind-{position}": bind for position, bind in enumerate(request.binds)}


def logs_of(request: StartRequest, settings: Settings) -> Logs | None:
    """Where the output goes; None without a group. Raises `Refused` if the request has options for none."""
    log = request.log
    group = (log and log.group) or settings.task_log_group
    if group is None:
        if log is not None and log.model_fields_set:
            raise unconfigured(
                "log has options, but neither the request nor the stack names a log group.",
                "Send log.group, or set TASK_LOG_GROUP (stack parameter TaskLogGroup).",
                ErrorCode.INVALID_REQUEST,
            )
        return None
    return Logs(group, (log and log.stream_prefix) or settings.started_by_prefix)


def _log_configuration(request: StartRequest, settings: Settings) -> dict[str, Any] | None:
    """The awslogs driver. Fargate requires group, region and stream prefix."""
    logs, log = logs_of(request, settings), request.log
    if logs is None:
        return None
    cluster_arn = settings.require_cluster(", so the region of the log group is not known")
    options = {
        "awslogs-group": logs.group,
        # arn:aws:ecs:<region>:<account>:cluster/<name>
        "awslogs-region": cluster_arn.split(":")[3],
        "awslogs-stream-prefix": logs.stream_prefix,
        "mode": log and log.mode,
        "max-buffer-size": log and log.max_buffer_size,
    }
    return {"logDriver": "awslogs", "options": present(options)}


def _check_roles(request: StartRequest, settings: Settings, strategy: Injection, *, logged: bool, secret: bool) -> None:
    """Refuses what ECS would refuse, or fail at every task, because a role is missing."""
    if settings.execution_role_arn is None:
        agent_image = settings.agent_image if strategy is Injection.INIT_CONTAINER else None
        needs = {
            "token_delivery ssm reads a parameter": secret,
            "secrets are read": request.secrets,
            "a log group is written to": logged,
            "repository_credentials names a secret": request.repository_credentials,
            "an image is pulled from ECR": is_ecr_image(request.image) or is_ecr_image(agent_image or ""),
        }
        if any(needs.values()):
            raise unconfigured(
                f"The task needs an execution role ({', '.join(need for need in needs if needs[need])}), "
                "and none is configured.",
                "Set EXECUTION_ROLE_ARN (stack parameter ExecutionRoleArn).",
            )
    if not (request.task_role_arn or settings.task_role_arn):
        _check_mounts(request, strategy)


def _check_mounts(request: StartRequest, strategy: Injection) -> None:
    """Refuses the mounts of a task without a role that IAM must authorise."""
    give_role = "Set TASK_ROLE_ARN (stack parameter TaskRoleArn) or send task_role_arn; the role needs "
    if strategy is Injection.EFS:
        raise unconfigured(
            "injection efs mounts the agent's file system with IAM authorisation, and the task has no role.",
            f"{give_role}elasticfilesystem:ClientMount on the file system.",
        )
    if strategy is Injection.S3_FILES:
        raise unconfigured(
            "injection s3-files mounts the agent's file system by the task's role, and the task has no role.",
            f"{give_role}s3files:ClientMount on the file system.",
        )
    if request.s3_files_binds:
        raise unconfigured(
            "s3_files_binds: S3 Files is mounted by the task's role, and the task has no role.",
            f"{give_role}s3files:ClientMount on each file system, and s3files:ClientWrite where it writes.",
            ErrorCode.INVALID_REQUEST,
        )
