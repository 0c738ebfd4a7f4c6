"""Plans a launch: a start request becomes a task definition that many containers share, and one RunTask.

The definition holds the shape of a container: image, size, volumes, roles. Command, environment and token travel in
RunTask's overrides, because RegisterTaskDefinition is ECS's slowest call (ecs.md 6). A container needs a
separate definition if its overrides are too long for ECS, or if its token comes from the Parameter Store.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.launch.definition import build_definition
from core.launch.injection import choose_strategy
from core.launch.keepalive import is_keep_alive
from core.launch.limits import MAX_DEFINITION_BYTES, MAX_OVERRIDES_LENGTH, definition_size
from core.launch.request import StartRequest
from core.launch.settings import Settings, TokenDelivery, unconfigured
from core.launch.tags import tags_of
from core.model.agent import AgentVariable, Injection, agent_arguments
from core.model.errors import Refused
from core.model.facts import MAIN
from core.model.failure import ErrorCode, Failure
from core.model.families import family_of
from core.model.identity import Ref, client_token, started_by, token_parameter

_ORIGINALS: Final = (AgentVariable.ORIGINAL_ENTRYPOINT, AgentVariable.ORIGINAL_CMD)


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
    secret_name: str | None = None
    untagged_labels: tuple[str, ...] = ()


def plan_launch(
    request: StartRequest, settings: Settings, *, token: str, generation: int, attempt: int = 1
) -> LaunchPlan:
    """The plan of one launch; the same arguments give the same plan. `attempt` counts the tasks of this generation.

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
    command = agent_arguments(request.entrypoint, request.cmd, keep_alive=keep_alive)
    overrides = _overrides({**request.environment, **agent}, command)
    if _longest_length(overrides) > MAX_OVERRIDES_LENGTH:
        # Everything of the caller's moves into the definition. The token does not, because definitions are kept.
        moved = dict(request.environment)
        moved.update({name: agent.pop(name) for name in _ORIGINALS})
        _main_of(definition).update(command=command, environment=_pairs(moved))
        overrides = _overrides(agent)
    definition = {"family": family_of(prefix, _cluster(settings), definition), **definition}
    _check_definition_size(definition)

    tags = tags_of(request.labels)
    run = {
        "cluster": _cluster(settings),
        **run_parameters(settings, ref, attempt),
        "overrides": overrides,
        **({"tags": list(tags.tags)} if tags.tags else {}),
    }
    return LaunchPlan(
        definition=definition,
        run=run,
        injection=strategy,
        keep_alive=keep_alive,
        secret_name=secret_name,
        untagged_labels=tags.left_out,
    )


def _agent_environment(request: StartRequest, settings: Settings, *, keep_alive: bool) -> dict[str, str]:
    """The agent's variables but its token (contract.md 5)."""
    return {
        AgentVariable.PORT: str(settings.agent_port),
        AgentVariable.ORIGINAL_ENTRYPOINT: json.dumps(request.entrypoint, separators=(",", ":")),
        AgentVariable.ORIGINAL_CMD: json.dumps(request.cmd, separators=(",", ":")),
        AgentVariable.CONTAINER_ID: request.container_id,
        **({AgentVariable.KEEP_ALIVE: "true"} if keep_alive else {}),
    }


def _overrides(environment: Mapping[str, str], command: list[str] | None = None) -> dict[str, Any]:
    main: dict[str, Any] = {"name": MAIN, "environment": _pairs(environment)}
    if command is not None:
        main["command"] = command
    return {"containerOverrides": [main]}


def _pairs(environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Sorted, because the family and RunTask's idempotency need the same document for the same environment."""
    return [{"name": str(name), "value": environment[name]} for name in sorted(environment)]


def _longest_length(overrides: Mapping[str, Any]) -> int:
    """The characters of the overrides as JSON in its longest form: with spaces, escaped to ASCII.

    AWS does not say which form it counts. Counting too many costs a definition, counting too few a failed start.
    """
    return len(json.dumps(overrides))


def _main_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    main: dict[str, Any] = next(each for each in definition["containerDefinitions"] if each["name"] == MAIN)
    return main


def _check_definition_size(definition: Mapping[str, Any]) -> None:
    size = definition_size(definition)
    if size > MAX_DEFINITION_BYTES:
        raise Refused(
            Failure(
                ErrorCode.INVALID_REQUEST,
                f"entrypoint, cmd and environment are too large: the task definition that carries them has {size} "
                f"bytes, and ECS takes {MAX_DEFINITION_BYTES}. Nothing was written or started.",
                "Send less in them; keep large data in a file on EFS or in S3.",
            )
        )


def _cluster(settings: Settings) -> str:
    if settings.cluster_arn is None:
        raise unconfigured(
            "No cluster is configured.",
            "Set CLUSTER_ARN (stack parameter ClusterName) to the cluster that this stack listens to.",
        )
    return settings.cluster_arn


def run_parameters(settings: Settings, ref: Ref, attempt: int) -> dict[str, Any]:
    """The parameters that all our RunTask calls share. Raises `Refused` without configured subnets."""
    prefix = settings.started_by_prefix
    return {
        "launchType": "FARGATE",
        # 1.4.0 since 2021, which EFS volumes and ephemeral storage need. AWS retires named versions.
        "platformVersion": "LATEST",
        "count": 1,
        "startedBy": started_by(prefix, ref),
        "clientToken": client_token(prefix, ref, attempt),
        "networkConfiguration": _network(settings),
    }


def _network(settings: Settings) -> dict[str, Any]:
    if not settings.task_subnets:
        raise unconfigured(
            "No subnets are configured for tasks, and Fargate runs a task nowhere else.",
            "Set TASK_SUBNETS (stack parameter TaskSubnets) to at least one subnet of the tasks' VPC.",
        )
    network: dict[str, Any] = {
        "subnets": list(settings.task_subnets),
        "assignPublicIp": "ENABLED" if settings.assign_public_ip else "DISABLED",
    }
    if settings.task_security_groups:
        network["securityGroups"] = list(settings.task_security_groups)
    return {"awsvpcConfiguration": network}
