from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from core.adapters.clock import SystemClock
from reach.stack import opening, waiting
from reach.stack.outputs import NAME_VARIABLE, VARIABLES
from tests.factories import at
from tests.moto_aws import REGION, moto_aws
from tests.unit.reach.deployment import Deployment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Neither AWS nor a stack of the caller's: a region and credentials that open nothing."""
    for name in [one for one in os.environ if one.startswith("AWS_")] + [NAME_VARIABLE, *VARIABLES.values()]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return monkeypatch


@pytest.fixture
def account(environment: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    with moto_aws():
        yield


@pytest.fixture
def deployment(account: None, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployed stack. It is 100 s after the start of the usual container, and sleeping takes no time."""
    monkeypatch.setattr(SystemClock, "now", lambda _: at(100))
    passed = [0.0]
    deployment = Deployment()

    def sleep(_: SystemClock, seconds: float) -> None:
        passed[0] += seconds
        deployment.sleep()

    monkeypatch.setattr(SystemClock, "monotonic", lambda _: passed[0])
    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(opening, "aws_client", deployment.client)
    # A record of a test may be older than what the function wrote: a wait counts it at its end.
    monkeypatch.setattr(waiting, "LONGEST", 100.0)
    return deployment
