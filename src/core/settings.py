"""The environment of a function, read once into a typed object. template.yaml sets it; the README lists it.

An empty value is the same as an absent one, because a CloudFormation parameter cannot be absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.errors import ConfigurationError
from core.policy import Policy
from core.record import Injection


class TokenDelivery(StrEnum):
    """Where the task gets the agent's token from (contract, section 5)."""

    ENVIRONMENT = "environment"
    SSM = "ssm"


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]

AGENT_DIRECTORY: Final = "/sockerless-agent"
AGENT_NAME: Final = "sockerless-agent"


class Settings(BaseModel):
    """Every setting of every function; each function is given the ones it needs and the rest keep their default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    table_name: str = Field(description="The containers table.")
    probe_queue_url: str | None = Field(None, description="The queue of the prober.")
    cluster_arn: str | None = Field(None, description="The ECS cluster that tasks are started in.")
    started_by_prefix: str = Field(
        "sockerless", pattern=r"^[A-Za-z0-9_-]{1,40}$", description="The first part of RunTask's startedBy."
    )
    task_subnets: Names = Field((), description="Subnets of the tasks, comma-separated.")
    task_security_groups: Names = Field((), description="Security groups of the tasks, comma-separated.")
    assign_public_ip: bool = Field(False, description="Give tasks a public address (subnets without NAT).")
    execution_role_arn: str | None = Field(None, description="Pulls images, writes logs, reads secrets.")
    task_role_arn: str | None = Field(None, description="The role of the container's own AWS calls; EFS IAM uses it.")
    efs_file_system_id: str | None = Field(None, description="The file system that holds the agent binary.")
    efs_access_point_id: str | None = Field(None, description="Its access point, rooted at the binary's directory.")
    agent_image: str = Field("sockerless/agent:latest", description="The image whose init container copies the binary.")
    agent_copy_command: Names = Field(
        ("cp", "/sockerless-agent", "/sockerless-agent-volume/sockerless-agent"),
        description="What the init container runs, comma-separated.",
    )
    agent_port: int = Field(9111, ge=1, le=65535, description="The TCP port of the agent.")
    injection: Injection | None = Field(None, description="Forces a strategy; the default follows the EFS setting.")
    token_delivery: TokenDelivery = Field(TokenDelivery.ENVIRONMENT, description="environment or ssm.")
    task_log_group: str | None = Field(
        None, description="A log group for the containers' output, which tells why an agent never ran."
    )
    launch_attempts: int = Field(
        2, ge=1, le=10, description="Tasks started for one start request at most, when a launch fails transiently."
    )
    health_timeout_seconds: float = Field(60, gt=0, le=240, description="From eni-resolved to the agent's answer.")
    start_timeout_seconds: float = Field(300, gt=0, description="From pending to RUNNING.")
    early_probe: bool = Field(False, description="Probe from the PENDING event on, which shows the address first.")
    probe_interval_seconds: float = Field(1, gt=0, description="Between two tries at the agent.")
    probe_request_timeout_seconds: float = Field(2, gt=0, description="Of one try.")
    verify_agent_identity: bool = Field(
        True, description="Believe an agent only once it has shown that it knows the container's token."
    )
    keep_unreachable_tasks: bool = Field(False, description="Leave a task whose agent never answered running.")
    keep_leaked_tasks: bool = Field(False, description="Leave tasks of ours that no record wants running.")
    record_retention_days: float = Field(7, gt=0, description="How long ended items stay.")
    watch_shards: int = Field(4, ge=1, le=64, description="Shards of the reconciler's index.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Reads `TABLE_NAME`, `CLUSTER_ARN`, …: the field names in upper case.

        Raises `ConfigurationError` naming every variable that is wrong.
        """
        values = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())}
        try:
            return cls.model_validate(values)
        except ValidationError as exc:
            wrong = "; ".join(
                f"{'.'.join(str(part).upper() for part in error['loc']) or 'settings'}: {error['msg']}"
                for error in exc.errors(include_url=False, include_input=False)
            )
            raise ConfigurationError(f"The environment of this function is not usable: {wrong}.") from exc

    @model_validator(mode="after")
    def _strategy_has_its_parts(self) -> Settings:
        if self.injection is Injection.EFS and not self.efs_file_system_id:
            raise ValueError("INJECTION is efs, so EFS_FILE_SYSTEM_ID must be set (stack parameter EfsFileSystemId)")
        return self

    @property
    def policy(self) -> Policy:
        """The part that the pure core decides by."""
        return Policy(
            agent_port=self.agent_port,
            task_subnets=self.task_subnets,
            early_probe=self.early_probe,
            launch_attempts=self.launch_attempts,
            health_timeout=self.health_timeout_seconds,
            start_timeout=self.start_timeout_seconds,
            probe_interval=self.probe_interval_seconds,
            probe_request_timeout=self.probe_request_timeout_seconds,
            keep_unreachable=self.keep_unreachable_tasks,
            keep_leaked=self.keep_leaked_tasks,
            retention=self.record_retention_days * 24 * 3600,
            watch_shards=self.watch_shards,
        )
