"""What a start requests of ECS: one shared definition, and one RunTask that carries the rest."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from core.launch.ecs_rules import DROPPED_CAPABILITIES
from core.launch.parse import parse_start_request
from core.launch.plan import LaunchPlan, plan_launch, relaunch
from core.launch.setting import declared
from core.launch.settings import Settings, TokenDelivery
from core.model.actions import Relaunch
from core.model.capacity import Provider
from core.model.errors import MalformedEvent, Refused
from core.model.failure import Cause, ErrorCode, Failure
from local.fargate.rules import override_violations, violations
from tests.factories import CLUSTER, CONTAINER_ID, REF, TASK, TOKEN
from tests.unit.core.launch.requests import (
    COMPLETE_SETTINGS,
    DOCUMENTS,
    ECR_IMAGE,
    EXECUTION_ROLE,
    GROUP,
    NOFILE,
    PARAMETER,
    S3_ACCESS_POINT,
    S3_FILE_SYSTEM,
    SECRET,
    SETTINGS,
    SUBNET,
    TASK_ROLE,
    document,
    efs_settings,
    settings,
)

ECS = get_session().get_service_model("ecs")
KERNEL_CAPABILITIES: Any = ECS.shape_for("KernelCapabilities")
ECS_CAPABILITIES = set(re.findall('"([A-Z_]+)"', KERNEL_CAPABILITIES.members["drop"].documentation))
OTHER_ID = "f" * 64


def plan(
    stack: Settings | None = None,
    *,
    generation: int = 1,
    attempt: int = 1,
    provider: Provider | None = None,
    **changes: Any,
) -> LaunchPlan:
    """The plan of a request with these changes, for a stack with an init container by default."""
    request = parse_start_request(document(**changes))
    stack = stack or settings()
    return plan_launch(request, stack, token=TOKEN, generation=generation, attempt=attempt, provider=provider)


def main_of(planned: LaunchPlan) -> dict[str, Any]:
    """The container `main` of its definition."""
    (main,) = (each for each in planned.definition["containerDefinitions"] if each["name"] == "main")
    return dict(main)


def override_of(planned: LaunchPlan) -> dict[str, Any]:
    """The one override, which is main's."""
    (override,) = planned.run["overrides"]["containerOverrides"]
    assert override["name"] == "main"
    return dict(override)


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    """The variables of a container or an override."""
    return {each["name"]: each["value"] for each in container.get("environment", [])}


def assert_valid(planned: LaunchPlan) -> None:
    """Both validations hold: botocore's own, and what AWS enforces beyond it."""
    run = {**planned.run, "taskDefinition": planned.definition["family"]}
    for operation, parameters in (("RegisterTaskDefinition", planned.definition), ("RunTask", run)):
        shape = ECS.operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(parameters, shape)
        assert not report.has_errors(), report.generate_report()
    assert violations(planned.definition) == ()
    assert override_violations(run, planned.definition) == ()


def test_a_definition_in_full() -> None:
    """Everything a request can say about the shape of a container is in the definition."""
    planned = plan(
        efs_settings(execution_role_arn=EXECUTION_ROLE, task_log_group="/tasks"),
        working_dir="/srv",
        user="1000:1000",
        platform="ARM64",
        limits={"nano_cpus": 10**9},
        ephemeral_storage_gib=50,
        task_role_arn="arn:aws:iam::123456789012:role/other",
        efs_binds=[
            {"file_system_id": "fs-00000000", "root_directory": "/d", "container_path": "/data", "read_only": True}
        ],
        ulimits=[NOFILE],
        stop_timeout=60,
        read_only_root=True,
        cap_add=["CAP_SYS_PTRACE", "sys_ptrace"],
        cap_drop=["net_raw", "CAP_CHOWN", "NET_RAW"],
        secrets={"KEY": f"{SECRET}:key::", "A": PARAMETER},
        repository_credentials=SECRET,
        log={"stream_prefix": "web", "mode": "non-blocking", "max_buffer_size": "25m"},
    )
    definition, main = planned.definition, main_of(planned)
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert definition["networkMode"] == "awsvpc"
    assert (definition["cpu"], definition["memory"]) == ("1024", "2048")
    assert definition["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert definition["ephemeralStorage"] == {"sizeInGiB": 50}
    assert definition["executionRoleArn"] == EXECUTION_ROLE
    assert definition["taskRoleArn"] == "arn:aws:iam::123456789012:role/other"
    assert definition["volumes"][1] == {
        "name": "bind-0",
        "efsVolumeConfiguration": {
            "fileSystemId": "fs-00000000",
            "rootDirectory": "/d",
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"iam": "ENABLED"},
        },
    }
    assert main["mountPoints"][1] == {"sourceVolume": "bind-0", "containerPath": "/data", "readOnly": True}
    assert (main["workingDirectory"], main["user"]) == ("/srv", "1000:1000")
    assert main["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 65535}]
    assert main["stopTimeout"] == 60
    assert main["readonlyRootFilesystem"] is True
    assert main["linuxParameters"] == {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["CHOWN", "NET_RAW"]}}
    assert main["secrets"] == [
        {"name": "A", "valueFrom": PARAMETER},
        {"name": "KEY", "valueFrom": f"{SECRET}:key::"},
    ]
    assert main["repositoryCredentials"] == {"credentialsParameter": SECRET}
    assert main["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/tasks",
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "web",
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }
    assert_valid(planned)


@pytest.mark.parametrize("drop", sorted(ECS_CAPABILITIES))
@pytest.mark.parametrize("add", [[], ["SYS_PTRACE"], ["NET_BIND_SERVICE", "CHOWN"]])
def test_an_added_capability_is_not_dropped(add: list[str], drop: str) -> None:
    """As in Docker, also when all others are. ECS is asked to add nothing of Docker's default."""
    planned = plan(cap_add=add, cap_drop=[drop])
    every = ECS_CAPABILITIES - {"ALL"} if drop == "ALL" and add else {drop}
    wanted = {"add": [one for one in add if one == "SYS_PTRACE"], "drop": sorted(every - {*add})}
    asked = {name: list(value) for name, value in wanted.items() if value}
    assert main_of(planned).get("linuxParameters", {}) == ({"capabilities": asked} if asked else {})
    assert_valid(planned)


def test_the_capabilities_are_ecss() -> None:
    """What may be dropped is what the API Reference lists. The agent's init container keeps all of its own."""
    assert ECS_CAPABILITIES == DROPPED_CAPABILITIES
    containers = plan(cap_drop=["ALL"]).definition["containerDefinitions"]
    assert ["linuxParameters" in one for one in containers] == [False, True]


@pytest.mark.parametrize(("line", "in_overrides", "in_definition"), [("x", 3800, 32_000), ('echo "a"\n', 2300, 19_800)])
def test_a_script_has_the_documented_room(line: str, in_overrides: int, in_definition: int) -> None:
    """docs/limits.md has these numbers; a tenth more is too long."""

    def carried(length: int) -> bool:
        script = (line * length)[:length]
        return "command" in plan(cmd=["sh", "-c", script]).run["overrides"]["containerOverrides"][0]

    assert [carried(length) for length in (in_overrides, in_overrides * 11 // 10, in_definition)] == [
        True,
        False,
        False,
    ]
    with pytest.raises(Refused, match="too large"):
        carried(in_definition * 11 // 10)


def test_members_that_are_not_sent_are_left_to_ecs() -> None:
    """ECS's own time to stop, limits and registry: a definition without them is the one of before they existed."""
    added = {"stopTimeout", "ulimits", "repositoryCredentials", "readonlyRootFilesystem", "linuxParameters", "secrets"}
    assert not added & main_of(plan()).keys()
    assert (
        plan(init=False, health_check=False, read_only_root=False, cap_add=[], cap_drop=[], secrets={}).run
        == plan().run
    )
    assert main_of(plan(init=False, health_check=False, read_only_root=False)) == main_of(plan())


@pytest.mark.parametrize(
    ("stacks", "requested", "given"), [(10, None, 10), (10, 60, 60), (10, 0, 2), (10, 30, None), (30, None, None)]
)
def test_a_request_goes_before_the_stacks_time_to_stop(stacks: int, requested: int | None, given: int | None) -> None:
    """Left out, the stack's; ECS's own 30 is not written, so the definitions of before keep their names."""
    planned = plan(settings(stop_timeout_seconds=stacks), stop_timeout=requested)
    assert main_of(planned).get("stopTimeout") == given
    assert_valid(planned)


@pytest.mark.parametrize(("requested", "given"), [(0, 2), (1, 2), (2, 2), (60, 60), (120, 120)])
def test_fargate_waits_two_seconds_at_least(requested: int, given: int) -> None:
    """Docker's 0 kills at once; the nearest that Fargate takes is 2."""
    planned = plan(stop_timeout=requested)
    assert main_of(planned)["stopTimeout"] == given
    assert_valid(planned)


def test_only_main_gets_what_the_request_says() -> None:
    """The init container is the stack's: another registry, and nothing to stop."""
    planned = plan(
        settings(execution_role_arn=EXECUTION_ROLE),
        stop_timeout=5,
        ulimits=[NOFILE],
        repository_credentials=SECRET,
        secrets={"A": SECRET},
        read_only_root=True,
        cap_add=["SYS_PTRACE"],
    )
    (init,) = (each for each in planned.definition["containerDefinitions"] if each["name"] == "init")
    assert init.keys() == {"name", "image", "essential", "user", "mountPoints", "entryPoint", "command"}


def test_a_bind_without_a_task_role_is_mounted_anonymously() -> None:
    """IAM needs a role; the connection is encrypted all the same."""
    planned = plan(efs_binds=[{"file_system_id": "fs-00000000", "container_path": "/data"}])
    assert planned.definition["volumes"][1]["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-00000000",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
    }


def test_a_bind_of_s3_files_in_full() -> None:
    """An access point fixes the directory; without one it is the caller's, or the root. EFS's volumes come first."""
    binds = [
        {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/a", "access_point_arn": S3_ACCESS_POINT},
        {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/b", "root_directory": "/data", "read_only": True},
        {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/c"},
    ]
    on_efs = [{"file_system_id": "fs-00000000", "container_path": "/data"}]
    planned = plan(efs_settings(), s3_files_binds=binds, efs_binds=on_efs)
    _, efs, *on_s3_files = planned.definition["volumes"]
    assert (efs["name"], "efsVolumeConfiguration" in efs) == ("bind-0", True)
    assert on_s3_files == [
        {
            "name": "bind-1",
            "s3filesVolumeConfiguration": {"fileSystemArn": S3_FILE_SYSTEM, "accessPointArn": S3_ACCESS_POINT},
        },
        {
            "name": "bind-2",
            "s3filesVolumeConfiguration": {"fileSystemArn": S3_FILE_SYSTEM, "rootDirectory": "/data"},
        },
        {"name": "bind-3", "s3filesVolumeConfiguration": {"fileSystemArn": S3_FILE_SYSTEM, "rootDirectory": "/"}},
    ]
    assert main_of(planned)["mountPoints"][2:] == [
        {"sourceVolume": "bind-1", "containerPath": "/a", "readOnly": False},
        {"sourceVolume": "bind-2", "containerPath": "/b", "readOnly": True},
        {"sourceVolume": "bind-3", "containerPath": "/c", "readOnly": False},
    ]
    assert_valid(planned)


def test_a_bind_of_s3_files_needs_a_task_role() -> None:
    """The task's role mounts it: without one the request is refused, with the member and what to do."""
    bind = {"file_system_arn": S3_FILE_SYSTEM, "container_path": "/bucket"}
    with pytest.raises(Refused, match=r"s3_files_binds: .* the task has no role") as caught:
        plan(s3_files_binds=[bind])
    assert (caught.value.failure.code, caught.value.failure.cause) == (
        ErrorCode.INVALID_REQUEST,
        Cause.TASK_DEFINITION,
    )
    assert "task_role_arn" in caught.value.failure.remedy
    assert plan(s3_files_binds=[bind], task_role_arn=TASK_ROLE).definition["taskRoleArn"] == TASK_ROLE


def test_the_run_in_full() -> None:
    """One task on Fargate in the stack's network, found again by startedBy, started once by its client token."""
    planned = plan(generation=3, labels={"team": "a", "note": "x,y"})
    assert {name: value for name, value in planned.run.items() if name not in {"overrides", "clientToken"}} == {
        "cluster": CLUSTER,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "count": 1,
        "startedBy": f"sockerless/{CONTAINER_ID}/3",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": [SUBNET],
                "assignPublicIp": "DISABLED",
                "securityGroups": ["sg-0a1b2c3d"],
            }
        },
        "tags": [{"key": "team", "value": "a"}],
    }
    assert planned.untagged_labels == ("note",)
    assert_valid(planned)


@pytest.mark.parametrize("provider", Provider)
def test_a_capacity_provider_takes_the_place_of_the_launch_type(provider: Provider) -> None:
    """ECS refuses both together. The definition is the same: containers of any capacity share a family."""
    planned, usual = plan(provider=provider), plan()
    strategy = [{"capacityProvider": provider.value, "weight": 1}]
    others = {name: value for name, value in usual.run.items() if name != "launchType"}
    assert planned.run == {**others, "capacityProviderStrategy": strategy}
    assert planned.definition == usual.definition
    assert_valid(planned)


def test_network_options() -> None:
    """Without security groups ECS takes the VPC's default one; a public address is a setting of the stack."""
    network = plan(settings(task_security_groups=(), assign_public_ip=True)).run["networkConfiguration"]
    assert network == {"awsvpcConfiguration": {"subnets": [SUBNET], "assignPublicIp": "ENABLED"}}


def groups_of(run: dict[str, Any]) -> list[str]:
    """The security groups of RunTask."""
    return list(run["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"])


def test_security_groups_are_added_to_the_stacks() -> None:
    """The stack's stay, because the prober and EFS need them; each counts once; the definition does not change."""
    four = [f"sg-0000000{number}" for number in range(4)]
    planned = plan(security_groups=["sg-0a1b2c3d", *four])
    assert groups_of(planned.run) == ["sg-0a1b2c3d", *four]
    assert planned.definition == plan().definition
    assert_valid(planned)


def test_a_relaunch_has_the_security_groups_of_its_request() -> None:
    """ECS does not show them, so they come from the record."""
    task = {"clusterArn": CLUSTER, "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/a:1"}
    launch = Relaunch(ref=REF, by="one", cluster_arn=CLUSTER, task_arn=TASK, attempt=2)
    named = replace(launch, security_groups=(GROUP,))
    assert groups_of(relaunch(task, settings(), named)) == ["sg-0a1b2c3d", GROUP]
    assert groups_of(relaunch(task, settings(), launch)) == ["sg-0a1b2c3d"]


@pytest.mark.parametrize("lacking", ["clusterArn", "taskDefinitionArn"])
def test_a_relaunch_needs_what_it_repeats(lacking: str) -> None:
    """A description without the cluster or the definition can be repeated by no launch: it is refused."""
    task = {"clusterArn": CLUSTER, "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/a:1"}
    del task[lacking]
    launch = Relaunch(ref=REF, by="one", cluster_arn=CLUSTER, task_arn=TASK, attempt=2)
    with pytest.raises(MalformedEvent, match="without its cluster or its definition"):
        relaunch(task, settings(), launch)


@pytest.mark.parametrize(
    ("stack", "requested", "says", "remedy"),
    [
        (
            settings(task_security_groups=("sg-0000000a", "sg-0000000b")),
            4,
            "security_groups: with the stack's 2 they are 6, and a task has at most 5",
            "Send at most 3",
        ),
        (
            settings(task_security_groups=()),
            1,
            "security_groups: the stack names no group, so tasks have the VPC's default one",
            "TaskSecurityGroups",
        ),
    ],
)
def test_security_groups_that_cannot_be_added_are_refused(
    stack: Settings, requested: int, says: str, remedy: str
) -> None:
    """More than five together, and those that would replace the VPC's default group."""
    with pytest.raises(Refused, match=says) as caught:
        plan(stack, security_groups=[f"sg-0000000{number}" for number in range(requested)])
    assert caught.value.failure.code is ErrorCode.INVALID_REQUEST
    assert remedy in caught.value.failure.remedy


def test_secrets_are_in_the_definition_alone() -> None:
    """RunTask cannot carry them; containers with the same ones share a definition, whatever their order."""
    stack = settings(execution_role_arn=EXECUTION_ROLE)
    first, second = (
        plan(stack, secrets={"A": SECRET, "B": PARAMETER}),
        plan(stack, secrets={"B": PARAMETER, "A": SECRET}),
    )
    assert first.definition == second.definition
    assert first.definition["family"] != plan(stack, secrets={"A": SECRET}).definition["family"]
    assert not any(arn in json.dumps(first.run) for arn in (SECRET, PARAMETER))
    assert_valid(first)


def test_a_token_from_the_parameter_store_is_beside_the_callers_secrets() -> None:
    """Both are secrets of the definition."""
    planned = plan(settings(execution_role_arn=EXECUTION_ROLE), token_delivery="ssm", secrets={"Z": SECRET})
    assert [one["name"] for one in main_of(planned)["secrets"]] == ["SOCKERLESS_AGENT_TOKEN", "Z"]
    assert_valid(planned)


def test_what_differs_travels_in_the_overrides() -> None:
    """Command, environment and token are in RunTask alone; the originals are kept as JSON. specification.md 7 and 9."""
    planned = plan(entrypoint=["sh", "-c"], cmd=['echo "ä"'], environment={"B": "2", "A": "1"})
    override = override_of(planned)
    assert override["command"] == ["--", "sh", "-c", 'echo "ä"']
    environment = environment_of(override)
    assert environment.pop("SOCKERLESS_AGENT_TOKEN") == TOKEN
    assert json.loads(environment.pop("SOCKERLESS_ORIGINAL_ENTRYPOINT")) == ["sh", "-c"]
    assert json.loads(environment.pop("SOCKERLESS_ORIGINAL_CMD")) == ['echo "ä"']
    assert environment == {
        "A": "1",
        "B": "2",
        "SOCKERLESS_AGENT_PORT": "9111",
        "SOCKERLESS_CONTAINER_ID": CONTAINER_ID,
    }
    assert main_of(planned).keys() & {"command", "environment", "secrets"} == set()
    assert planned.secret_name is None


def test_keep_alive_runs_no_child() -> None:
    """Flag and variable say so, as the protocol requires, and the originals are still kept."""
    planned = plan(entrypoint=["tail", "-f"], cmd=["/dev/null"])
    environment = environment_of(override_of(planned))
    assert planned.keep_alive
    assert override_of(planned)["command"] == ["--keep-alive", "--"]
    assert environment["SOCKERLESS_KEEP_ALIVE"] == "true"
    assert json.loads(environment["SOCKERLESS_ORIGINAL_ENTRYPOINT"]) == ["tail", "-f"]
    assert not plan().keep_alive


def test_one_definition_for_many_containers() -> None:
    """Another container, generation, command, environment or label needs no other definition."""
    first = plan()
    others = [
        plan(container_id=OTHER_ID),
        plan(generation=2),
        plan(cmd=["sleep", "5"]),
        plan(cmd=["tail", "-f", "/dev/null"]),
        plan(environment={"A": "1"}),
        plan(labels={"a": "b"}),
        plan(settings(agent_port=9200, task_subnets=("subnet-00000002",))),
    ]
    assert [other.definition for other in others] == [first.definition] * len(others)


@pytest.mark.parametrize(
    "changed",
    [
        plan(image="nginx:1.28"),
        plan(user="1000"),
        plan(working_dir="/srv"),
        plan(platform="ARM64"),
        plan(limits={"memory_mib": 1024}),
        plan(ephemeral_storage_gib=21),
        plan(injection="image"),
        plan(task_role_arn=TASK_ROLE),
        plan(efs_binds=[{"file_system_id": "fs-00000000", "container_path": "/data"}]),
        plan(settings(agent_image="example.com/agent:2")),
        plan(settings(execution_role_arn=EXECUTION_ROLE)),
        plan(stop_timeout=60),
        plan(settings(stop_timeout_seconds=10)),
        plan(read_only_root=True),
        plan(cap_add=["SYS_PTRACE"]),
        plan(ulimits=[NOFILE]),
        plan(settings(started_by_prefix="other")),
        plan(settings(cluster_arn=f"{CLUSTER}-2")),
    ],
)
def test_another_shape_is_another_family(changed: LaunchPlan) -> None:
    """A family that exists is always the right one, because whatever changes the definition changes its name."""
    assert changed.definition["family"] != plan().definition["family"]


def test_the_family_does_not_depend_on_the_process() -> None:
    """Functions that know nothing of each other find the same name. A change of it registers every shape anew."""
    assert plan().definition["family"] == "sockerless-daad26b108feb7cffb162d56ddfe914b"


def test_a_retry_is_the_same_run() -> None:
    """Whatever is repeated after a crash is the same document, or RunTask would answer ConflictException."""
    assert plan().run == plan(environment={}).run
    assert plan(environment={"B": "", "A": ""}).run == plan(environment={"A": "", "B": ""}).run
    tokens = {planned.run["clientToken"] for planned in (plan(), plan(attempt=2), plan(generation=2))}
    assert len(tokens) == 3


def test_overrides_too_long_get_a_definition_of_their_own() -> None:
    """The definition holds the caller's part; the overrides keep the token and the container's id."""
    environment = {f"VARIABLE_{number}": "x" * 100 for number in range(80)}
    first, second = plan(environment=environment), plan(environment=environment, container_id=OTHER_ID)
    assert main_of(first)["command"] == ["--", "nginx", "-g", "daemon off;"]
    assert environment_of(main_of(first)).items() >= environment.items()
    assert TOKEN not in json.dumps(first.definition)
    assert environment_of(override_of(first)) == {
        "SOCKERLESS_AGENT_PORT": "9111",
        "SOCKERLESS_AGENT_TOKEN": TOKEN,
        "SOCKERLESS_CONTAINER_ID": CONTAINER_ID,
    }
    assert "command" not in override_of(first)
    assert first.definition == second.definition
    assert first.definition["family"] != plan().definition["family"]
    assert_valid(first)


@pytest.mark.parametrize("letter", ["x", "ä", '"', "\n", "🐳"])
def test_the_edge_of_the_overrides(letter: str) -> None:
    """However AWS counts characters, what travels in the overrides is within its 8,192."""
    for length in range(0, 8192, 256):
        planned = plan(environment={"A": letter * length})
        assert_valid(planned)
        assert len(json.dumps(planned.run["overrides"])) <= 8192


def test_more_than_a_definition_holds_is_refused() -> None:
    """ECS takes 64 KiB: the refusal names what is too large and shows none of it."""
    with pytest.raises(Refused, match="entrypoint, cmd and environment are too large") as caught:
        plan(environment={"A": "x" * 65_000})
    assert caught.value.failure.code is ErrorCode.INVALID_REQUEST
    assert "xxx" not in str(caught.value)


def test_a_token_from_the_parameter_store() -> None:
    """With ssm the token is in nothing that ECS shows; the parameter is this generation's own."""
    planned = plan(settings(execution_role_arn=EXECUTION_ROLE), token_delivery="ssm", generation=2)
    name = f"/sockerless/{CONTAINER_ID}/2/token"
    assert planned.secret_name == name
    assert main_of(planned)["secrets"] == [{"name": "SOCKERLESS_AGENT_TOKEN", "valueFrom": name}]
    assert TOKEN not in json.dumps([planned.definition, planned.run])
    assert_valid(planned)


def test_the_stack_may_choose_ssm_and_a_request_the_environment() -> None:
    """As with the strategy, a request goes before the stack."""
    stack = settings(execution_role_arn=EXECUTION_ROLE, token_delivery=TokenDelivery.SSM)
    assert plan(stack).secret_name is not None
    assert plan(stack, token_delivery="environment").secret_name is None


@pytest.mark.parametrize(
    ("stack", "changes", "says"),
    [
        (settings(), {"token_delivery": "ssm"}, "token_delivery ssm reads a parameter"),
        (settings(), {"log": {"group": "/mine"}}, "a log group is written to"),
        (settings(), {"secrets": {"A": SECRET}}, "secrets are read"),
        (settings(), {"repository_credentials": SECRET}, "repository_credentials names a secret"),
        (settings(), {"image": ECR_IMAGE}, "an image is pulled from ECR"),
        (settings(agent_image=ECR_IMAGE), {}, "an image is pulled from ECR"),
    ],
)
def test_a_missing_execution_role_is_refused(stack: Settings, changes: dict[str, Any], says: str) -> None:
    """ECS would refuse the definition: the refusal says what needs the role and where to set it."""
    with pytest.raises(Refused, match=says) as caught:
        plan(stack, **changes)
    assert caught.value.failure.cause is Cause.TASK_DEFINITION
    assert "EXECUTION_ROLE_ARN" in caught.value.failure.remedy


def test_an_agent_image_that_is_not_pulled_needs_no_role() -> None:
    """The agent's image matters to the init container only."""
    assert plan(settings(agent_image=ECR_IMAGE), injection="image").definition.get("executionRoleArn") is None


@pytest.mark.parametrize(
    ("stack", "changes", "remedy"),
    [
        (settings(task_subnets=()), {}, "TaskSubnets"),
        (settings(cluster_arn=None), {}, "CLUSTER_ARN"),
        (
            settings(cluster_arn=None, task_log_group="/tasks", execution_role_arn=EXECUTION_ROLE),
            {},
            "CLUSTER_ARN",
        ),
        (settings(), {"log": {"mode": "blocking"}}, "log.group"),
    ],
)
def test_what_the_stack_lacks_is_named(stack: Settings, changes: dict[str, Any], remedy: str) -> None:
    """A start that cannot work is refused with the setting that would make it work."""
    with pytest.raises(Refused) as caught:
        plan(stack, **changes)
    assert remedy in caught.value.failure.remedy


def test_nothing_secret_in_a_repr() -> None:
    """A plan that is logged by mistake shows neither token nor environment."""
    shown = repr(plan(environment={"PASSWORD": "hunter2"}))
    assert TOKEN not in shown
    assert "hunter2" not in shown


def plan_or_failure(value: dict[str, Any], stack: Settings) -> LaunchPlan | Failure:
    """The plan of this document, or why there is none."""
    try:
        return plan_launch(parse_start_request(value), stack, token=TOKEN, generation=1)
    except Refused as refused:
        return refused.failure


@given(DOCUMENTS, COMPLETE_SETTINGS | SETTINGS)
@hypothesis_settings(max_examples=200)
def test_every_plan_is_one_that_aws_accepts(value: dict[str, Any], stack: Settings) -> None:
    """Any request and any stack: a plan within AWS's limits, or a refusal that names member or setting."""
    planned = plan_or_failure(value, stack)
    if isinstance(planned, LaunchPlan):
        assert_valid(planned)
        assert TOKEN not in json.dumps(planned.definition)
    elif planned.code is ErrorCode.INVALID_REQUEST:
        named = ("entrypoint, cmd and environment", "injection", "log", "security_groups", "s3_files_binds")
        assert any(name in planned.message for name in named)
    else:
        assert any(name.upper() in planned.remedy for name in declared(Settings))
