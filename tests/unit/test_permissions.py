"""Every statement of the deployed stacks against the Service Authorization Reference: IAM takes any text, silently."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.authorization import (
    Statement,
    actions,
    condition_keys,
    resource_type,
    resource_types,
    statements,
    value_type,
)
from tests.transformed import CHOICES, FOUNDATIONS, Account, Deployed, Founded

ROOT = Path(__file__).parents[2]
# Actions that the reference gives a resource type and that are allowed on `*` all the same, and why.
ON_ALL_RESOURCES = {
    "ecs:RegisterTaskDefinition": "ECS asks about `*`: its guide says so, and so do real refusals (on resource: *)",
    "ecs:DeleteTaskDefinitions": "the guide's sentence is about all actions on task definitions",
    "ecs:ListTasks": "names no task; held to the cluster by a condition, which real refusals taught",
    "ec2:CreateNetworkInterface": "Lambda's VPC attachment: interfaces have no names beforehand",
    "ec2:DeleteNetworkInterface": "Lambda's VPC attachment: interfaces have no names beforehand",
    "ec2:AssignPrivateIpAddresses": "Lambda's VPC attachment: interfaces have no names beforehand",
    "ec2:UnassignPrivateIpAddresses": "Lambda's VPC attachment: interfaces have no names beforehand",
}
# Resources of a type that the action does not take, and why they stand there.
OF_ANOTHER_TYPE = {
    ("logs:GetLogEvents", "log-group"): "the local AWS asks about the group; the stream stands beside it",
    ("events:ListRules", "rule-on-custom-event-bus"): "the guide of S3 Files names the rules",
    ("events:ListRuleNamesByTarget", "rule-on-custom-event-bus"): "the guide of S3 Files names the rules",
}
# Keys that requests of any service have (IAM User Guide, AWS global condition context keys), and what they hold.
GLOBAL_KEYS = {"aws:SourceArn": "ARN", "aws:SourceAccount": "String", "aws:SecureTransport": "Bool"}
# Keys that an action's row does not list, and where they come from.
OTHER_KEYS = {
    ("ec2:*", "lambda:SourceFunctionArn"): "in the credentials of a function (Lambda guide, source function ARN)",
}


# The reference's copy is older than S3 Files. These are in AWS's managed policy AmazonS3FilesClientFullAccess.
OF_S3_FILES = {"s3files:ClientMount", "s3files:ClientWrite"}


# Wildcards in what is allowed, and why.
WITH_WILDCARDS = dict.fromkeys(
    ("s3:DeleteObject*", "s3:GetObject*", "s3:List*", "s3:PutObject*"),
    "the guide of S3 Files gives the role of a file system these, on one bucket's objects",
)
STACKS: list[Account] = [*map(Deployed, CHOICES), *map(Founded, FOUNDATIONS)]


@pytest.fixture(params=STACKS, ids=[*CHOICES, *(f"foundation, {one}" for one in FOUNDATIONS)])
def stack(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param
    return found


def allowed(stack: Account) -> Iterator[tuple[str, str, Statement]]:
    """Each action on each resource that a role's policy, or a resource's, allows."""
    for one in statements(stack):
        if one.effect == "Allow":
            yield from ((action, resource, one) for action in one.actions for resource in one.resources)


def type_of(resource: str, stack: Account) -> str | None:
    partition, region, account = (stack.reference(f"AWS::{name}") for name in ("Partition", "Region", "AccountId"))
    return resource_type(resource, partition=partition, region=region, account=account)


def test_every_action_exists(stack: Account) -> None:
    """A misspelt action allows nothing and denies nothing, silently."""
    named = {action for one in statements(stack) for action in one.actions}
    assert named
    assert [action for action in named - OF_S3_FILES if not actions(action)] == []


def test_no_role_is_allowed_a_whole_service(stack: Account) -> None:
    """What is allowed is named action by action, but for stated reasons."""
    assert {action for action, _, _ in allowed(stack) if "*" in action} <= WITH_WILDCARDS.keys()


def test_resources_are_of_a_type_that_the_action_takes(stack: Account) -> None:
    """Each resource is an ARN of this partition, Region and account, in the form of one of the action's types."""
    wrong = [
        (one.where, action, resource)
        for action, resource, one in allowed(stack)
        if resource != "*"
        and action not in OF_S3_FILES
        and (kind := type_of(resource, stack)) not in set(chain.from_iterable(map(resource_types, actions(action))))
        and (action, kind) not in OF_ANOTHER_TYPE
    ]
    assert wrong == []


def test_an_action_with_a_resource_of_another_type_has_one_of_its_own(stack: Account) -> None:
    """What is there for another reason is not what the action rests on, where it takes any type."""
    for one in statements(stack):
        for action in one.actions:
            if any(name == action for name, _ in OF_ANOTHER_TYPE) and resource_types(action):
                assert resource_types(action) & {type_of(resource, stack) for resource in one.resources}, one


def test_all_resources_are_named_but_for_stated_reasons(stack: Account) -> None:
    """`*` stands where the action takes nothing else, or where a reason is stated."""
    on_all = {action for action, resource, _ in allowed(stack) if resource == "*"}
    assert {action for action in on_all if resource_types(action)} <= ON_ALL_RESOURCES.keys()


def test_reasons_are_needed() -> None:
    """Each stated exception is made somewhere."""
    used = [(stack, *one) for stack in STACKS for one in allowed(stack)]
    assert {action for _, action, _, _ in used} >= WITH_WILDCARDS.keys()
    assert {action for _, action, resource, _ in used if resource == "*"} >= ON_ALL_RESOURCES.keys()
    assert all(resource_types(action) for action in ON_ALL_RESOURCES)
    assert {(action, type_of(one, stack)) for stack, action, one, _ in used if one != "*"} >= OF_ANOTHER_TYPE.keys()
    named = {
        (action, key)
        for one in chain.from_iterable(map(statements, STACKS))
        for action in one.actions
        for _, key in one.conditions
    }
    assert named >= OTHER_KEYS.keys()


def test_condition_keys_are_in_the_request(stack: Account) -> None:
    """A condition on a key that the action's request does not have never holds, and the statement is void."""
    wrong = [
        (one.where, action, key)
        for one in statements(stack)
        for pattern in one.actions
        if pattern not in OF_S3_FILES
        for action in actions(pattern)
        for _, key in one.conditions
        if key not in condition_keys(action) | GLOBAL_KEYS.keys() and (pattern, key) not in OTHER_KEYS
    ]
    assert wrong == []


def test_condition_operators_suit_their_keys(stack: Account) -> None:
    """An ARN is compared as an ARN, text as text."""
    for one in statements(stack):
        for operator, key in one.conditions:
            if one.actions[0] in OF_S3_FILES:
                continue
            kind = GLOBAL_KEYS.get(key) or value_type(key)
            assert operator.lower().startswith(kind.lower()), (one.where, operator, key)


@pytest.mark.parametrize("kind", [Deployed, Founded])
def test_every_condition_of_a_template_is_tried(kind: type[Account]) -> None:
    """Each condition holds in one of the choices and not in another, so that no statement stays unread."""
    stacks = [stack for stack in STACKS if isinstance(stack, kind)]
    [conditions] = {tuple(stack.conditions()) for stack in stacks}
    for name in conditions:
        assert {stack.holds({"Condition": name}) for stack in stacks} == {True, False}, name


def test_what_the_operator_is_asked_to_allow_exists() -> None:
    """The policies of docs/deploy.md name actions of AWS's, under conditions that these actions have."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    named = {
        (action, key)
        for block in blocks
        for one in json.loads(block)["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        for key in [None, *(key for keys in one.get("Condition", {}).values() for key in keys)]
        if action not in OF_S3_FILES
    }
    assert {action for action, _ in named if not actions(action)} == set()
    assert {
        (action, key)
        for action, key in named
        if key is not None and key not in GLOBAL_KEYS and not any(key in condition_keys(one) for one in actions(action))
    } == set()
