"""The composition root: settings, clients and use cases, built once per cold start and only when first needed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache

import boto3
from botocore.config import Config

from core.acting import Performer
from core.adapters.dynamodb import DynamoStore
from core.adapters.ecs import BotoEcs
from core.adapters.queue import SqsProbeQueue
from core.adapters.vault import SsmTokenVault
from core.errors import ConfigurationError, ReachError
from core.instants import truncate
from core.looking import Looker
from core.owed import Relaunch
from core.settings import Settings
from core.settle import Settler

_QUICK = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=2, read_timeout=5)
# ECS throttles by design (facts, section 6): the adaptive mode slows the client down instead of hammering.
_THROTTLED = Config(retries={"mode": "adaptive", "max_attempts": 6}, connect_timeout=3, read_timeout=15)


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
    return DynamoStore(settings().table_name, boto3.client("dynamodb", config=_QUICK))


@cache
def ecs() -> BotoEcs:
    """The ECS API."""
    return BotoEcs(boto3.client("ecs", config=_THROTTLED))


@cache
def vault() -> SsmTokenVault:
    """The Parameter Store, for tokens delivered through it."""
    return SsmTokenVault(boto3.client("ssm", config=_THROTTLED))


@cache
def queue() -> SqsProbeQueue:
    """The prober's queue."""
    url = settings().probe_queue_url
    if url is None:
        raise ConfigurationError("PROBE_QUEUE_URL is not set: template.yaml sets it for this function.")
    return SqsProbeQueue(url, boto3.client("sqs", config=_QUICK))


def _raise(error: ReachError) -> None:
    raise error


@cache
def looker() -> Looker:
    """For a single record: what cannot be asked is raised."""
    return Looker(ecs(), now, settings().started_by_prefix, _raise)


@cache
def settler() -> Settler:
    """For the functions outside the VPC: they carry out everything a record owes."""
    return Settler(store(), settings().policy, _performer().table())


@cache
def stopping_settler() -> Settler:
    """For stop_container, which may start nothing: a launch that is owed is the reconciler's."""
    performs = {kind: perform for kind, perform in _performer().table().items() if kind is not Relaunch}
    return Settler(store(), settings().policy, performs)


def _performer() -> Performer:
    return Performer(ecs, queue, vault, now, settings())


@cache
def verdict_settler() -> Settler:
    """For the prober: it writes its verdict and leaves the rest to the reconciler (contract, section 8)."""
    return Settler(store(), settings().policy)
