"""Reads a function's environment once into a typed object. template.yaml sets it; docs/deploy.md lists it.

Settings that can never work are refused twice: by the template before a deployment, and here at a function's first
call. Texts have constraints (`core.launch.constraints`), numbers have bounds, and `NEEDS` lists the settings that need
another one. The template repeats them as AllowedPattern, MinValue and MaxValue, and Rules;
`tests/unit/test_parameters.py` gives both the same wrong values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from core.launch.constraints import (
    ACCESS_POINT,
    CLUSTER,
    COMMAND,
    FILE_SYSTEM,
    IMAGE,
    LOG_GROUP,
    NETWORKS,
    PREFIX,
    ROLE,
    S3_FILES_ACCESS_POINT,
    S3_FILES_FILE_SYSTEM,
    SECURITY_GROUPS,
    SUBNETS,
)
from core.launch.ecs_rules import DEFAULT_STOP_TIMEOUT, MAX_STOP_TIMEOUT, MIN_STOP_TIMEOUT
from core.launch.volumes import is_access_point_of
from core.model.agent import AgentFlavor, Injection
from core.model.capacity import Capacity
from core.model.errors import ConfigurationError, Refused
from core.model.failure import Cause, ErrorCode, Failure
from core.model.networks import PRIVATE, networks
from core.model.policy import Policy

MAX_LIFETIME: Final = 14 * 24 * 3600
"""Seconds. AWS retires hosts of Fargate after a while, so a task lasts no longer for certain."""


class TokenDelivery(StrEnum):
    """Where the task gets the agent's token from (contract.md 5)."""

    ENVIRONMENT = "environment"
    SSM = "ssm"


@dataclass(frozen=True, slots=True)
class Need:
    """`setting` cannot work without `needed`; with a `value`, only that value of `setting` cannot.

    `least`: the number that `needed` has to be.
    """

    setting: str
    needed: str
    value: StrEnum | None = None
    least: int | None = None

    def __str__(self) -> str:
        value = f" {self.value}" if self.value else ""
        wanting = ", which is not set" if self.least is None else f" of {self.least} or more"
        return f"{self.setting.upper()}{value} needs {self.needed.upper()}{wanting}"


NEEDS: Final = (
    Need("injection", "efs_file_system_id", Injection.EFS),
    Need("injection", "s3_files_file_system_arn", Injection.S3_FILES),
    Need("injection", "task_role_arn", Injection.S3_FILES),
    Need("injection", "agent_image", Injection.INIT_CONTAINER),
    Need("efs_access_point_id", "efs_file_system_id"),
    Need("s3_files_access_point_arn", "s3_files_file_system_arn"),
    Need("token_delivery", "execution_role_arn", TokenDelivery.SSM),
    Need("task_log_group", "execution_role_arn"),
    Need("capacity", "launch_attempts", Capacity.SPOT_FIRST, least=2),  # On-Demand is another launch
)
"""The template has a Rule for each one."""


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _split_ids(value: Any) -> Any:
    """Splits as CloudFormation does: a blank becomes part of an id and makes it wrong."""
    return tuple(value.split(",")) if isinstance(value, str) else value


T = TypeVar("T")
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_split_ids)]


def _setting(default: T, description: str, **bounds: Any) -> T:
    """`bounds` are `Field`'s: `ge`, `gt`, `le`."""
    field: T = Field(default, description=description, **bounds)
    return field


class Settings(BaseModel):
    """Every setting of every function. template.yaml sets a function's own settings; the others keep their default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    table_name: str = Field(description="The containers table.")
    probe_queue_url: str | None = _setting(None, "The queue of the prober.")
    cluster_arn: Annotated[str | None, CLUSTER] = _setting(None, "The ECS cluster that tasks are started in.")
    started_by_prefix: Annotated[str, PREFIX] = _setting("sockerless", "The first part of RunTask's startedBy.")
    task_subnets: Annotated[Ids, SUBNETS] = _setting((), "Subnets of the tasks, comma-separated.")
    task_security_groups: Annotated[Ids, SECURITY_GROUPS] = _setting((), "The tasks' security groups, comma-separated.")
    assign_public_ip: bool = _setting(False, "Give tasks a public address (subnets without NAT).")
    execution_role_arn: Annotated[str | None, ROLE] = _setting(None, "Pulls images, writes logs, reads secrets.")
    task_role_arn: Annotated[str | None, ROLE] = _setting(
        None, "Role of the container's AWS calls; EFS and S3 Files authorise it."
    )
    efs_file_system_id: Annotated[str | None, FILE_SYSTEM] = _setting(None, "The file system with the agent binary.")
    efs_access_point_id: Annotated[str | None, ACCESS_POINT] = _setting(None, "Access point of the binary's directory.")
    s3_files_file_system_arn: Annotated[str | None, S3_FILES_FILE_SYSTEM] = _setting(
        None, "The S3 Files file system with the agent binary."
    )
    s3_files_access_point_arn: Annotated[str | None, S3_FILES_ACCESS_POINT] = _setting(
        None, "Its access point of the binary's directory."
    )
    agent_image: Annotated[str | None, IMAGE] = _setting(
        None, "The image whose agent binary the init container copies."
    )
    agent_copy_command: Annotated[Words, COMMAND] = _setting(
        ("cp", "/sockerless-agent", "/sockerless-agent-volume/sockerless-agent"),
        "Command of the init container, comma-separated.",
    )
    agent_port: int = _setting(9111, "The TCP port of the agent.", ge=1, le=65535)
    agent_networks: Annotated[Ids, NETWORKS] = _setting(
        PRIVATE, "CIDR blocks, comma-separated, in which an agent may have its address."
    )
    agent_flavor: AgentFlavor = _setting(AgentFlavor.SPEC, "spec, or sockerless for the public Sockerless agent.")
    injection: Injection | None = _setting(None, "Forces a strategy; the default follows the file systems.")
    token_delivery: TokenDelivery = _setting(TokenDelivery.ENVIRONMENT, "environment or ssm.")
    task_log_group: Annotated[str | None, LOG_GROUP] = _setting(
        None, "A log group for the containers' output, which shows why an agent never ran."
    )
    capacity: Capacity = _setting(Capacity.ON_DEMAND, "on-demand, spot or spot-first, for requests that name none.")
    max_lifetime_seconds: int = _setting(
        0, "From RUNNING to the stop, for requests that name none. 0: no limit.", ge=0, le=MAX_LIFETIME
    )
    launch_attempts: int = _setting(2, "Most tasks for one start request, when launches fail transiently.", ge=1, le=10)
    health_timeout_seconds: float = _setting(60, "From the known address to the agent's answer.", ge=1, le=240)
    stop_timeout_seconds: int = _setting(
        DEFAULT_STOP_TIMEOUT,
        "From the stop signal to the kill of a container.",
        ge=MIN_STOP_TIMEOUT,
        le=MAX_STOP_TIMEOUT,
    )
    start_timeout_seconds: float = _setting(300, "From the start request to RUNNING, for each launch.", ge=1, le=86400)
    exit_check_seconds: float = _setting(
        60, "Between two probes of a healthy agent that outlives its process.", ge=60, le=86400
    )
    early_probe: bool = _setting(False, "Probe from the PENDING event on, the first with the address.")
    probe_interval_seconds: float = _setting(1, "Between two tries at an agent.", gt=0)
    probe_request_timeout_seconds: float = _setting(2, "Time-out of one try.", gt=0)
    verify_agent_identity: bool = _setting(True, "Check that an agent knows the container's token.")
    keep_unreachable_tasks: bool = _setting(False, "Do not stop a task whose agent never answered.")
    keep_leaked_tasks: bool = _setting(False, "Do not stop leaked tasks.")
    record_retention_days: float = _setting(7, "How long ended items stay.", ge=1, le=3650)
    watch_shards: int = _setting(4, "Shards of the reconciler's index.", ge=1, le=64)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Reads `TABLE_NAME`, `CLUSTER_ARN`, …: the field names in upper case. An empty value means an absent one.

        Raises `ConfigurationError` naming every variable that is wrong.
        """
        # A CloudFormation parameter cannot be absent.
        values = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            wrong = "; ".join(
                f"{'.'.join(str(part).upper() for part in error['loc'])} {error['msg']}".lstrip()
                for error in exc.errors(include_url=False, include_input=False)
            )
            raise ConfigurationError(f"The environment of this function is not usable: {wrong}.") from exc

    @model_validator(mode="after")
    def _networks_are_networks(self) -> Settings:
        try:
            networks(self.agent_networks)
        except ValueError as exc:
            raise PydanticCustomError("networks", "AGENT_NETWORKS has a block that is no network") from exc
        return self

    @model_validator(mode="after")
    def _nothing_lacks_what_it_needs(self) -> Settings:
        wanting = [need for need in NEEDS if self._is_set(need) and not self._is_met(need)]
        if wanting:
            raise PydanticCustomError("need", "; ".join(map(str, wanting)))
        if not is_access_point_of(self.s3_files_access_point_arn, self.s3_files_file_system_arn):
            raise PydanticCustomError(
                "access_point", "S3_FILES_ACCESS_POINT_ARN is no access point of S3_FILES_FILE_SYSTEM_ARN"
            )
        return self

    def _is_set(self, need: Need) -> bool:
        value = getattr(self, need.setting)
        return bool(value) if need.value is None else value == need.value

    def _is_met(self, need: Need) -> bool:
        value = getattr(self, need.needed)
        return bool(value) if need.least is None else value >= need.least

    def require_cluster(self, consequence: str = "") -> str:
        """The cluster's ARN. Raises `Refused`."""
        if self.cluster_arn is None:
            raise unconfigured(
                f"No cluster is configured{consequence}.",
                "Set CLUSTER_ARN (stack parameter ClusterName) to the cluster that this stack listens to.",
            )
        return self.cluster_arn

    @property
    def policy(self) -> Policy:
        """The settings that the pure core decides by."""
        return Policy(
            agent_port=self.agent_port,
            agent_networks=networks(self.agent_networks),
            task_subnets=self.task_subnets,
            early_probe=self.early_probe,
            launch_attempts=self.launch_attempts,
            health_timeout=self.health_timeout_seconds,
            start_timeout=self.start_timeout_seconds,
            exit_check=self.exit_check_seconds,
            probe_interval=self.probe_interval_seconds,
            probe_request_timeout=self.probe_request_timeout_seconds,
            keep_unreachable=self.keep_unreachable_tasks,
            keep_leaked=self.keep_leaked_tasks,
            reads_output=self.task_log_group is not None,
            retention=self.record_retention_days * 24 * 3600,
            watch_shards=self.watch_shards,
        )


def invalid(message: str, remedy: str) -> Refused:
    """The refusal of a request that is wrong, or that this stack cannot carry out."""
    return Refused(Failure(ErrorCode.INVALID_REQUEST, message, remedy))


def unconfigured(message: str, remedy: str, code: ErrorCode = ErrorCode.LAUNCH_FAILED) -> Refused:
    """The refusal of a start that needs a setting which the stack lacks."""
    return Refused(Failure(code, message, remedy, Cause.TASK_DEFINITION))
