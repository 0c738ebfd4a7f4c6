"""What the roles of the deployed functions allow, and which of it no life of the matrix has called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tests.e2e.stack import Stack

BY_LAMBDA: Final = frozenset({
    "iam:PassRole", "ecs:TagResource", "logs:CreateLogStream", "logs:PutLogEvents",
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
})  # fmt: skip
"""Allowed, and not called by a function: Lambda does it for the function, or a call of another name needs it."""

NOT_REACHED: Final[Mapping[str, str]] = {
    "AgentHealth dynamodb:GetItem": "after a conflict with a deletion",
    "Reconcile dynamodb:GetItem": "for the log line of a prober that reaches no table",
    "Reconcile ecs:DeleteTaskDefinitions": "a day after a definition was last used",
    "Reconcile ecs:DeregisterTaskDefinition": "the same",
    "Reconcile ecs:DescribeTaskDefinition": "the same",
    "Reconcile ecs:ListTaskDefinitions": "the same",
    "StartContainer ecs:StopTask": "a task that came after the end of its generation",
    "StartContainer ssm:DeleteParameter": "the same, or the end of an older generation",
    "StopContainer sqs:SendMessage": "a task that runs and is not to be stopped",
    "StopContainer ssm:DeleteParameter": "an end that the backend reports",
    "TaskState ecs:ListTasks": "a failed task that ECS has forgotten before it was repeated",
    "TaskState ecs:StopTask": "a task too many",
}
"""Which calls no life of the matrix makes, and when a function makes them."""


def unreached(stack: Stack, functions: Iterable[str], called: Iterable[tuple[str, str]]) -> set[str]:
    """`<function> <action>` of each allowed action that was not called."""
    allowed = {f"{one} {action}" for one in functions for action in _allowed(stack, one) if action not in BY_LAMBDA}
    return {one for one in allowed if ":" in one and " ec2:" not in one} - {f"{one} {what}" for one, what in called}


def _allowed(stack: Stack, function: str) -> Iterator[str]:
    iam = stack.cloud.client("iam")
    role = stack.functions.get_function_configuration(FunctionName=stack.arn(function))["Role"].rpartition("/")[2]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        statements: list[dict[str, Any]] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"][
            "Statement"
        ]
        for statement in statements:
            if statement["Effect"] == "Allow":
                yield from [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
