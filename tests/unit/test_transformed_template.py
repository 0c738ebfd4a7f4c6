"""template.yaml after the SAM transform, as CloudFormation gets it: names, and what cfn-lint says of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.transformed import CHOICES, TRANSFORMED, Deployed, expanded

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1"]
# Types whose resources the template names, and why.
NAMED = {
    "AWS::Logs::LogGroup": "Lambda's own default, so that a function's log is where everybody looks for it",
    "AWS::CloudWatch::Dashboard": "its address is an output, and is to be recognised in the console",
}
# Types whose names are one namespace for all Regions of an account.
GLOBAL = {"AWS::CloudWatch::Dashboard", "AWS::IAM::Role"}


def schema(kind: str) -> dict[str, Any]:
    """CloudFormation's own schema of a resource type."""
    found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return found


def name_property(kind: str) -> str | None:
    """The property by which a resource of this type can be given a name: `QueueName`, `GroupName`, `Name`.

    It is called as the type is, or as its end, can be written, and makes another resource when it is changed. A
    `FunctionName` of a permission names another resource.
    """
    own, last = schema(kind), kind.rsplit("::", maxsplit=1)[-1]
    for pointer in (*own.get("primaryIdentifier", ()), *own.get("createOnlyProperties", ())):
        name = pointer.removeprefix("/properties/")
        if name.endswith("Name") and last.endswith(name.removesuffix("Name")):
            return None if pointer in own.get("readOnlyProperties", ()) else str(name)
    return None


def names(stack: Deployed) -> Iterator[tuple[str, str, str]]:
    """Logical id, type and name of each resource that is given one."""
    for logical_id, kind, properties in stack.resources():
        own = name_property(kind)
        if own is not None and own in properties:
            yield logical_id, kind, properties[own]


def test_name_properties_are_found() -> None:
    """By CloudFormation's schemas, whatever the property is called; names of other resources are none."""
    expected = {
        "AWS::CloudWatch::Alarm": "AlarmName",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::EC2::SecurityGroup": "GroupName",
        "AWS::Events::Rule": "Name",
        "AWS::IAM::Role": "RoleName",
        "AWS::Lambda::EventInvokeConfig": None,
        "AWS::Lambda::Function": "FunctionName",
        "AWS::Lambda::Permission": None,
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::SQS::Queue": "QueueName",
        "AWS::Scheduler::Schedule": "Name",
    }
    assert {kind: name_property(kind) for kind in expected} == expected


@pytest.mark.parametrize("choice", CHOICES)
def test_only_log_groups_and_the_dashboard_have_names(choice: str) -> None:
    """CloudFormation names everything else, so that a second stack, or a replacement, meets nothing in its way."""
    named = [(logical_id, kind) for logical_id, kind, _ in names(Deployed(choice))]
    assert {kind for _, kind in named} == NAMED.keys(), named


def test_two_stacks_and_two_regions_share_no_name() -> None:
    """Stacks in one Region, and the same stack in two, give each resource a name of its own where that has to be."""
    used: Counter[tuple[str, ...]] = Counter()
    for stack, region in product(("reach", "staging"), ("eu-central-1", "us-east-1")):
        for _, kind, name in names(Deployed("everything", **{"AWS::StackName": stack, "AWS::Region": region})):
            used[(kind, name) if kind in GLOBAL else (kind, name, region)] += 1
    assert [name for name, times in used.items() if times > 1] == []


@pytest.mark.parametrize("choice", CHOICES)
def test_the_transform_does_not_depend_on_parameters(choice: str) -> None:
    """What is tested here is what CloudFormation gets, whatever the operator answers."""
    given = {name: value for name, value in CHOICES[choice].items() if not name.startswith("AWS::")}
    assert expanded(given) == TRANSFORMED


def test_cfn_lint_accepts_what_cloudformation_gets() -> None:
    """Not an error, a warning or a remark in any kind of Region, China and GovCloud included."""
    found = lint(json.dumps(TRANSFORMED), config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    # I3042: the transform writes the partition of the Region it runs in. Ours are tried in China by test_permissions.
    assert [f"{one.rule.id} {one.message}" for one in found if one.rule.id != "I3042"] == []
