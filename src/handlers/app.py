"""The composition root: settings, ports and observer of each function, made when they are first needed.

But Lambda makes the clients that every call of a function needs while its module is imported (`prepare`): the init
phase has a whole CPU (operations.md "Memory and cold starts"). They need no setting of ours, so what is wrong in the
environment is raised by the first call, as `ConfigurationError`, and not as a function that cannot be initialised.
"""

import os
from collections.abc import Callable
from copy import copy
from functools import cache, cached_property
from secrets import token_hex
from typing import Any, Final, Self
from uuid import uuid4

from botocore.config import Config
from botocore.session import Session

from core.adapters.clock import SystemClock
from core.adapters.dynamodb import DynamoStore
from core.adapters.ecs import BotoDefinitions, BotoEcs
from core.adapters.logs import CloudWatchOutput
from core.adapters.registrations import DynamoRegistrations
from core.adapters.sqs import SqsProbeQueue
from core.adapters.ssm import SsmTokenVault
from core.adapters.start_times import DynamoStartTimes
from core.control.background_run import limited
from core.control.perform import OUTPUT_PATIENCE
from core.launch.settings import Settings
from core.model.actions import Action, ClaimLaunch, DescribeTask, EraseToken, ReadOutput, Relaunch, SendProbe, StopTask
from core.model.errors import ConfigurationError
from core.model.policy import Policy
from core.ports import (
    Clock,
    Definitions,
    Ecs,
    Observer,
    Output,
    ProbeQueue,
    Registrations,
    StartTimes,
    Store,
    TokenVault,
)
from handlers.telemetry import Telemetry

MAY_PERFORM: Final[dict[str, frozenset[type[Action]]]] = {
    "TaskStateFunction": frozenset({SendProbe, DescribeTask, StopTask, ClaimLaunch, Relaunch, EraseToken, ReadOutput}),
    # It may read no output: an end that only the output explains is the reconciler's.
    "StartContainerFunction": frozenset({SendProbe, DescribeTask, StopTask, ClaimLaunch, Relaunch, EraseToken}),
    # It may start no task either: a launch that is pending is the reconciler's.
    "StopContainerFunction": frozenset({SendProbe, DescribeTask, StopTask, EraseToken}),
    # In the VPC it reaches the agents and DynamoDB alone (contract.md 8): it writes its verdict.
    "AgentHealthFunction": frozenset(),
    "ReconcileFunction": frozenset({SendProbe, DescribeTask, StopTask, ClaimLaunch, Relaunch, EraseToken, ReadOutput}),
}
"""Which function may perform which actions. Its role in template.yaml allows the calls of these, and of no others."""

# Every client gives up before its function has to end, so that a service that does not answer is an error with a name,
# and what comes after it is done.
QUICK: Final = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=4)
# For a caller that waits. ECS throttles by design (ecs.md 6): the adaptive mode slows the client down instead of
# hammering.
_THROTTLED: Final = Config(retries={"mode": "adaptive", "total_max_attempts": 6}, connect_timeout=3, read_timeout=4)
# For work that can wait: a throttled call is not repeated, because the rate belongs to the starts.
YIELDING: Final = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=3, read_timeout=15)
# For the prober, which may stand in a VPC without a route to DynamoDB: packets are dropped then, so each try lasts as
# long as it may. Two tries of 2 s; the caller repeats the call, or reports what is missing (core.probe.prober).
_PROBER: Final = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=2)
# For optional reads: fail fast, a container's end must not wait for them.
_BRIEF: Final = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)

TABLE: Final = ("dynamodb", QUICK)
PROBER_TABLE: Final = ("dynamodb", _PROBER)
TASKS: Final = ("ecs", _THROTTLED)
YIELDING_TASKS: Final = ("ecs", YIELDING)
PROBES: Final = ("sqs", QUICK)
LOGS: Final = ("logs", _BRIEF)
"""Clients by what they are for: the service, and how patient one is with it."""


def prepare(*clients: tuple[str, Config]) -> None:
    """Makes these clients now if this is Lambda's init phase; elsewhere they are made when they are first needed."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for one in clients:
            _client(*one)


@cache
def _session() -> Session:
    """Botocore's own: boto3 adds resources and transfers of files, which no function needs and every start imports."""
    return Session()


@cache
def _client(service: str, config: Config) -> Any:
    return _session().create_client(service, config=config)


@cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


class App:
    """`core.ports.Ports` of one function. Settings, clients and ports are made when they are first needed.

    A setting that this needs and that is missing or wrong raises `ConfigurationError`.
    """

    clock: Clock = SystemClock()
    observer: Observer = Telemetry()
    process: Final = uuid4().hex
    """Of all functions in this process."""

    def __init__(
        self,
        function: str,
        *,
        performs: frozenset[type[Action]] | None = None,
        table: tuple[str, Config] = TABLE,
        patience: Config = _THROTTLED,
        output_patience: float = OUTPUT_PATIENCE,
    ) -> None:
        """`patience`: with ECS, Systems Manager and SQS."""
        self.performs = MAY_PERFORM[function] if performs is None else performs
        self.output_patience = output_patience
        self._table, self._patience = table, patience

    def within(self, time_left: Callable[[], float]) -> Self:
        """The same for one background run, which ends after `time_left` seconds and leaves rate to others."""
        _ = self.policy  # first: a wrong setting is told before a client is made, which takes credentials
        run = copy(self)
        run.ecs, run.output, run.vault, run.queue = limited(self, time_left)
        return run

    @property
    def settings(self) -> Settings:
        return _settings()

    @property
    def policy(self) -> Policy:
        return self.settings.policy

    @property
    def cluster_arn(self) -> str:
        return _required(self.settings.cluster_arn, "CLUSTER_ARN")

    def new_token(self) -> str:
        return token_hex(32)

    @cached_property
    def store(self) -> Store:
        return DynamoStore(self.settings.table_name, _client(*self._table))

    @cached_property
    def registrations(self) -> Registrations:
        return DynamoRegistrations(self.settings.table_name, _client(*self._table))

    @cached_property
    def start_times(self) -> StartTimes:
        return DynamoStartTimes(self.settings.table_name, _client(*self._table))

    @cached_property
    def ecs(self) -> Ecs:
        """What starts a task is repeated by the start itself (`core.control.run_task`), not by the SDK."""
        return BotoEcs(_client("ecs", self._patience), lambda: _client(*YIELDING_TASKS))

    @cached_property
    def definitions(self) -> Definitions:
        return BotoDefinitions(_client(*YIELDING_TASKS), self.cluster_arn)

    @cached_property
    def vault(self) -> TokenVault:
        return SsmTokenVault(_client("ssm", self._patience))

    @cached_property
    def queue(self) -> ProbeQueue:
        url = _required(self.settings.probe_queue_url, "PROBE_QUEUE_URL")
        return SqsProbeQueue(url, _client("sqs", self._patience))

    @cached_property
    def output(self) -> Output | None:
        group = self.settings.task_log_group
        if group is None or ReadOutput not in self.performs:
            return None
        return CloudWatchOutput(_client(*LOGS), group, self.settings.started_by_prefix)


def _required(value: str | None, variable: str) -> str:
    if value is None:
        raise ConfigurationError(f"{variable} is not set: template.yaml sets it for this function.")
    return value
