"""A stack of its own whose functions reach their AWS through the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pytest

from local.cloud.environment import ENDPOINTS
from local.cloud.functions import warm
from tests.e2e.deployed import deployed
from tests.e2e.stack import Stack
from tests.faults.proxy import Ledger, between

HEALTH_TIMEOUT: Final = 30
"""Seconds. Ample for an agent that is one of many to start on a small machine at the same time."""
FUNCTIONS: Final = ("StartContainer", "TaskState", "AgentHealth", "StopContainer", "Reconcile")


class Watched(NamedTuple):
    """The stack, and what is known of its functions' calls."""

    stack: Stack
    ledger: Ledger


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of the matrix."""
    about = "every call in every way, or the first call of each operation in one way"
    parser.getgroup("faults").addoption("--matrix", choices=("full", "sample"), default="sample", help=about)


@pytest.fixture
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the whole matrix is wanted."""
    return bool(pytestconfig.getoption("matrix") == "full")


@pytest.fixture(scope="package")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The deployed stack. Its schedules are off: what its functions do is what the tests ask of them."""
    ledger = Ledger()
    with deployed(
        tmp_path_factory.mktemp("cloud"), HealthTimeoutSeconds=HEALTH_TIMEOUT, StartTimeoutSeconds=300
    ) as stack:
        cloud = stack.cloud
        table = cloud.client("dynamodb")

        def outrun(write: dict[str, Any]) -> bool:
            key = {"container_id": write["Item"]["container_id"]}
            found = table.get_item(TableName=write["TableName"], Key=key, ConsistentRead=True).get("Item", {})
            if "revision" in found:
                one = {":one": {"N": "1"}}
                table.update_item(
                    TableName=write["TableName"],
                    Key=key,
                    UpdateExpression="ADD revision :one",
                    ExpressionAttributeValues=one,
                )
            return "revision" in found

        def upstreams(service: str) -> str:
            return cloud.ecs_endpoint if service == "ecs" else cloud.endpoint

        with between(FUNCTIONS, upstreams, ledger, outrun) as endpoints:
            for function, endpoint in endpoints.items():
                _redirect(stack, function, endpoint)
            _without_schedules(cloud.client("scheduler"))
            warm(stack.functions, cloud.outputs)
            yield Watched(stack, ledger)


def _redirect(stack: Stack, function: str, endpoint: str) -> None:
    arn = stack.arn(function)
    variables = stack.functions.get_function_configuration(FunctionName=arn)["Environment"]["Variables"]
    variables |= dict.fromkeys(ENDPOINTS, endpoint)
    stack.functions.update_function_configuration(FunctionName=arn, Environment={"Variables": variables})


def _without_schedules(scheduler: Any) -> None:
    for listed in scheduler.list_schedules()["Schedules"]:
        one = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
        wanted = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
        scheduler.update_schedule(**{name: one[name] for name in wanted}, State="DISABLED")
