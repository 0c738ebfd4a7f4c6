"""What the stack says of where its agent is staged: its parameters, as the functions read them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from core.launch.injection import default_strategy
from core.launch.settings import Settings
from core.model.agent import Injection
from core.model.errors import ConfigurationError
from reach import Refused

_SETTINGS: Final = {
    "TaskSubnets": "TASK_SUBNETS",
    "TaskSecurityGroups": "TASK_SECURITY_GROUPS",
    "AssignPublicIp": "ASSIGN_PUBLIC_IP",
    "ExecutionRoleArn": "EXECUTION_ROLE_ARN",
    "TaskRoleArn": "TASK_ROLE_ARN",
    "TaskLogGroup": "TASK_LOG_GROUP",
    "InjectionStrategy": "INJECTION",
    "EfsFileSystemId": "EFS_FILE_SYSTEM_ID",
    "EfsAccessPointId": "EFS_ACCESS_POINT_ID",
    "S3FilesFileSystemArn": "S3_FILES_FILE_SYSTEM_ARN",
    "S3FilesAccessPointArn": "S3_FILES_ACCESS_POINT_ARN",
    "AgentImage": "AGENT_IMAGE",
    "AgentCopyCommand": "AGENT_COPY_COMMAND",
}
"""Parameter of template.yaml, or output of foundation.yaml -> the variable of `core.launch.settings`."""
_STORED: Final = {Injection.EFS: "EfsFileSystemId", Injection.S3_FILES: "S3FilesFileSystemArn"}


class Storage(StrEnum):
    """Where the agent is staged."""

    EFS = Injection.EFS
    S3_FILES = Injection.S3_FILES


def settings_of(stack: str, values: Mapping[str, str]) -> Settings:
    """The settings that staging needs, of a stack's parameters or a foundation's outputs. `auto` is no setting.

    Raises `Refused`.
    """
    given = {variable: values[name] for name, variable in _SETTINGS.items() if values.get(name) not in (None, "auto")}
    try:
        return Settings.from_env({"TABLE_NAME": "none", **given})
    except ConfigurationError as error:
        raise Refused(
            f"The stack {stack} with these options: {str(error).partition(': ')[2]} What to do: correct --image, "
            "--copy-command or the stack's parameters."
        ) from error


def storage_of(stack: str, settings: Settings, wanted: Storage | None) -> Storage:
    """The one that is wanted, else the one that the stack's tasks mount. Raises `Refused` when there is none."""
    strategy = Injection(wanted) if wanted else default_strategy(settings)
    if strategy is Injection.INIT_CONTAINER:
        image = settings.agent_image or "which is not set"
        raise Refused(
            f"Nothing is staged: the stack {stack} injects by init-container, so each task copies the agent out of "
            f"AgentImage ({image}). What to do: push a new agent image and deploy with its name. To stage the agent "
            "instead, give the stack a file system: docs/deploy.md, Stage the agent."
        )
    if strategy is Injection.IMAGE:
        raise Refused(
            f"Nothing is staged: the stack {stack} injects by image, so the images of the containers bring the agent. "
            "What to do: build it into them as /sockerless-agent. To stage it instead, deploy with another "
            "InjectionStrategy: docs/deploy.md, Stage the agent."
        )
    stored = settings.efs_file_system_id if strategy is Injection.EFS else settings.s3_files_file_system_arn
    if not stored:
        raise Refused(
            f"The stack {stack} has no {_STORED[strategy]}, so its tasks mount no file system of {strategy}. What to "
            f"do: give another --to, or deploy with {_STORED[strategy]}: docs/deploy.md, Stage the agent."
        )
    return Storage(strategy)
