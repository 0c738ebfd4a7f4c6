"""The start request and the stop request of a backend: strict models with one name per member, in snake_case.

`docs/start-request.schema.json` is generated from `StartRequest`. `core.launch.parse` refuses an unknown member, a
number as a string and an impossible value with the member's path. The time-outs of a request are saved in its item,
because the functions that check them have no request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from core.launch.binds import EfsBind, S3FilesBind
from core.launch.constraints import (
    BUFFER_SIZE,
    LOG_GROUP,
    REGISTRY_SECRET,
    ROLE,
    SECRET,
    SECURITY_GROUP,
    STREAM_PREFIX,
)
from core.launch.declined import HealthCheck, Init
from core.launch.documents import (
    VARIABLE_NAMES,
    AbsolutePath,
    AddedCapability,
    Array,
    ContainerId,
    DroppedCapability,
    EntryPoint,
    Image,
    Labels,
    StopTimeout,
    StrictDocument,
    Text,
    User,
    VariableName,
    allow_nothing,
)
from core.launch.ecs_rules import MAX_SECURITY_GROUPS
from core.launch.limits import Limits, Ulimit
from core.launch.settings import MAX_LIFETIME, TokenDelivery
from core.model.agent import Injection
from core.model.capacity import Capacity


class Platform(StrEnum):
    """ECS's `cpuArchitecture`."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"


class LogOptions(StrictDocument):
    """The awslogs driver. Defaults are the stack's, then AWS's."""

    group: Annotated[str, LOG_GROUP] | None = Field(None, description="Default: the stack's log group.")
    stream_prefix: Annotated[str, STREAM_PREFIX] | None = Field(None, description="Default: the stack's prefix.")
    mode: Literal["blocking", "non-blocking"] | None = None
    max_buffer_size: Annotated[str, BUFFER_SIZE] | None = Field(None, description="For example 10m.")


def _require_command(schema: dict[str, Any]) -> None:
    """The schema requires a command, as `StartRequest` does."""
    allow_nothing(schema)
    program_first = {"type": "array", "minItems": 1, "prefixItems": [{"minLength": 1}]}
    no_entrypoint = {"enum": [None, "", [], [""]]}
    schema["anyOf"] = [
        {"required": ["entrypoint"], "properties": {"entrypoint": program_first}},
        {"required": ["cmd"], "properties": {"entrypoint": no_entrypoint, "cmd": program_first}},
    ]


class StartRequest(StrictDocument):
    """One container to start."""

    container_id: ContainerId
    image: Image = Field(description="As ECS pulls it.")
    entrypoint: EntryPoint = Field(
        (), description='With cmd, the whole command: the image\'s own is not used. [""] is no entry point.'
    )
    cmd: Array[Text] = ()
    environment: dict[VariableName, Text] = Field(
        default_factory=dict,
        repr=False,
        description="Names to values, which may be empty. The agent's variables are refused, and null as a value: "
        "ECS cannot take a variable of the image away.",
        json_schema_extra=VARIABLE_NAMES,
    )
    secrets: dict[VariableName, Annotated[str, SECRET]] = Field(
        default_factory=dict,
        description="Variables to the ARNs that the stack's execution role reads when the task starts: of a Secrets "
        "Manager secret, which :json-key:version-stage:version-id may follow, or of a Systems Manager parameter. No "
        "variable is in environment too.",
        json_schema_extra=VARIABLE_NAMES,
    )
    working_dir: AbsolutePath | None = None
    user: User | None = Field(None, description="user, uid, user:group, uid:gid.")
    labels: Labels = Field(
        default_factory=dict,
        description="The item keeps them, 64 KiB at most. They become the task's tags, as far as AWS's rules allow.",
    )
    limits: Limits = Limits()
    platform: Annotated[Platform, Strict(False)] = Platform.X86_64
    ephemeral_storage_gib: int | None = Field(None, ge=21, le=200, description="Fargate gives 20 when left out.")
    efs_binds: Array[EfsBind] = Field((), max_length=32)
    s3_files_binds: Array[S3FilesBind] = Field((), max_length=32, description="They need a task role.")
    ulimits: Array[Ulimit] = Field(
        (), max_length=1, description="Fargate's default for nofile is 65535, soft and hard."
    )
    stop_timeout: StopTimeout | None = Field(
        None,
        description="Seconds from the stop signal to the kill. 0 and 1 become 2, Fargate's least. Default: the "
        "stack's.",
    )
    read_only_root: bool = Field(False, description="The root file system is read-only; mounts are as they say.")
    cap_add: Array[AddedCapability] = Field(
        (), description="SYS_PTRACE, the only one that Fargate adds; and those of Docker's default, which stay then."
    )
    cap_drop: Array[DroppedCapability] = Field((), description="ALL is all but those in cap_add.")
    init: Init = False
    health_check: HealthCheck = False
    security_groups: Array[Annotated[str, SECURITY_GROUP]] = Field(
        (),
        max_length=MAX_SECURITY_GROUPS,
        description="In addition to the stack's, which let the prober in and the task out to EFS. At most 5 together.",
    )
    repository_credentials: Annotated[str, REGISTRY_SECRET] | None = Field(
        None,
        description="ARN of the secret with the private registry's username and password; the stack's execution role "
        "reads it.",
    )
    task_role_arn: Annotated[str, ROLE] | None = Field(None, description="Default: the stack's.")
    injection: Annotated[Injection, Strict(False)] | None = Field(None, description="Default: the stack's.")
    token_delivery: Annotated[TokenDelivery, Strict(False)] | None = Field(None, description="Default: the stack's.")
    health_timeout: int | None = Field(
        None, ge=1, le=240, description="Seconds from the known address to the agent's answer. Default: the stack's."
    )
    start_timeout: int | None = Field(
        None, ge=1, le=86400, description="Seconds from the start to RUNNING, for each launch. Default: the stack's."
    )
    capacity: Annotated[Capacity, Strict(False)] | None = Field(
        None,
        description="spot-first is Spot, and On-Demand when Spot has no capacity. Spot may end the container after two "
        "minutes' notice. Default: the stack's.",
    )
    generation: int | None = Field(
        None,
        ge=1,
        lt=10**18,
        description="Of this start; 1 for a new container, else above the item's. A start that names it may be "
        "repeated at any time: once that generation was launched, the answer is what became of it. Default: one more "
        "than the item's.",
    )
    max_lifetime: int | None = Field(
        None,
        ge=60,
        le=MAX_LIFETIME,
        description="Seconds from RUNNING until the container is stopped, some seconds late. Default: the stack's.",
    )
    log: LogOptions | None = None

    model_config = ConfigDict(json_schema_extra=_require_command)

    @model_validator(mode="after")
    def _has_a_command(self) -> StartRequest:
        command = (*self.entrypoint, *self.cmd)
        if not command:
            raise PydanticCustomError(
                "no_command",
                "entrypoint and cmd are both empty, and ECS drops the image's own command because the agent takes "
                "its place; send the image's ENTRYPOINT and CMD (docker image inspect shows them) or image_config, or "
                '["tail", "-f", "/dev/null"] as cmd for a container that only waits for exec',
            )
        if not command[0]:
            member = "entrypoint" if self.entrypoint else "cmd"
            raise PydanticCustomError("no_program", f"{member}[0] is empty, but it names the program to run")
        return self

    @model_validator(mode="after")
    def _one_value_per_variable(self) -> StartRequest:
        if twice := sorted(self.environment.keys() & self.secrets.keys()):
            raise PydanticCustomError(
                "repeated",
                "secrets: {names} is in environment too, and a variable has one value; send it in one of them",
                {"names": ", ".join(twice)},
            )
        return self

    @model_validator(mode="after")
    def _one_bind_per_path(self) -> StartRequest:
        paths = [bind.container_path for bind in self.binds]
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            on_efs, on_s3_files = (
                {bind.container_path for bind in one} for one in (self.efs_binds, self.s3_files_binds)
            )
            members = {"efs_binds": on_efs, "s3_files_binds": on_s3_files}
            named = [name for name, its in members.items() if its & set(twice)]
            raise PydanticCustomError(
                "repeated",
                "{members}: container_path {paths} is mounted more than once",
                {"members": " and ".join(named), "paths": ", ".join(twice)},
            )
        return self

    @property
    def binds(self) -> tuple[EfsBind | S3FilesBind, ...]:
        """The caller's file systems of every kind."""
        return (*self.efs_binds, *self.s3_files_binds)
