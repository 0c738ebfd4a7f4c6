"""The roles of the tasks, and what IAM says that they may do.

IAM answers for a role by SimulatePrincipalPolicy, with boundaries and the organisation's policies. An evaluation of
ours would be another one than IAM's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from core.launch.settings import TokenDelivery
from reach.doctor.asking import Aws
from reach.doctor.deployed import EXECUTION_ROLE, TASK_ROLE, Deployed
from reach.doctor.facts import Given, Permission, Roles
from reach.doctor.knowledge import NotAsked, NotKnown, fact
from reach.doctor.reads import EFS_POLICY, ROLE, SIMULATION
from reach.doctor.rules import ecr
from reach.doctor.rules.policies import allows_mount

_LOG_IN: Final = ("ecr:GetAuthorizationToken",)
_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_MOUNT: Final = "elasticfilesystem:ClientMount"
_LOG: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_PASS: Final = ("iam:PassRole",)
_PASSED_TO: Final = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
ALL_REPOSITORIES: Final = "all repositories"
_PASSING: Final = ("StartContainerRole", "TaskStateRole", "ReconcileRole")
"""Those that run tasks: at the start, and again when a launch fails."""


def gather(aws: Aws, stack: Deployed, _: Given) -> Roles:
    """Asks for the roles, and for each thing that they have to be allowed."""
    named = {name: stack.parameter(name) for name in (EXECUTION_ROLE, TASK_ROLE) if stack.parameter(name)}
    return Roles(
        roles={name: fact(partial(aws.ask, ROLE, RoleName=arn.rpartition("/")[2])) for name, arn in named.items()},
        permissions=(
            *_of_execution_role(aws, stack, named.get(EXECUTION_ROLE)),
            *_of_task_role(aws, stack, named.get(TASK_ROLE)),
            *(_pass(aws, stack, logical, arn) for logical in _PASSING for arn in named.values()),
        ),
    )


def _of_execution_role(aws: Aws, stack: Deployed, arn: str | None) -> Iterator[Permission]:
    """Whatever the agent's image: a request may name one in ECR."""
    if arn is None:
        return
    yield _permission(aws, EXECUTION_ROLE, arn, _LOG_IN, "*")
    repository = ecr.repository_arn(stack, stack.parameter("AgentImage"))
    yield Permission(
        EXECUTION_ROLE,
        _PULL,
        repository or ALL_REPOSITORIES,
        fact(lambda: _pull_denied(aws, stack, arn, repository)),
    )
    if group := stack.parameter("TaskLogGroup"):
        stream = stack.arn("logs", f"log-group:{group}:log-stream:sockerless")
        yield _permission(aws, EXECUTION_ROLE, arn, _LOG, stream)
    if stack.parameter("TokenDelivery") == TokenDelivery.SSM:
        token = stack.arn("ssm", f"parameter/{stack.parameter('StartedByPrefix')}/0/1/token")
        yield _permission(aws, EXECUTION_ROLE, arn, ("ssm:GetParameters",), token)


def _of_task_role(aws: Aws, stack: Deployed, arn: str | None) -> Iterator[Permission]:
    if arn is None:
        return
    if system := stack.parameter("EfsFileSystemId"):
        point = stack.parameter("EfsAccessPointId")
        context = {"elasticfilesystem:AccessPointArn": stack.arn("elasticfilesystem", f"access-point/{point}")}
        resource = stack.arn("elasticfilesystem", f"file-system/{system}")
        ask = partial(_denied, aws, arn, (_MOUNT,), resource, context if point else {})
        yield Permission(TASK_ROLE, (_MOUNT,), resource, fact(lambda: _mount_denied(aws, system, ask)))
    if system := stack.parameter("S3FilesFileSystemArn"):
        point = stack.parameter("S3FilesAccessPointArn")
        context = {"s3files:AccessPointArn": point} if point else {}
        yield _permission(aws, TASK_ROLE, arn, ("s3files:ClientMount",), system, **context)


def _pull_denied(aws: Aws, stack: Deployed, arn: str, repository: str | None) -> list[str]:
    """Of the agent's repository. Which others there are is not known, and a role may well be held to some."""
    denied = _denied(aws, arn, _PULL, repository or stack.arn("ecr", "repository/*"), {})
    if denied and repository is None:
        raise NotKnown(NotAsked(f"{EXECUTION_ROLE} may not pull every image of ECR. Of yours, none is known here"))
    return denied


def _mount_denied(aws: Aws, system: str, ask: Callable[[], list[str]]) -> list[str]:
    """Without a policy, a file system lets in whoever reaches it. With one, that may allow what the role's do not."""
    policy = aws.ask(EFS_POLICY, FileSystemId=system)
    denied = ask() if policy else []
    if denied and allows_mount(policy["Policy"]):
        raise NotKnown(NotAsked(f"whether the policy of {system} lets the task role mount: the role's own does not"))
    return denied


def _pass(aws: Aws, stack: Deployed, logical: str, role: str) -> Permission:
    def denied() -> list[str]:
        physical = stack.resources.value.get(logical)
        if physical is None:
            raise NotKnown(NotAsked(f"the stack has no {logical}"))
        arn = f"arn:{stack.partition}:iam::{stack.account}:role/{physical}"
        return _denied(aws, arn, _PASS, role, _PASSED_TO)

    return Permission(logical, _PASS, role, fact(denied))


def _permission(aws: Aws, role: str, arn: str, actions: Sequence[str], resource: str, **context: str) -> Permission:
    return Permission(role, tuple(actions), resource, fact(partial(_denied, aws, arn, actions, resource, context)))


def _denied(aws: Aws, arn: str, actions: Sequence[str], resource: str, context: dict[str, str]) -> list[str]:
    """IAM's answer. An emulator's "no" is not believed: none knows conditions, which most of these policies have."""
    answer = aws.ask(
        SIMULATION,
        PolicySourceArn=arn,
        ActionNames=list(actions),
        ResourceArns=[resource],
        ContextEntries=[
            {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
            for key, value in context.items()
        ],
    )
    if answer is None:
        raise NotKnown(NotAsked(f"there is no role {arn}"))
    denied = [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    if denied and aws.is_local(SIMULATION.service):
        raise NotKnown(NotAsked("what a local AWS does not allow: its policy simulator knows no conditions"))
    return denied
