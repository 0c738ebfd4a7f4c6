"""AWS's token buckets in front of the local control plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.fargate.api.errors import AwsError
from local.fargate.api.rates import RATES, Rates
from tests.unit.local.fargate.harness import LocalServer, refused


def taken(rates: Rates, operation: str) -> int:
    """How many calls the bucket takes at this instant."""
    calls = 0
    while True:
        try:
            rates.take(operation)
        except AwsError:
            return calls
        calls += 1


@pytest.mark.parametrize("rate", RATES)
def test_a_burst_is_taken_and_then_so_many_a_second(rate: Any) -> None:
    """A full bucket, and its refill since; the smaller of two buckets limits an operation."""
    now = [0.0]
    for operation in rate.operations:
        rates = Rates(lambda: now[0])
        of_it = [one for one in RATES if operation in one.operations]
        assert taken(rates, operation) == min(one.burst for one in of_it)
        now[0] += 1
        assert taken(rates, operation) == min(one.refill for one in of_it)
        now[0] += 3600
        assert taken(rates, operation) == min(one.burst for one in of_it)


def test_operations_of_one_bucket_share_it() -> None:
    """RunTask and StopTask share a bucket."""
    rates = Rates(lambda: 0.0)
    assert taken(rates, "StopTask") == 100
    assert taken(rates, "RunTask") == 0
    assert taken(rates, "DescribeTasks") == 100


def test_the_server_throttles_as_ecs_does(tmp_path: Path) -> None:
    """A throttled call has ECS's code; without rates no call is throttled."""
    with LocalServer(tmp_path, rates=Rates(lambda: 0.0)) as server:
        for _ in range(5):
            server.ecs.delete_task_definitions(taskDefinitions=["a:1"])
        assert refused(server.ecs.delete_task_definitions, taskDefinitions=["a:1"]) == (
            "ThrottlingException",
            "Rate exceeded",
        )
    with LocalServer(tmp_path / "free") as server:
        for _ in range(10):
            server.ecs.delete_task_definitions(taskDefinitions=["a:1"])
