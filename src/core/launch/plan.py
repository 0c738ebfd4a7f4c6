"""Plans a launch: a start request becomes a task definition that many containers share, and one RunTask.

The definition holds the shape of a container: image, size, volumes, roles. Command, environment and token travel in
RunTask's overrides, because RegisterTaskDefinition is ECS's slowest call (ecs.md 6). A container needs a
separate definition if its overrides are too long for ECS, or if its token comes from the Parameter Store. A relaunch
repeats the failed task's own definition, overrides and tags.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from core.launch.capacity import placement
from core.launch.definition import build_definition, logs_of
from core.launch.ecs_rules import (
    MAX_DEFINITION_BYTES,
    MAX_OVERRIDES_LENGTH,
    MAX_SECURITY_GROUPS,
    definition_size,
    present,
    tags_of,
)
from core.launch.injection import choose_strategy
from core.launch.keepalive import is_keep_alive
from core.launch.settings import Settings, TokenDelivery, invalid, unconfigured
from core.model.actions import Relaunch
from core.model.agent import AgentVariable, Injection, agent_arguments, starts_child
from core.model.capacity import Provider
from core.model.errors import MalformedEvent
from core.model.facts import MAIN
from core.model.failure import ErrorCode
from core.model.families import family_in, family_of
from core.model.identity import Ref, client_token, started_by, token_parameter
from core.model.parts import Logs

if TYPE_CHECKING:
    from core.launch.request import StartRequest

_ORIGINALS: Final = (AgentVariable.ORIGINAL_ENTRYPOINT, AgentVariable.ORIGINAL_CMD)
_OVERRIDES: Final = ("name", "command", "environment")
"""The members of a container's overrides that a plan sets. ECS's answer adds others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """The requests of one launch. `repr` omits them, because they hold the environment and the token.

    `definition` is RegisterTaskDefinition's parameters, `run` is RunTask's without `taskDefinition`.
    `secret_name` is the SecureString parameter that must hold the token before the task starts; None if the overrides
    hold it. `untagged_labels` are the labels that AWS does not allow as tags.
    """

    definition: dict[str, Any] = field(repr=False)
    run: dict[str, Any] = field(repr=False)
    injection: Injection
    keep_alive: bool
    logs: Logs | None = None
    secret_name: str | None = None
    untagged_labels: tuple[str, ...] = ()


def plan_launch(  # noqa: PLR0913 - what a launch depends on, one argument each
    request: StartRequest,
    settings: Settings,
    *,
    token: str,
    generation: int,
    attempt: int = 1,
    provider: Provider | None = None,
) -> LaunchPlan:
    """The plan of one launch; the same arguments give the same plan. `attempt` counts the tasks of this generation.

    `provider` is the capacity provider; None asks for On-Demand by its launch type.

    Raises `Refused`, which names the wrong member of the request or the wrong setting.
    """
    strategy = choose_strategy(settings, request)
    keep_alive = is_keep_alive(request.entrypoint, request.cmd)
    prefix, ref = settings.started_by_prefix, Ref(request.container_id, generation)
    by_parameter = (request.token_delivery or settings.token_delivery) is TokenDelivery.SSM
    secret_name = token_parameter(prefix, ref) if by_parameter else None
    definition = build_definition(request, settings, strategy, secret_name)

    agent = _agent_environment(request, settings, keep_alive=keep_alive)
    if not by_parameter:
        agent[AgentVariable.TOKEN] = token
    flavor, port = settings.agent_flavor, settings.agent_port
    command = agent_arguments(flavor, port, request.entrypoint, request.cmd, keep_alive=keep_alive)
    overrides = _overrides({**request.environment, **agent}, command)
    # AWS does not say which form of JSON it counts. This is the longest, with spaces and escaped to ASCII: counting too
    # many costs a definition, counting too few a failed start.
    if len(json.dumps(overrides)) > MAX_OVERRIDES_LENGTH:
        # Everything of the caller's goes into the definition. The token does not, because definitions are kept.
        shared = request.environment | {str(name): agent.pop(name) for name in _ORIGINALS}
        main = next(each for each in definition["containerDefinitions"] if each["name"] == MAIN)
        main.update(command=command, environment=_pairs(shared))
        overrides = _overrides(agent)
    cluster = settings.require_cluster()
    definition = {"family": family_of(prefix, cluster, definition), **definition}
    _check_definition_size(definition)

    tags, untagged = tags_of(request.labels)
    _check_security_groups(request, settings)
    run = {
        **_run_parameters(cluster, settings, ref, attempt, provider=provider, security_groups=request.security_groups),
        "overrides": overrides,
        "tags": tags,
    }
    return LaunchPlan(
        definition=definition,
        run=present(run),
        injection=strategy,
        keep_alive=keep_alive,
        logs=logs_of(request, settings),
        secret_name=secret_name,
        untagged_labels=untagged,
    )


def relaunch(task: Mapping[str, Any], settings: Settings, launch: Relaunch) -> dict[str, Any]:
    """RunTask's parameters that repeat a failed task: one member of DescribeTasks' `tasks`, with the tags.

    The start request is not saved, because it holds the caller's environment and ECS keeps that anyway. The capacity
    and the security groups are what the record says of this launch: ECS does not show the latter.

    Raises `MalformedEvent` when ECS does not show what is to be repeated.
    """
    if not all(isinstance(task.get(name), str) for name in ("clusterArn", "taskDefinitionArn")):
        raise MalformedEvent(f"DescribeTasks shows task {launch.task_arn} without its cluster or its definition.")
    overrides = filter(None, task.get("overrides", {}).get("containerOverrides", ()))
    main = [{name: one[name] for name in _OVERRIDES if name in one} for one in overrides if one.get("name") == MAIN]
    run = {
        **_run_parameters(
            task["clusterArn"],
            settings,
            launch.ref,
            launch.attempt,
            provider=launch.provider,
            security_groups=launch.security_groups,
        ),
        "taskDefinition": family_in(task["taskDefinitionArn"]),
        "overrides": {"containerOverrides": main},
        "tags": task.get("tags"),
    }
    return present(run)


def _agent_environment(request: StartRequest, settings: Settings, *, keep_alive: bool) -> dict[str, str]:
    """The agent's variables but its token (contract.md 5)."""
    environment: dict[str, Any] = {
        AgentVariable.PORT: str(settings.agent_port),
        AgentVariable.ORIGINAL_ENTRYPOINT: json.dumps(request.entrypoint, separators=(",", ":")),
        AgentVariable.ORIGINAL_CMD: json.dumps(request.cmd, separators=(",", ":")),
        AgentVariable.CONTAINER_ID: request.container_id,
        AgentVariable.KEEP_ALIVE: None if starts_child(settings.agent_flavor, keep_alive=keep_alive) else "true",
    }
    return present(environment)


def _overrides(environment: Mapping[str, str], command: list[str] | None = None) -> dict[str, Any]:
    return {"containerOverrides": [present({"name": MAIN, "environment": _pairs(environment), "command": command})]}


def _pairs(environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Sorted, because the family and RunTask's idempotency need the same document for the same environment."""
    return [{"name": str(name), "value": environment[name]} for name in sorted(environment)]


def _check_definition_size(definition: Mapping[str, Any]) -> None:
    size = definition_size(definition)
    if size > MAX_DEFINITION_BYTES:
        raise invalid(
            f"entrypoint, cmd and environment are too large: the task definition that carries them has {size} bytes, "
            f"and ECS takes {MAX_DEFINITION_BYTES}. Nothing was written or started.",
            "Send less in them; keep large data in a file on EFS or in S3.",
        )


def _check_security_groups(request: StartRequest, settings: Settings) -> None:
    """Refuses more than a task can have, and those that would take the place of a group that is not named."""
    stacks, together = len(settings.task_security_groups), len(_security_groups(settings, request.security_groups))
    if together > MAX_SECURITY_GROUPS:
        raise invalid(
            f"security_groups: with the stack's {stacks} they are {together}, and a task has at most "
            f"{MAX_SECURITY_GROUPS}. Nothing was written or started.",
            f"Send at most {MAX_SECURITY_GROUPS - stacks}.",
        )
    if request.security_groups and not stacks:
        raise unconfigured(
            "security_groups: the stack names no group, so tasks have the VPC's default one, and those of the request "
            "would replace it. Nothing was written or started.",
            "Set TASK_SECURITY_GROUPS (stack parameter TaskSecurityGroups), or leave security_groups out.",
            ErrorCode.INVALID_REQUEST,
        )


def _security_groups(settings: Settings, others: tuple[str, ...]) -> list[str]:
    """The stack's, then the request's; each once."""
    return list(dict.fromkeys((*settings.task_security_groups, *others)))


def _run_parameters(  # noqa: PLR0913 - what differs between launches, one argument each
    cluster: str,
    settings: Settings,
    ref: Ref,
    attempt: int,
    *,
    provider: Provider | None,
    security_groups: tuple[str, ...],
) -> dict[str, Any]:
    """The parameters that all our RunTask calls share. Raises `Refused` without configured subnets."""
    if not settings.task_subnets:
        raise unconfigured(
            "No subnets are configured for tasks, and Fargate runs a task nowhere else.",
            "Set TASK_SUBNETS (stack parameter TaskSubnets) to at least one subnet of the tasks' VPC.",
        )
    network = {
        "subnets": list(settings.task_subnets),
        "assignPublicIp": "ENABLED" if settings.assign_public_ip else "DISABLED",
        "securityGroups": _security_groups(settings, security_groups),
    }
    return {
        "cluster": cluster,
        **placement(provider),
        # 1.4.0 since 2021, which EFS volumes and ephemeral storage need. AWS retires named versions.
        "platformVersion": "LATEST",
        "count": 1,
        "startedBy": started_by(settings.started_by_prefix, ref),
        "clientToken": client_token(settings.started_by_prefix, ref, attempt),
        "networkConfiguration": {"awsvpcConfiguration": present(network)},
    }
