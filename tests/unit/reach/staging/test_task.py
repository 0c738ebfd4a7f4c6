from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.validate import ParamValidator

from core.launch.request import Platform
from core.launch.settings import Settings
from core.model.identity import parse_started_by
from local.fargate.rules import violations
from reach import Refused
from reach.staging import script
from reach.staging.access import Access
from reach.staging.target import settings_of
from reach.staging.task import DIRECTORY, STAGE, Order, check, definition, run_request
from tests.moto_aws import client
from tests.unit.reach.staging.stacks import EFS, EXECUTION, ROLE, STACK

ACCESS = Access("fs-0a1b2c3d", "/bin", "arn:aws:iam::123456789012:role/staging", point="fsap-0a1b2c3d")
COPYING = Order("0a1b2c3d", "busybox:1", Platform.ARM64, copies=True, cluster="default", region="us-east-1")
LISTING = replace(COPYING, copies=False)
ARGUMENTS = script.listing(DIRECTORY, "0a1b2c3d")


def settings(**values: str) -> Settings:
    return settings_of("reach", {**STACK, **EFS, "AgentImage": "agent:1", **values})


def containers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in document["containerDefinitions"]}


@pytest.mark.parametrize("order", [COPYING, LISTING], ids=["copies", "lists"])
@pytest.mark.parametrize("access", [ACCESS, replace(ACCESS, point=None, path="/")], ids=["access point", "root"])
def test_ecs_takes_the_documents(order: Order, access: Access) -> None:
    """They break no rule of ECS, and have no member that its API does not know."""
    document = definition(settings(), order, access, ARGUMENTS)
    request = run_request(settings(), order, "arn:aws:ecs:us-east-1:123456789012:task-definition/x:1")
    assert list(violations(document)) == []
    model = client("ecs").meta.service_model
    for operation, parameters in (("RegisterTaskDefinition", document), ("RunTask", request)):
        shape = model.operation_model(operation).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_the_agent_is_copied_as_by_the_init_container() -> None:
    """The same command in the same image, as root, into a volume that the script's container only reads."""
    both = containers(definition(settings(AgentCopyCommand="/agent,copy"), COPYING, ACCESS, ARGUMENTS))
    copy, stage = both["init"], both[STAGE]
    assert (copy["image"], copy["entryPoint"], copy["command"]) == ("agent:1", ["/agent"], ["copy"])
    assert (stage["image"], stage["essential"], copy["essential"]) == ("busybox:1", True, False)
    assert stage["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}]
    [written] = copy["mountPoints"]
    assert {**written, "readOnly": True} in stage["mountPoints"]


def test_only_the_script_mounts_the_file_system() -> None:
    """The agent image cannot write there. The mount is encrypted, by IAM and the access point."""
    document = definition(settings(), COPYING, ACCESS, ARGUMENTS)
    mounting = [
        name
        for name, one in containers(document).items()
        if any(point["sourceVolume"] == "directory" for point in one["mountPoints"])
    ]
    assert mounting == [STAGE]
    [volume] = [one for one in document["volumes"] if "efsVolumeConfiguration" in one]
    assert volume["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-0a1b2c3d",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-0a1b2c3d", "iam": "ENABLED"},
    }


def test_nothing_is_copied_for_a_listing_or_a_switch() -> None:
    """One container, and no agent image."""
    document = definition(settings(AgentImage=""), LISTING, ACCESS, ARGUMENTS)
    assert containers(document).keys() == {STAGE}
    assert [one["name"] for one in document["volumes"]] == ["directory"]


def test_the_roles() -> None:
    """That of staging for the task, in place of the tasks' own; the stack's for ECS."""
    document = definition(settings(), COPYING, ACCESS, ARGUMENTS)
    assert (document["taskRoleArn"], document["executionRoleArn"]) == (ACCESS.role, EXECUTION)
    assert document["taskRoleArn"] != ROLE
    assert document["runtimePlatform"]["cpuArchitecture"] == "ARM64"


@pytest.mark.parametrize("public", ["true", "false"])
def test_it_runs_where_the_containers_run(public: str) -> None:
    """In the stack's subnets and security groups, with a public address where they have one."""
    request = run_request(settings(AssignPublicIp=public), COPYING, "definition")
    network = request["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {
        "subnets": ["subnet-00000001", "subnet-00000002"],
        "securityGroups": ["sg-00000001"],
        "assignPublicIp": "ENABLED" if public == "true" else "DISABLED",
    }


@pytest.mark.parametrize("prefix", ["sockerless", "reach-stage-agent", "reach"])
def test_no_stack_takes_it_for_its_own(prefix: str) -> None:
    """Neither by its events nor as a leaked task: its startedBy has no slash, whatever the stack's prefix is."""
    started_by = run_request(settings(), COPYING, "definition")["startedBy"]
    assert not started_by.startswith(f"{prefix}/")
    assert parse_started_by(prefix, started_by) is None


@pytest.mark.parametrize("missing", ["TaskSubnets", "TaskLogGroup"])
def test_what_the_stack_lacks_is_named(missing: str) -> None:
    """Before anything is made."""
    check("reach", settings())
    with pytest.raises(Refused, match=f"has no {missing}, .*What to do: deploy with {missing}"):
        check("reach", settings(**{missing: ""}))
