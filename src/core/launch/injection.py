"""Chooses the injection strategy, and builds what it adds to a task (contract.md 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.launch.ecs_rules import present
from core.launch.settings import Settings, invalid, unconfigured
from core.launch.volumes import efs_volume, s3_files_volume
from core.model.agent import AGENT_DIRECTORY, Injection
from core.model.facts import INIT
from core.model.failure import ErrorCode

if TYPE_CHECKING:
    from core.launch.request import StartRequest

AGENT_VOLUME: Final = "sockerless-agent"
COPY_DIRECTORY: Final = "/sockerless-agent-volume"
"""The volume's path in the init container. Its image may have the binary at the main container's path already."""


class InjectedParts(NamedTuple):
    """A strategy adds volumes and containers to the task, mount points and dependencies to `main`."""

    volumes: tuple[dict[str, Any], ...] = ()
    mount_points: tuple[dict[str, Any], ...] = ()
    depends_on: tuple[dict[str, Any], ...] = ()
    containers: tuple[dict[str, Any], ...] = ()


def default_strategy(settings: Settings) -> Injection:
    """The stack's strategy, else that of its file system, else `init-container`. Of both kinds of them it is `efs`."""
    by_file_system = Injection.S3_FILES if settings.s3_files_file_system_arn else Injection.INIT_CONTAINER
    return settings.injection or (Injection.EFS if settings.efs_file_system_id else by_file_system)


def choose_strategy(settings: Settings, request: StartRequest) -> Injection:
    """The request's strategy, else the stack's (`default_strategy`).

    Raises `Refused` for `efs` and `s3-files` without a file system, and for `init-container` without an agent image.
    There is no default image, because the image's program is the first process of every container and holds its token.
    """
    strategy = request.injection or default_strategy(settings)
    if strategy is Injection.EFS and not settings.efs_file_system_id:
        raise invalid(
            "injection is efs, but this stack has no file system with the agent.",
            "Set EFS_FILE_SYSTEM_ID (stack parameter EfsFileSystemId), or leave injection out.",
        )
    if strategy is Injection.S3_FILES and not settings.s3_files_file_system_arn:
        raise invalid(
            "injection is s3-files, but this stack has no file system of S3 Files with the agent.",
            "Set S3_FILES_FILE_SYSTEM_ARN (stack parameter S3FilesFileSystemArn), or leave injection out.",
        )
    if strategy is Injection.INIT_CONTAINER and not settings.agent_image:
        raise unconfigured(
            "injection is init-container, but no agent image is configured. Nothing was written or started.",
            "Set AGENT_IMAGE (stack parameter AgentImage) to an image of yours that holds the agent, best "
            "named by its digest (name@sha256:...), or EFS_FILE_SYSTEM_ID (EfsFileSystemId) or "
            "S3_FILES_FILE_SYSTEM_ARN (S3FilesFileSystemArn) to a file system that does; or, for a container whose own "
            "image does, send injection image.",
            ErrorCode.INVALID_REQUEST if request.injection else ErrorCode.LAUNCH_FAILED,
        )
    return strategy


def injected_parts(strategy: Injection, settings: Settings) -> InjectedParts:
    """The parts of the strategy that `choose_strategy` chose. `image` adds none: the image has the agent."""
    if strategy is Injection.IMAGE:
        return InjectedParts()
    mounted = {"sourceVolume": AGENT_VOLUME, "containerPath": AGENT_DIRECTORY, "readOnly": True}
    if strategy is Injection.EFS:
        if settings.efs_file_system_id is None:
            raise ValueError("the efs strategy was chosen without a file system")
        volume = efs_volume(AGENT_VOLUME, settings.efs_file_system_id, settings.efs_access_point_id, iam=True)
        return InjectedParts(volumes=(volume,), mount_points=(mounted,))
    if strategy is Injection.S3_FILES:
        if settings.s3_files_file_system_arn is None:
            raise ValueError("the s3-files strategy was chosen without a file system")
        volume = s3_files_volume(AGENT_VOLUME, settings.s3_files_file_system_arn, settings.s3_files_access_point_arn)
        return InjectedParts(volumes=(volume,), mount_points=(mounted,))
    return InjectedParts(
        volumes=({"name": AGENT_VOLUME},),
        mount_points=(mounted,),
        depends_on=({"containerName": INIT, "condition": "SUCCESS"},),
        containers=(_init_container(settings),),
    )


def _init_container(settings: Settings) -> dict[str, Any]:
    """Copies the binary and ends. It runs as root, because an empty task volume belongs to root with mode 0755.

    The user is a number, because a scratch image has no /etc/passwd. The copy command sets the mode of the copy: the
    main container's user must be able to execute it.
    """
    return present(
        {
            "name": INIT,
            "image": settings.agent_image,
            "essential": False,
            "user": "0",
            "mountPoints": [{"sourceVolume": AGENT_VOLUME, "containerPath": COPY_DIRECTORY, "readOnly": False}],
            "entryPoint": list(settings.agent_copy_command[:1]),
            "command": list(settings.agent_copy_command[1:]),
        }
    )
