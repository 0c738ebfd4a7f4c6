"""Reads a function's environment once into a typed object. template.yaml sets it; docs/deploy.md lists it.

Settings that can never work are refused twice: by the template before a deployment, and here at a function's first
call. Texts have constraints (`core.launch.constraints`), numbers have bounds, and `NEEDS` lists the settings that need
another one. The template repeats them as AllowedPattern, MinValue and MaxValue, and Rules;
`tests/unit/test_parameters.py` gives both the same wrong values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

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
from core.launch.setting import SETTING, Setting, declared, ids, setting, word_of, words
from core.launch.volumes import is_access_point_of
from core.model.agent import AgentFlavor, Injection
from core.model.capacity import Capacity
from core.model.errors import ConfigurationError, Refused
from core.model.failure import Cause, ErrorCode, Failure
from core.model.networks import PRIVATE, networks
from core.model.policy import Policy

REQUIRED: Final = "table_name"
"""The setting without a default."""
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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of every function. template.yaml sets a function's own settings; the others keep their default."""

    table_name: str = field(metadata={SETTING: Setting("The containers table.", str)})
    probe_queue_url: str | None = setting(None, "The queue of the prober.")
    cluster_arn: str | None = setting(None, "The ECS cluster that tasks are started in.", CLUSTER)
    started_by_prefix: str = setting("sockerless", "The first part of RunTask's startedBy.", PREFIX)
    task_subnets: tuple[str, ...] = setting((), "Subnets of the tasks, comma-separated.", SUBNETS, read=ids)
    task_security_groups: tuple[str, ...] = setting(
        (), "The tasks' security groups, comma-separated.", SECURITY_GROUPS, read=ids
    )
    assign_public_ip: bool = setting(False, "Give tasks a public address (subnets without NAT).")
    execution_role_arn: str | None = setting(None, "Pulls images, writes logs, reads secrets.", ROLE)
    task_role_arn: str | None = setting(None, "Role of the container's AWS calls; EFS and S3 Files authorise it.", ROLE)
    efs_file_system_id: str | None = setting(None, "The file system with the agent binary.", FILE_SYSTEM)
    efs_access_point_id: str | None = setting(None, "Access point of the binary's directory.", ACCESS_POINT)
    s3_files_file_system_arn: str | None = setting(
        None, "The S3 Files file system with the agent binary.", S3_FILES_FILE_SYSTEM
    )
    s3_files_access_point_arn: str | None = setting(
        None, "Its access point of the binary's directory.", S3_FILES_ACCESS_POINT
    )
    agent_image: str | None = setting(None, "The image whose agent binary the init container copies.", IMAGE)
    agent_copy_command: tuple[str, ...] = setting(
        ("cp", "/sockerless-agent", "/sockerless-agent-volume/sockerless-agent"),
        "Command of the init container, comma-separated.",
        COMMAND,
        read=words,
    )
    agent_port: int = setting(9111, "The TCP port of the agent.", least=1, most=65535)
    agent_networks: tuple[str, ...] = setting(
        PRIVATE, "CIDR blocks, comma-separated, in which an agent may have its address.", NETWORKS, read=ids
    )
    agent_flavor: AgentFlavor = setting(AgentFlavor.SPEC, "spec, or sockerless for the public Sockerless agent.")
    injection: Injection | None = setting(
        None, "Forces a strategy; the default follows the file systems.", read=word_of(Injection)
    )
    token_delivery: TokenDelivery = setting(TokenDelivery.ENVIRONMENT, "environment or ssm.")
    task_log_group: str | None = setting(
        None, "A log group for the containers' output, which shows why an agent never ran.", LOG_GROUP
    )
    capacity: Capacity = setting(Capacity.ON_DEMAND, "on-demand, spot or spot-first, for requests that name none.")
    max_lifetime_seconds: int = setting(
        0, "From RUNNING to the stop, for requests that name none. 0: no limit.", least=0, most=MAX_LIFETIME
    )
    launch_attempts: int = setting(
        2, "Most tasks for one start request, when launches fail transiently.", least=1, most=10
    )
    health_timeout_seconds: float = setting(60.0, "From the known address to the agent's answer.", least=1, most=240)
    stop_timeout_seconds: int = setting(
        DEFAULT_STOP_TIMEOUT,
        "From the stop signal to the kill of a container.",
        least=MIN_STOP_TIMEOUT,
        most=MAX_STOP_TIMEOUT,
    )
    start_timeout_seconds: float = setting(
        300.0, "From the start request to RUNNING, for each launch.", least=1, most=86400
    )
    exit_check_seconds: float = setting(
        60.0, "Between two probes of a healthy agent that outlives its process.", least=60, most=86400
    )
    early_probe: bool = setting(False, "Probe from the PENDING event on, the first with the address.")
    probe_interval_seconds: float = setting(1.0, "Between two tries at an agent.", above=0)
    probe_request_timeout_seconds: float = setting(2.0, "Time-out of one try.", above=0)
    verify_agent_identity: bool = setting(True, "Check that an agent knows the container's token.")
    keep_unreachable_tasks: bool = setting(False, "Do not stop a task whose agent never answered.")
    keep_leaked_tasks: bool = setting(False, "Do not stop leaked tasks.")
    record_retention_days: float = setting(7.0, "How long ended items stay.", least=1, most=3650)
    watch_shards: int = setting(4, "Shards of the reconciler's index.", least=1, most=64)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Reads `TABLE_NAME`, `CLUSTER_ARN`, …: the field names in upper case. An empty value means an absent one.

        Raises `ConfigurationError` naming every variable that is wrong.
        """
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for name, known in declared(cls).items():
            # A CloudFormation parameter cannot be absent.
            if text := environ.get(name.upper()):
                try:
                    values[name] = known.value(text)
                except ValueError as exc:
                    wrong.append(f"{name.upper()} {exc}")
            elif name == REQUIRED:
                wrong.append(f"{name.upper()} is not set")
        if not wrong:
            settings = cls(**values)
            if not (wrong := list(settings._wanting())):
                return settings
        raise ConfigurationError(f"The environment of this function is not usable: {'; '.join(wrong)}.")

    def _wanting(self) -> Iterator[str]:
        """What is wrong between settings: what lacks what it needs, first of all."""
        yield from (str(need) for need in NEEDS if self._is_set(need) and not self._is_met(need))
        try:
            networks(self.agent_networks)
        except ValueError:
            yield "AGENT_NETWORKS has a block that is no network"
        if not is_access_point_of(self.s3_files_access_point_arn, self.s3_files_file_system_arn):
            yield "S3_FILES_ACCESS_POINT_ARN is no access point of S3_FILES_FILE_SYSTEM_ARN"

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


def wrong_request(wrong: Iterable[str], description: str = "") -> Refused:
    """The refusal of a request with these members wrong. `description`: where the right ones are found."""
    return invalid(
        f"The request cannot be carried out: {'; '.join(wrong)}. Nothing was written or started.",
        f"Correct it and send it again{description}.",
    )


def unconfigured(message: str, remedy: str, code: ErrorCode = ErrorCode.LAUNCH_FAILED) -> Refused:
    """The refusal of a start that needs a setting which the stack lacks."""
    return Refused(Failure(code, message, remedy, Cause.TASK_DEFINITION))
