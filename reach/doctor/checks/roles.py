"""The execution role, the task role, and who may pass them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.launch.ecs_rules import is_ecr_image
from core.model.agent import Injection
from reach.doctor.deployed import EXECUTION_ROLE, TASK_ROLE, Deployed
from reach.doctor.facts import Roles
from reach.doctor.findings import Finding, ok, unknown, wrong
from reach.doctor.knowledge import NotAsked
from reach.doctor.rules.policies import trusts

_SERVICE: Final = "ecs-tasks.amazonaws.com"


def execution_role(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """ExecutionRoleArn is there, where it is needed, and ECS tasks may assume it."""
    needed = stack.injection is Injection.INIT_CONTAINER and is_ecr_image(stack.parameter("AgentImage"))
    if EXECUTION_ROLE in roles.roles:
        yield _there_and_trusted(stack, roles, EXECUTION_ROLE)
    elif needed:
        yield wrong(
            "ExecutionRoleArn is empty, so no image of ECR can be pulled.",
            "sam deploy --parameter-overrides ExecutionRoleArn=...",
        )
    else:
        yield ok("none: no image of ECR can be pulled")


def task_role(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """TaskRoleArn is there, where it is needed, and ECS tasks may assume it."""
    if TASK_ROLE in roles.roles:
        yield _there_and_trusted(stack, roles, TASK_ROLE)
    elif stack.injection in (Injection.EFS, Injection.S3_FILES):
        yield wrong(
            "TaskRoleArn is empty, and the storage of the agent is mounted by it, so no container starts.",
            "sam deploy --parameter-overrides TaskRoleArn=...",
        )
    else:
        yield ok("none: containers have no credentials of AWS")


def may_pull(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """The execution role may pull from ECR."""
    yield from _allowed(roles, "ecr:", _attach(stack))


def may_log(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """The execution role may write the output of the containers to TaskLogGroup."""
    yield from _allowed(roles, "logs:", _attach(stack))


def may_read_tokens(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """The execution role may read the tokens, where TokenDelivery is ssm."""
    yield from _allowed(roles, "ssm:", _put(stack, EXECUTION_ROLE))


def may_mount(stack: Deployed, roles: Roles) -> Iterator[Finding]:
    """The task role may mount the storage of the agent."""
    for service in ("elasticfilesystem:", "s3files:"):
        yield from _allowed(roles, service, _put(stack, TASK_ROLE))


def may_pass_roles(_: Deployed, roles: Roles) -> Iterator[Finding]:
    """The functions that run tasks may pass both roles to ECS."""
    mend = (
        "sam deploy. If it stays, a permissions boundary or the organisation's policy denies it (console: IAM, Roles)"
    )
    yield from _allowed(roles, "iam:", mend)


def _there_and_trusted(stack: Deployed, roles: Roles, name: str) -> Finding:
    arn, answer = stack.parameter(name), roles.roles[name].value
    if answer is None:
        return wrong(
            "{parameter} names {role}, which is not there.",
            "sam deploy --parameter-overrides {parameter}=... with a role that aws iam list-roles shows",
            parameter=name,
            role=arn,
        )
    if not trusts(answer["Role"], _SERVICE, account=stack.account):
        return wrong(
            "{role} does not trust " + _SERVICE + " of this account, so ECS cannot use it.",
            f"aws iam update-assume-role-policy --role-name {answer['Role']['RoleName']} --policy-document ... with "
            f"Principal Service {_SERVICE}",
            role=arn,
        )
    return ok("{role}", role=arn)


def _allowed(roles: Roles, service: str, mend: str) -> Iterator[Finding]:
    """A finding for each role and resource of the permissions of a service; one for all that are allowed."""
    allowed = []
    for one in roles.permissions:
        if not one.actions[0].startswith(service):
            continue
        if isinstance(one.denied, NotAsked):
            yield unknown(one.denied)
        elif denied := one.denied.value:
            yield wrong(
                "{role} may not {actions} on {resource}.", mend, role=one.role, actions=denied, resource=one.resource
            )
        else:
            allowed.append(one.role)
    if allowed:
        yield ok("{roles}", roles=sorted(set(allowed)))


def _attach(stack: Deployed) -> str:
    name = stack.parameter(EXECUTION_ROLE).rpartition("/")[2]
    policy = f"arn:{stack.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    return f"aws iam attach-role-policy --role-name {name} --policy-arn {policy}"


def _put(stack: Deployed, role: str) -> str:
    name = stack.parameter(role).rpartition("/")[2]
    return f"aws iam put-role-policy --role-name {name} --policy-name sockerless --policy-document ... (docs/deploy.md)"
