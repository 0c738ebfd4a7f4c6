"""Which strategy brings the agent, and what each adds: specification.md 1 to 6."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.launch.injection import choose_strategy, injected_parts
from core.launch.parse import parse_start_request
from core.launch.plan import LaunchPlan, plan_launch
from core.launch.settings import Settings
from core.model.agent import AgentFlavor, Injection, agent_arguments, agent_path
from core.model.errors import ConfigurationError, Refused
from core.model.failure import Cause, ErrorCode
from tests.factories import TOKEN
from tests.unit.core.launch.requests import (
    ACCESS_POINT,
    FILE_SYSTEM,
    S3_ACCESS_POINT,
    S3_FILE_SYSTEM,
    TASK_ROLE,
    document,
    efs_settings,
    s3_settings,
    settings,
)


def plan(stack: Settings, **changes: Any) -> LaunchPlan:
    """The plan of a request with these changes."""
    return plan_launch(parse_start_request(document(**changes)), stack, token=TOKEN, generation=1)


def containers(planned: LaunchPlan) -> dict[str, dict[str, Any]]:
    """The containers of its definition, by name."""
    return {container["name"]: container for container in planned.definition["containerDefinitions"]}


@pytest.mark.parametrize(
    ("stack", "wanted", "strategy"),
    [
        (settings(), None, Injection.INIT_CONTAINER),
        (efs_settings(), None, Injection.EFS),
        (settings(injection=Injection.IMAGE), None, Injection.IMAGE),
        (efs_settings(injection=Injection.INIT_CONTAINER), None, Injection.INIT_CONTAINER),
        (efs_settings(), "image", Injection.IMAGE),
        (settings(injection=Injection.IMAGE), "init-container", Injection.INIT_CONTAINER),
        (efs_settings(injection=Injection.IMAGE), "efs", Injection.EFS),
        (s3_settings(), None, Injection.S3_FILES),
        (s3_settings(efs_file_system_id=FILE_SYSTEM), None, Injection.EFS),
        (s3_settings(efs_file_system_id=FILE_SYSTEM, injection=Injection.S3_FILES), None, Injection.S3_FILES),
        (s3_settings(efs_file_system_id=FILE_SYSTEM), "s3-files", Injection.S3_FILES),
        (s3_settings(), "image", Injection.IMAGE),
    ],
)
def test_the_request_then_the_stack_then_the_default(stack: Settings, wanted: str | None, strategy: Injection) -> None:
    """EFS where there is a file system, else S3 Files, else an init container; stack and request can force one."""
    request = parse_start_request(document(**({"injection": wanted} if wanted else {})))
    assert choose_strategy(stack, request) is strategy


@pytest.mark.parametrize(
    ("strategy", "setting"), [("efs", "EFS_FILE_SYSTEM_ID"), ("s3-files", "S3_FILES_FILE_SYSTEM_ARN")]
)
def test_a_strategy_without_its_file_system_is_refused(strategy: str, setting: str) -> None:
    """A request cannot have a file system that the stack does not have."""
    with pytest.raises(Refused, match=f"injection is {strategy}") as caught:
        plan(settings(task_role_arn=TASK_ROLE), injection=strategy)
    assert caught.value.failure.code is ErrorCode.INVALID_REQUEST
    assert setting in caught.value.failure.remedy


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, ErrorCode.LAUNCH_FAILED), ({"injection": "init-container"}, ErrorCode.INVALID_REQUEST)],
)
def test_an_init_container_without_an_agent_image_is_refused(changes: dict[str, str], code: ErrorCode) -> None:
    """Whose program would be the first process of every container is the operator's choice: there is no default."""
    with pytest.raises(Refused, match="no agent image is configured") as caught:
        plan(settings(agent_image=None), **changes)
    assert caught.value.failure.code is code
    assert "AgentImage" in caught.value.failure.remedy
    assert "digest" in caught.value.failure.remedy


def test_other_strategies_need_no_agent_image() -> None:
    """The other strategies have no init container."""
    assert plan(settings(agent_image=None), injection="image").injection is Injection.IMAGE
    assert plan(efs_settings(agent_image=None)).injection is Injection.EFS
    assert plan(s3_settings(agent_image=None)).injection is Injection.S3_FILES


@pytest.mark.parametrize("strategy", [Injection.EFS, Injection.S3_FILES])
def test_building_a_strategy_without_choosing_it_is_a_bug(strategy: Injection) -> None:
    """A volume without a file system is never made."""
    with pytest.raises(ValueError, match="without a file system"):
        injected_parts(strategy, settings())


@pytest.mark.parametrize(
    ("strategy", "lacking"),
    [("efs", ["EFS_FILE_SYSTEM_ID"]), ("s3-files", ["S3_FILES_FILE_SYSTEM_ARN", "TASK_ROLE_ARN"])],
)
def test_a_forced_strategy_without_what_it_needs_is_refused_at_start_up(strategy: str, lacking: list[str]) -> None:
    """The operator learns it when the function starts, not with the first task."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({"TABLE_NAME": "t", "INJECTION": strategy})
    assert [name for name in lacking if f"needs {name}, which is not set" not in str(caught.value)] == []


def test_an_access_point_of_another_file_system_is_refused_at_start_up() -> None:
    """An access point's ARN begins with its file system's, so one that does not can never be mounted."""
    other = S3_FILE_SYSTEM.replace("fs-0", "fs-1")
    with pytest.raises(ConfigurationError, match="S3_FILES_ACCESS_POINT_ARN is no access point of"):
        Settings.from_env(
            {"TABLE_NAME": "t", "S3_FILES_FILE_SYSTEM_ARN": other, "S3_FILES_ACCESS_POINT_ARN": S3_ACCESS_POINT}
        )


def test_efs_definition() -> None:
    """The access point's directory, encrypted and authorised by IAM, read-only at the agent's place; one container."""
    planned = plan(efs_settings())
    assert planned.definition["volumes"] == [
        {
            "name": "sockerless-agent",
            "efsVolumeConfiguration": {
                "fileSystemId": FILE_SYSTEM,
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": ACCESS_POINT, "iam": "ENABLED"},
            },
        }
    ]
    (main,) = planned.definition["containerDefinitions"]
    assert main["mountPoints"] == [
        {"sourceVolume": "sockerless-agent", "containerPath": "/sockerless-agent", "readOnly": True}
    ]
    assert main["entryPoint"] == ["/sockerless-agent/sockerless-agent"]
    assert planned.definition["taskRoleArn"] == TASK_ROLE


def test_efs_without_an_access_point_mounts_the_root() -> None:
    """Then the binary lies at the root of the file system; IAM still decides who may mount it."""
    (volume,) = plan(efs_settings(efs_access_point_id=None)).definition["volumes"]
    assert volume["efsVolumeConfiguration"] == {
        "fileSystemId": FILE_SYSTEM,
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"iam": "ENABLED"},
    }


def test_efs_needs_a_task_role() -> None:
    """IAM authorisation is the task role's: without one the mount would fail in every task."""
    with pytest.raises(Refused, match="the task has no role") as caught:
        plan(efs_settings(task_role_arn=None))
    assert caught.value.failure.cause is Cause.TASK_DEFINITION
    assert "TASK_ROLE_ARN" in caught.value.failure.remedy
    assert plan(efs_settings(task_role_arn=None), task_role_arn=TASK_ROLE).definition["taskRoleArn"] == TASK_ROLE


def test_s3_files_definition() -> None:
    """The access point's directory of the bucket, read-only at the agent's place; one container, with the role."""
    planned = plan(s3_settings())
    assert planned.definition["volumes"] == [
        {
            "name": "sockerless-agent",
            "s3filesVolumeConfiguration": {"fileSystemArn": S3_FILE_SYSTEM, "accessPointArn": S3_ACCESS_POINT},
        }
    ]
    (main,) = planned.definition["containerDefinitions"]
    assert main["mountPoints"] == [
        {"sourceVolume": "sockerless-agent", "containerPath": "/sockerless-agent", "readOnly": True}
    ]
    assert main["entryPoint"] == ["/sockerless-agent/sockerless-agent"]
    assert planned.definition["taskRoleArn"] == TASK_ROLE


def test_s3_files_without_an_access_point_mounts_the_root() -> None:
    """Then the binary lies at the root of the file system."""
    (volume,) = plan(s3_settings(s3_files_access_point_arn=None)).definition["volumes"]
    assert volume["s3filesVolumeConfiguration"] == {"fileSystemArn": S3_FILE_SYSTEM, "rootDirectory": "/"}


def test_s3_files_needs_a_task_role() -> None:
    """ECS mounts S3 Files by the task's role, so a start that leads to none is refused; a request may bring one."""
    stack = s3_settings(task_role_arn=None)
    with pytest.raises(Refused, match="the task has no role") as caught:
        plan(stack)
    assert caught.value.failure.cause is Cause.TASK_DEFINITION
    assert "TASK_ROLE_ARN" in caught.value.failure.remedy
    assert "s3files:ClientMount" in caught.value.failure.remedy
    assert plan(stack, task_role_arn=TASK_ROLE).definition["taskRoleArn"] == TASK_ROLE


def test_init_container_definition() -> None:
    """A container that is not essential copies the binary into the task's volume; main waits for its success."""
    planned = plan(settings(agent_image="example.com/agent:1", agent_copy_command=("/copy", "--to", "/x")))
    init, main = containers(planned)["init"], containers(planned)["main"]
    assert planned.definition["volumes"] == [{"name": "sockerless-agent"}]
    assert init == {
        "name": "init",
        "image": "example.com/agent:1",
        "essential": False,
        "user": "0",
        "mountPoints": [
            {"sourceVolume": "sockerless-agent", "containerPath": "/sockerless-agent-volume", "readOnly": False}
        ],
        "entryPoint": ["/copy"],
        "command": ["--to", "/x"],
    }
    assert main["essential"] is True
    assert main["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}]
    assert main["mountPoints"] == [
        {"sourceVolume": "sockerless-agent", "containerPath": "/sockerless-agent", "readOnly": True}
    ]
    assert main["entryPoint"] == ["/sockerless-agent/sockerless-agent"]


def test_the_default_copy_command_fills_the_mounted_volume() -> None:
    """What the init container writes by default is what main executes."""
    init, main = containers(plan(settings()))["init"], containers(plan(settings()))["main"]
    (written,) = init["mountPoints"]
    (read,) = main["mountPoints"]
    destination = init["command"][-1]
    assert main["entryPoint"] == [destination.replace(written["containerPath"], read["containerPath"])]


@pytest.mark.parametrize(("command", "members"), [((), set()), (("/copy",), {"entryPoint"})])
def test_an_agent_image_may_copy_by_itself(command: tuple[str, ...], members: set[str]) -> None:
    """Without a copy command the image's own entrypoint runs; without arguments none are invented."""
    init = containers(plan(settings(agent_copy_command=command)))["init"]
    assert init.keys() & {"entryPoint", "command"} == members


def test_image_definition() -> None:
    """Nothing is mounted and nothing runs beside the container: its image has the agent."""
    planned = plan(settings(injection=Injection.IMAGE))
    (main,) = planned.definition["containerDefinitions"]
    assert main == {"name": "main", "image": "nginx:1.27", "essential": True, "entryPoint": ["/sockerless-agent"]}
    assert "volumes" not in planned.definition


@pytest.mark.parametrize("strategy", list(Injection))
def test_the_plan_says_where_the_agent_is(strategy: Injection) -> None:
    """What runs first in main is the agent of the strategy, and nothing but it."""
    planned = plan(efs_settings(s3_files_file_system_arn=S3_FILE_SYSTEM, injection=strategy))
    assert planned.injection is strategy
    assert containers(planned)["main"]["entryPoint"] == [agent_path(strategy)]


def test_agent_arguments() -> None:
    """The original entrypoint and cmd follow `--` word by word; keep-alive runs no child. specification.md 7 and 8."""
    spec = partial(agent_arguments, AgentFlavor.SPEC, 9111)
    assert spec(("sh", "-c"), ("echo  $A",), keep_alive=False) == ["--", "sh", "-c", "echo  $A"]
    assert spec((), ("--", "x"), keep_alive=False) == ["--", "--", "x"]
    assert spec(("tail", "-f"), ("/dev/null",), keep_alive=True) == ["--keep-alive", "--"]


@pytest.mark.parametrize("keep_alive", [False, True])
def test_arguments_of_the_public_agent(keep_alive: bool) -> None:
    """Its port is from -addr alone, and it starts a child only with -keep-alive, be it idle (agent-protocol.md 5)."""
    arguments = agent_arguments(AgentFlavor.SOCKERLESS, 9222, ("tail",), ("-f", "/dev/null"), keep_alive=keep_alive)
    assert arguments == ["-addr", ":9222", "-log-level", "fatal", "-keep-alive", "--", "tail", "-f", "/dev/null"]


def test_the_public_agent_is_started_by_its_flavor() -> None:
    """With AGENT_FLAVOR=sockerless the command in RunTask is its own, and no variable asks for a keep-alive."""
    planned = plan(settings(agent_flavor=AgentFlavor.SOCKERLESS), entrypoint=None, cmd=["sleep", "infinity"])
    (main,) = planned.run["overrides"]["containerOverrides"]
    assert main["command"][-4:] == ["-keep-alive", "--", "sleep", "infinity"]
    assert "SOCKERLESS_KEEP_ALIVE" not in {pair["name"] for pair in main["environment"]}
    assert planned.keep_alive
