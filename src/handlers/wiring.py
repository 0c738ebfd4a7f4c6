"""The composition root: settings, clients and use cases, built once per cold start and only when first needed.

But for the clients that every call of a function needs: in Lambda its module has them made while it is imported, in
the init phase, which has a whole CPU and is not waited for by the caller's first event alone (`prepare`;
operations.md "Memory and cold starts"). They need no setting of ours: what is wrong in the environment is raised
by the first call, in the words of `ConfigurationError`, and not as a function that cannot be initialised.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.config import Config

from core.adapters.definitions import BotoDefinitions
from core.adapters.dynamodb import DynamoStore
from core.adapters.ecs import BotoEcs
from core.adapters.logs import CloudWatchOutput
from core.adapters.registrations import DynamoRegistrations
from core.adapters.sqs import SqsProbeQueue
from core.adapters.ssm import SsmTokenVault
from core.control.container_output import PATIENCE, Listener
from core.control.describe import Looker
from core.control.leaked_tasks import Sighting
from core.control.patience import Patience
from core.control.perform import Performer
from core.control.rate_limit import Budget
from core.control.rate_limited import PacedTasks, SparingOutput
from core.control.settle import Settler
from core.launch.settings import Settings
from core.model.actions import ClaimLaunch, Relaunch
from core.model.errors import ConfigurationError, ReachError
from core.model.instants import truncate
from core.ports import Output, Tasks
from handlers import telemetry

_QUICK = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=2, read_timeout=5)
# ECS throttles by design (ecs.md 6): the adaptive mode slows the client down instead of hammering.
_THROTTLED = Config(retries={"mode": "adaptive", "max_attempts": 6}, connect_timeout=3, read_timeout=15)
# For work that can wait: a throttled call is not repeated, because the rate belongs to the starts.
_YIELDING = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=3, read_timeout=15)

# For the prober, which may stand in a VPC without a route to DynamoDB: packets are dropped then, so each try lasts as
# long as it may. Two tries of 2 s; whoever makes the call makes it again, or says what is missing (core.probe.prober).
_PROBER: Final = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=2)

# For what a container's end does not wait for: the function has to be done with it, answered or not.
_BRIEF = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)


TABLE: Final = ("dynamodb", _QUICK)
PROBER_TABLE: Final = ("dynamodb", _PROBER)
TASKS: Final = ("ecs", _THROTTLED)
YIELDING_TASKS: Final = ("ecs", _YIELDING)
PROBES: Final = ("sqs", _QUICK)
"""Clients by what they are for: the service, and how patient one is with it."""


_LAUNCHES: Final = (ClaimLaunch, Relaunch)
"""What only functions that may start tasks do."""


def prepare(*clients: tuple[str, Config]) -> None:
    """Makes these clients now if this is Lambda's init phase; elsewhere they are made when they are first needed."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for one in clients:
            _client(*one)


@cache
def _client(service: str, config: Config) -> Any:
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # the service is any of them


def now() -> datetime:
    """The clock: aware, UTC, whole milliseconds as the item keeps them."""
    return truncate(datetime.now(UTC))


@cache
def settings() -> Settings:
    """The environment, read once. Raises `ConfigurationError` at the first use of a function that is set up wrongly."""
    return Settings.from_env(os.environ)


@cache
def store() -> DynamoStore:
    """The containers table."""
    return DynamoStore(settings().table_name, _client(*TABLE))


@cache
def prober_store() -> DynamoStore:
    """The containers table, for the prober."""
    return DynamoStore(settings().table_name, _client(*PROBER_TABLE))


@cache
def registrations() -> DynamoRegistrations:
    """Whose turn it is to register a task definition, in the same table."""
    return DynamoRegistrations(settings().table_name, _client(*TABLE))


def patience() -> Patience:
    """The waiting of one start."""
    return Patience(monotonic=time.monotonic, sleep=time.sleep, random=random.random)


@cache
def ecs() -> BotoEcs:
    """The ECS API. What starts a task is repeated by the start itself (`core.control.run_task`), not by the SDK."""
    return BotoEcs(_client(*TASKS), lambda: _client(*YIELDING_TASKS))


@cache
def _yielding_ecs() -> BotoEcs:
    return BotoEcs(_client(*YIELDING_TASKS))


def paced_tasks(time_left: Callable[[], float]) -> PacedTasks:
    """The tasks of ECS within the budgets of one run, which ends after `time_left` seconds."""
    policy = settings().policy
    reads, changes = (
        Budget(
            rate=policy.reconcile_rate,
            most=policy.reconcile_calls,
            monotonic=time.monotonic,
            sleep=time.sleep,
            time_left=time_left,
        )
        for _ in range(2)
    )
    return PacedTasks(_yielding_ecs(), reads, changes)


@cache
def sightings() -> dict[str, Sighting | None]:
    """What the leak finder has seen of running tasks, while this process is warm."""
    return {}


@cache
def definitions() -> BotoDefinitions:
    """The task definitions, for the pass that retires them."""
    return BotoDefinitions(_client(*YIELDING_TASKS), cluster_arn())


def cluster_arn() -> str:
    """The cluster that tasks are started in. Raises `ConfigurationError`."""
    arn = settings().cluster_arn
    if arn is None:
        raise ConfigurationError("CLUSTER_ARN is not set: template.yaml sets it for this function.")
    return arn


@cache
def vault() -> SsmTokenVault:
    """The Parameter Store, for tokens delivered through it."""
    return SsmTokenVault(_client("ssm", _THROTTLED))


@cache
def queue() -> SqsProbeQueue:
    """The prober's queue."""
    url = settings().probe_queue_url
    if url is None:
        raise ConfigurationError("PROBE_QUEUE_URL is not set: template.yaml sets it for this function.")
    return SqsProbeQueue(url, _client(*PROBES))


@cache
def output(group: str) -> Output:
    """What containers printed, in the stack's log group and under its prefix."""
    return CloudWatchOutput(_client("logs", _BRIEF), group, settings().started_by_prefix)


def _raise(error: ReachError) -> None:
    raise error


@cache
def looker() -> Looker:
    """For a single record: what cannot be asked is raised."""
    return Looker(ecs(), now, settings().started_by_prefix, _raise)


@cache
def settler() -> Settler:
    """For start_container: it carries out everything a record owes."""
    return Settler(store(), settings().policy, _performer(ecs).table(), unfinished=telemetry.report)


@cache
def event_settler() -> Settler:
    """For task_state: the same, and it listens to containers whose end needs it."""
    return _listening(settler(), output, PATIENCE)


def paced_settler(tasks: PacedTasks) -> Settler:
    """For the reconciler: within its budgets. What it finds ended has ended long ago, so it waits for no output."""
    settler = Settler(store(), settings().policy, _performer(lambda: tasks).table(), unfinished=telemetry.report)
    return _listening(settler, lambda group: SparingOutput(output(group), tasks.reads.time_left), patience=0)


def _listening(settler: Settler, of_group: Callable[[str], Output], patience: float) -> Settler:
    """Without a log group of the stack's there is nothing to listen to, and no permission to."""
    group = settings().task_log_group
    if group is None:
        return settler
    listener = Listener(
        cache(lambda: of_group(group)), settings().policy, telemetry.unread, time.monotonic, time.sleep, patience
    )
    return replace(settler, explain=listener.explain)


@cache
def stopping_settler() -> Settler:
    """For stop_container, which may start nothing: a launch that is owed is the reconciler's."""
    performs = {kind: perform for kind, perform in _performer(ecs).table().items() if kind not in _LAUNCHES}
    return Settler(store(), settings().policy, performs, unfinished=telemetry.report)


def _performer(tasks: Callable[[], Tasks]) -> Performer:
    return Performer(tasks, queue, vault, now, settings(), _process())


@cache
def _process() -> str:
    """Lambda runs one invocation at a time in a process, so this names the invocation among those at work."""
    return uuid4().hex


@cache
def verdict_settler() -> Settler:
    """For the prober: it writes its verdict and leaves the rest to the reconciler (contract.md 8)."""
    return Settler(prober_store(), settings().policy)


@cache
def remarks_settler() -> Settler:
    """For what probers could only say in their log: it is written down, and nothing is done for it.

    The probe that is still owed is the reconciler's to send, at its own pace: sent from here, a probe that cannot
    succeed would be followed by the next one at once, for ever.
    """
    return Settler(store(), settings().policy)
