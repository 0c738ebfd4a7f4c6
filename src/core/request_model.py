"""What a backend sends to start and to stop a container: strict models, one name per member, snake_case.

`docs/start-request.schema.json` is generated from `StartRequest`. Nothing is guessed: an unknown member, a
number as a string, an impossible value are refused by `core.request` with the member's path.
The time-outs of a request travel in its item, because whoever finds them passed has nothing else to go by.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from core.agent import AgentVariable
from core.constraints import ACCESS_POINT, FILE_SYSTEM, IMAGE, LOG_GROUP, ROLE
from core.record import Injection
from core.settings import AGENT_DIRECTORY, TokenDelivery
from core.sizing import (
    BYTES_PER_MIB,
    MAX_CPU_UNITS,
    MAX_MEMORY_MIB,
    NANO_CPUS_PER_VCPU,
    TaskSize,
    cpu_units_of,
    mebibytes_of,
    smallest_size,
)

RESERVED_VARIABLES: Final = tuple(variable.value for variable in AgentVariable)
MAX_NANO_CPUS: Final = MAX_CPU_UNITS // 1024 * NANO_CPUS_PER_VCPU


class Platform(StrEnum):
    """ECS's `cpuArchitecture`."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"


def _check_text(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character: no process can receive one")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("surrogate", "must be valid Unicode: half a surrogate pair has no bytes in UTF-8")
    return text


def _check_variable(name: str) -> str:
    if name in RESERVED_VARIABLES:
        raise PydanticCustomError("reserved", "is set for the agent and may not be overridden; leave it out")
    if not name or "=" in name:
        raise PydanticCustomError("variable_name", "is not a variable's name: it must not be empty or contain '='")
    return _check_text(name)


def _check_mount_path(text: str) -> str:
    path = PurePosixPath(text)
    if text != str(path) or ".." in path.parts:
        raise PydanticCustomError("path", "must be in its shortest form: no '.', '..', '//' or '/' at the end")
    agent = PurePosixPath(AGENT_DIRECTORY)
    if path == agent or agent in path.parents:
        raise PydanticCustomError(
            "path", "must not be or be in {agent}: the agent is there", {"agent": AGENT_DIRECTORY}
        )
    return text


T = TypeVar("T")
Text = Annotated[str, AfterValidator(_check_text)]
Array = Annotated[tuple[T, ...], Strict(False)]
"""A JSON array. Strict mode would take nothing but Python's own tuples."""
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00]*$", max_length=4096)]
MountPath = Annotated[str, Field(pattern=r"^/[^/\x00][^\x00]*$", max_length=4096), AfterValidator(_check_mount_path)]
ContainerId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 lowercase hexadecimal characters.")]


class _Strict(BaseModel):
    """Closed and immutable; an error never shows the value, which may be a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Limits(_Strict):
    """What the container needs, in Docker's terms or in ECS's; the task gets the smallest size that holds all of it."""

    nano_cpus: int = Field(0, ge=0, le=MAX_NANO_CPUS, description="Docker's NanoCpus: 10^9 is one CPU. 0: no demand.")
    cpu_shares: int = Field(
        0, ge=0, le=MAX_CPU_UNITS, description="Docker's CpuShares, read as ECS does: 1024 is one vCPU. 0: no demand."
    )
    memory_bytes: int = Field(
        0, ge=0, le=MAX_MEMORY_MIB * BYTES_PER_MIB, description="Docker's Memory, in bytes. 0: no demand."
    )
    cpu_units: int = Field(0, ge=0, le=MAX_CPU_UNITS, description="ECS cpu units: 1024 is one vCPU. 0: no demand.")
    memory_mib: int = Field(0, ge=0, le=MAX_MEMORY_MIB, description="ECS memory, in MiB. 0: no demand.")

    @property
    def size(self) -> TaskSize:
        """The smallest Fargate size that holds every demand. There is one: each field's bound sees to that."""
        return smallest_size(
            max(cpu_units_of(self.nano_cpus), self.cpu_shares, self.cpu_units),
            max(mebibytes_of(self.memory_bytes), self.memory_mib),
        )


class EfsBind(_Strict):
    """An EFS directory to mount. Transit encryption is always on; IAM is used when the task has a role."""

    file_system_id: str = Field(pattern=FILE_SYSTEM.pattern)
    access_point_id: str | None = Field(None, pattern=ACCESS_POINT.pattern)
    root_directory: AbsolutePath | None = Field(None, description="Only without an access point, which fixes it.")
    container_path: MountPath
    read_only: bool = False

    @model_validator(mode="after")
    def _one_root(self) -> EfsBind:
        if self.access_point_id and self.root_directory not in (None, "/"):
            raise PydanticCustomError("root_directory", "root_directory must be left out: the access point fixes it")
        return self


class LogOptions(_Strict):
    """The awslogs driver. What is left out follows the stack and AWS."""

    group: str | None = Field(None, pattern=LOG_GROUP.pattern, description="Default: the stack's log group.")
    stream_prefix: str | None = Field(None, pattern=r"^[^:*\x00]{1,128}$", description="Default: the stack's prefix.")
    mode: Literal["blocking", "non-blocking"] | None = None
    max_buffer_size: str | None = Field(None, pattern=r"^[1-9][0-9]{0,9}[kmg]?$", description="For example 10m.")


class StartRequest(_Strict):
    """One container to start."""

    container_id: ContainerId
    image: str = Field(pattern=IMAGE.pattern, description="As ECS takes it.")
    entrypoint: Array[Text] = Field((), description="With cmd, the whole command: the image's own is not used.")
    cmd: Array[Text] = ()
    environment: dict[Annotated[str, AfterValidator(_check_variable)], Text] = Field(
        default_factory=dict,
        repr=False,
        description="Names to values. The agent's variables are refused.",
        json_schema_extra={"propertyNames": {"pattern": r"^[^=\u0000]+$", "not": {"enum": [*RESERVED_VARIABLES]}}},
    )
    working_dir: AbsolutePath | None = None
    user: str | None = Field(
        None, pattern=r"^[^\s:\x00]+(:[^\s:\x00]+)?$", description="user, uid, user:group, uid:gid."
    )
    labels: dict[Text, Text] = Field(
        default_factory=dict, description="They become the task's tags, as far as AWS's rules for tags allow."
    )
    limits: Limits = Limits()
    platform: Annotated[Platform, Strict(False)] = Platform.X86_64
    ephemeral_storage_gib: int | None = Field(None, ge=21, le=200, description="Fargate gives 20 when left out.")
    efs_binds: Array[EfsBind] = Field((), max_length=32)
    task_role_arn: str | None = Field(None, pattern=ROLE.pattern, description="Default: the stack's.")
    injection: Annotated[Injection, Strict(False)] | None = Field(None, description="Default: the stack's.")
    token_delivery: Annotated[TokenDelivery, Strict(False)] | None = Field(None, description="Default: the stack's.")
    health_timeout: int | None = Field(
        None, ge=1, le=240, description="Seconds from the known address to the agent's answer. Default: the stack's."
    )
    start_timeout: int | None = Field(
        None, ge=1, le=86400, description="Seconds from the start to RUNNING, for each launch. Default: the stack's."
    )
    log: LogOptions | None = None

    @model_validator(mode="after")
    def _has_a_command(self) -> StartRequest:
        command = (*self.entrypoint, *self.cmd)
        if not command:
            raise PydanticCustomError(
                "no_command",
                "entrypoint and cmd are both empty, and ECS drops the image's own command because the agent takes "
                "its place; send the image's ENTRYPOINT and CMD (docker image inspect shows them), or "
                '["tail", "-f", "/dev/null"] as cmd for a container that only waits for exec',
            )
        if not command[0]:
            raise PydanticCustomError(
                "no_program", "{field}[0] is empty, but it names the program to run", {"field": self._first_field}
            )
        return self

    @model_validator(mode="after")
    def _one_bind_per_path(self) -> StartRequest:
        paths = [bind.container_path for bind in self.efs_binds]
        if repeated := sorted({path for path in paths if paths.count(path) > 1}):
            raise PydanticCustomError(
                "repeated",
                "efs_binds: container_path {paths} is mounted more than once",
                {"paths": ", ".join(repeated)},
            )
        return self

    @property
    def _first_field(self) -> str:
        return "entrypoint" if self.entrypoint else "cmd"


class StopRequest(_Strict):
    """One container to stop."""

    container_id: ContainerId
    reason: Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_check_text)] = "Stopped on request."
