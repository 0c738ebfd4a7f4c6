"""The stack that is examined, as CloudFormation describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.model.agent import Injection
from core.model.capacity import Capacity
from reach.doctor.knowledge import Fact, NotAsked

FUNCTIONS: Final = (
    "TaskStateFunction",
    "AgentHealthFunction",
    "StartContainerFunction",
    "StopContainerFunction",
    "ReconcileFunction",
)
SCHEDULES: Final = ("ReconcileFunctionEveryMinute", "ReconcileFunctionEveryQuarter", "ReconcileFunctionEveryHour")
"""The logical ids that SAM makes of function and event."""
EXECUTION_ROLE: Final = "ExecutionRoleArn"
TASK_ROLE: Final = "TaskRoleArn"


@dataclass(frozen=True, slots=True)
class Deployed:
    """One stack. `resources`: logical -> physical id."""

    name: str
    region: str
    account: str
    partition: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Fact[Mapping[str, str]] = field(default=NotAsked("its resources were not listed"))

    def parameter(self, name: str) -> str:
        """Its value; empty where it is not set, and where an older template has no such parameter."""
        return self.parameters.get(name, "")

    def ids(self, name: str) -> list[str]:
        """The values of a parameter that is a list."""
        return [one for one in self.parameter(name).split(",") if one]

    def number(self, name: str, default: int) -> int:
        """A parameter that is a number."""
        return int(self.parameter(name) or default)

    @property
    def port(self) -> int:
        """The agent's."""
        return self.number("AgentPort", 9111)

    @property
    def public(self) -> bool:
        """Whether tasks have a public address."""
        return self.parameter("AssignPublicIp") == "true"

    @property
    def on_spot(self) -> bool:
        """Whether containers run on Spot unless their request says otherwise."""
        return self.parameter("Capacity") in (Capacity.SPOT, Capacity.SPOT_FIRST)

    @property
    def injection(self) -> Injection:
        """How the agent gets into a container whose request does not say."""
        named = self.parameter("InjectionStrategy")
        if named and named != "auto":
            return Injection(named)
        if self.parameter("EfsFileSystemId"):
            return Injection.EFS
        return Injection.S3_FILES if self.parameter("S3FilesFileSystemArn") else Injection.INIT_CONTAINER

    def arn(self, service: str, resource: str) -> str:
        """Of a resource in this stack's account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"
