"""The local Fargate accepts each plan of the core, through boto3 and its validation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from core.launch.parse import parse_start_request
from core.launch.plan import LaunchPlan, plan_launch
from core.launch.settings import Settings
from core.model.errors import Refused
from tests.factories import TOKEN
from tests.unit.core.launch.requests import (
    COMPLETE_SETTINGS,
    DOCUMENTS,
    ECR_IMAGE,
    EXECUTION_ROLE,
    GROUP,
    PARAMETER,
    S3_ACCESS_POINT,
    S3_FILE_SYSTEM,
    SECRET,
    document,
    efs_settings,
    s3_settings,
    settings,
)
from tests.unit.local.fargate.harness import LocalServer

STANDSTILL = 1000.0
"""A speed at which no task leaves PROVISIONING while a test lasts, so that nothing is executed."""
AB, BA = {"A": "1", "B": "2"}, {"B": "2", "A": "1"}
_attempts = count(1)
"""A client token that was used for another run is a conflict."""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A local Fargate that answers and starts nothing."""
    with LocalServer(tmp_path_factory.mktemp("fargate"), speed=STANDSTILL) as running:
        yield running


def planned(stack: Settings, value: dict[str, Any], attempt: int | None = None) -> LaunchPlan:
    """The core's requests to ECS, at a new launch unless one is given. Raises `Refused`."""
    attempt = next(_attempts) if attempt is None else attempt
    return plan_launch(parse_start_request(value), stack, token=TOKEN, generation=1, attempt=attempt)


def take(server: LocalServer, plan: LaunchPlan) -> str:
    """Registers the definition and runs one task of it, as the start does: the task's ARN."""
    registered = server.ecs.register_task_definition(**plan.definition)["taskDefinition"]
    assert "FARGATE" in registered["compatibilities"]
    answer = server.ecs.run_task(**plan.run, taskDefinition=plan.definition["family"])
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    assert task["taskDefinitionArn"] == registered["taskDefinitionArn"]
    assert task["startedBy"] == plan.run["startedBy"]
    assert task["tags"] == plan.run.get("tags", [])
    return str(task["taskArn"])


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        (settings(), {}),
        (settings(), {"injection": "image", "cmd": ["tail", "-f", "/dev/null"]}),
        (settings(agent_copy_command=("/copy",)), {"platform": "ARM64", "user": "1000:1000", "working_dir": "/srv"}),
        (settings(), {"limits": {"nano_cpus": 32 * 10**9, "memory_mib": 249_856}, "ephemeral_storage_gib": 200}),
        (settings(), {"labels": {f"label-{number}": "Straße 1+2=3" for number in range(60)}}),
        (settings(), {"environment": {"LARGE": "ä" * 9000}}),
        (settings(task_security_groups=(), assign_public_ip=True), {"entrypoint": ["sh", "-c"], "cmd": ['echo "ä"']}),
        (settings(execution_role_arn=EXECUTION_ROLE), {"token_delivery": "ssm", "image": ECR_IMAGE}),
        (settings(), {"security_groups": [GROUP], "read_only_root": True, "cap_add": ["SYS_PTRACE"]}),
        (settings(execution_role_arn=EXECUTION_ROLE), {"secrets": {"A": f"{SECRET}:key::", "B": PARAMETER}}),
        (settings(execution_role_arn=EXECUTION_ROLE, task_log_group="/tasks"), {"log": {"mode": "non-blocking"}}),
        (settings(started_by_prefix="a" * 40), {}),
        (efs_settings(), {}),
        (efs_settings(efs_access_point_id=None), {}),
        (s3_settings(), {}),
        (s3_settings(s3_files_access_point_arn=None), {}),
        (
            s3_settings(),
            {
                "s3_files_binds": [
                    {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/a", "root_directory": "/data"},
                    {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/b", "access_point_arn": S3_ACCESS_POINT},
                ]
            },
        ),
        (
            efs_settings(),
            {
                "efs_binds": [
                    {"file_system_id": "fs-00000001", "container_path": "/a", "root_directory": "/data"},
                    {"file_system_id": "fs-00000002", "container_path": "/b", "access_point_id": "fsap-00000002"},
                ]
            },
        ),
    ],
)
def test_representative_plans_are_taken(still: LocalServer, stack: Settings, changes: dict[str, Any]) -> None:
    """Every strategy, platform, token delivery, kind of volume and of network, sizes and labels to their limits."""
    take(still, planned(stack, document(**changes)))


@given(DOCUMENTS, COMPLETE_SETTINGS)
@hypothesis_settings(max_examples=100)
def test_every_plan_is_taken(still: LocalServer, value: dict[str, Any], stack: Settings) -> None:
    """A request to a complete stack that the core accepts is accepted by ECS too."""
    try:
        plan = planned(stack, value)
    except Refused:
        return
    take(still, plan)


def test_a_retry_of_a_start_is_the_same_task(still: LocalServer) -> None:
    """A function that died after RunTask and starts again plans the same run, and ECS answers with the same task."""
    attempt = next(_attempts)
    first, second = (planned(settings(), document(environment=order), attempt) for order in (AB, BA))
    arn = take(still, first)
    again = still.ecs.run_task(**second.run, taskDefinition=second.definition["family"])
    assert [task["taskArn"] for task in again["tasks"]] == [arn]
