"""What a start asks of AWS: definitions, tokens and tags, and what it does when AWS says no."""

from __future__ import annotations

from typing import Any

import pytest

from core.model.agent import Injection
from core.model.state import State
from tests.factories import CONTAINER_ID, event
from tests.integration.account import HOST, TABLE, TEMPLATE, Account
from tests.integration.agents import agent_of
from tests.integration.refusals import refused, throttled
from tests.moto_aws import client, task_of
from tests.unit.local.ports import free_port

OTHER = "0" * 63 + "1"


def token_of(account: Account, container_id: str = CONTAINER_ID) -> str:
    token = account.record(container_id).agent_token
    assert token is not None
    return token


def definitions(account: Account) -> list[str]:
    return list(account.ecs.list_task_definitions()["taskDefinitionArns"])


def test_containers_of_one_shape_share_a_definition(account: Account) -> None:
    """RunTask names the family; only what ECS does not have is registered (moto has it, in whatever status)."""
    first = account.started()
    second = account.started(container_id=OTHER, cmd=["true"], environment={"GREETING": "good bye"})
    [definition] = definitions(account)
    assert {task_of(first).task_definition_arn, task_of(second).task_definition_arn} == {definition}
    account.started(container_id="0" * 63 + "2", image="debian:bookworm")
    assert len(definitions(account)) == 2


def test_the_definition_is_fargates(account: Account) -> None:
    """What ECS keeps of it: the size, the network mode, both containers in their order, and no token."""
    task = account.started()
    kept = account.ecs.describe_task_definition(taskDefinition=task_of(task).task_definition_arn)["taskDefinition"]
    assert (kept["requiresCompatibilities"], kept["networkMode"]) == (["FARGATE"], "awsvpc")
    assert (kept["cpu"], kept["memory"]) == ("256", "512")
    init, main = kept["containerDefinitions"]
    assert (init["name"], init["essential"], init["image"]) == ("init", False, "agent:1")
    assert main["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}]
    assert main["entryPoint"] == ["/sockerless-agent/sockerless-agent"]
    assert token_of(account) not in str(kept)


def test_the_agent_comes_from_s3_files(aws: None) -> None:
    """The strategy follows from the file system alone, and ECS keeps the volume as the model of the API has it."""
    file_system = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
    access_point = f"{file_system}/access-point/fsap-0123456789abcdef0"
    role = "arn:aws:iam::123456789012:role/task"
    account = Account(S3FilesFileSystemArn=file_system, S3FilesAccessPointArn=access_point, TaskRoleArn=role)
    start = event("start-container-s3-files")
    answer = account.start({name: value for name, value in start.items() if name != "injection"})
    kept = account.ecs.describe_task_definition(taskDefinition=answer["task_definition_arn"])["taskDefinition"]
    [volume] = kept["volumes"]
    assert volume["s3filesVolumeConfiguration"] == {"fileSystemArn": file_system, "accessPointArn": access_point}
    assert kept["taskRoleArn"] == role
    assert account.record(start["container_id"]).injection is Injection.S3_FILES


@pytest.mark.parametrize("name", ["S3FilesFileSystemArn", "TaskRoleArn"])
def test_s3_files_without_what_it_needs_starts_nothing(aws: None, name: str) -> None:
    """The refusal names the setting; nothing is written and nothing registered."""
    given = {
        "S3FilesFileSystemArn": "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0",
        "TaskRoleArn": "arn:aws:iam::123456789012:role/task",
    }
    del given[name]
    account = Account(TEMPLATE, **given)
    start = event("start-container-s3-files")
    assert name in account.start(start)["error"]["remedy"]
    assert account.store.load(start["container_id"]) is None
    assert definitions(account) == []


def test_labels_become_tags(account: Account) -> None:
    """Those that AWS takes; DescribeTasks shows them."""
    task = account.started(labels={"team": "blue"})
    [shown] = account.ecs.describe_tasks(cluster=account.cluster, tasks=[task], include=["TAGS"])["tasks"]
    assert {"key": "team", "value": "blue"} in shown["tags"]


def test_a_token_by_parameter_goes_with_its_container(aws: None) -> None:
    """It is in the Parameter Store while the container lives, in no override, and the definition refers to it."""
    account = Account(AgentPort=str(free_port(HOST)), TokenDelivery="ssm")
    task = account.started()
    record = account.record()
    assert record.token_parameter is not None
    kept = account.ssm.get_parameter(Name=record.token_parameter, WithDecryption=True)["Parameter"]
    assert (kept["Type"], kept["Value"]) == ("SecureString", token_of(account))
    assert token_of(account) not in str(task_of(task).overrides)
    definition = account.ecs.describe_task_definition(taskDefinition=task_of(task).task_definition_arn or "")
    main = definition["taskDefinition"]["containerDefinitions"][-1]
    assert main["secrets"] == [{"name": "SOCKERLESS_AGENT_TOKEN", "valueFrom": record.token_parameter}]

    account.told("task-stopped", task)
    assert account.ssm.describe_parameters()["Parameters"] == []
    assert account.record().token_parameter is None


def test_a_start_that_names_its_generation_is_answered_with_its_end(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sent again when the job is over, it starts nothing and counts nothing."""
    job = {**event("start-container"), "generation": 1}
    task = account.started(generation=1)
    account.told("task-stopped", task)
    ended = account.record()
    capsys.readouterr()
    assert account.start(job) == {
        "container_id": CONTAINER_ID,
        "generation": 1,
        "state": "stopped",
        "task_arn": task,
        "task_definition_arn": ended.task_definition_arn,
    }
    assert (account.record(), account.ecs.list_tasks()["taskArns"]) == (ended, [task])
    assert "StateEntered" not in capsys.readouterr().out


@pytest.mark.parametrize("operation", ["run_task", "register_task_definition"])
def test_a_throttled_start_waits_for_its_turn(account: Account, operation: str) -> None:
    """The same call again after a pause: one task, one definition."""
    with throttled(operation) as left:
        answer = account.start(event("start-container"))
    assert (left, answer["state"]) == ([0], "pending")
    assert account.ecs.list_tasks(cluster=account.cluster)["taskArns"] == [answer["task_arn"]]
    assert len(definitions(account)) == 1


def test_a_throttled_stop_is_made(account: Account) -> None:
    """The SDK repeats it."""
    task = account.started()
    with throttled("stop_task") as left:
        assert account.stop(event("stop-container"))["container_id"] == CONTAINER_ID
    assert (left, task_of(task).desired_status) == ([0], "STOPPED")


def test_a_refused_launch_is_the_containers_end(account: Account) -> None:
    """The cluster is gone: an answer with what to do, and a record that says the same; no task runs."""
    with refused("run_task", "ClusterNotFoundException", "Cluster not found.", times=1):
        error = account.start(event("start-container"))["error"]
    record = account.record()
    assert record.error is not None
    assert (error["code"], record.state) == ("LaunchFailed", State.FAILED)
    assert error["message"] == record.error.message
    assert "Cluster not found" in error["message"]


def test_each_start_has_a_token_of_its_own(account: Account) -> None:
    """It is what its agent is given; no other container's agent has it."""
    first = account.started()
    second = account.started(container_id=OTHER)
    tokens = token_of(account), token_of(account, OTHER)
    given = [str(task_of(task).overrides) for task in (first, second)]
    assert [[token in overrides for token in tokens] for overrides in given] == [[True, False], [False, True]]


def test_a_stranger_at_the_address_is_not_healthy(aws: None) -> None:
    """The agent there answers, and does not know the token: the container is not reached."""
    account = Account(AgentPort=str(free_port(HOST)), HealthTimeoutSeconds="1")
    task = account.started()
    stranger = account.started(container_id=OTHER)
    account.told("task-running", task)
    with agent_of(stranger):
        account.agent_health(account.probes())
    record = account.record()
    assert record.state is State.ENI_RESOLVED
    assert record.probe is not None
    assert record.probe.silent_at is not None


def test_what_a_request_asks_of_fargate_is_asked(account: Account) -> None:
    """Secrets, root and capability are in the definition, which has no value; the groups are the interface's."""
    group = client("ec2").create_security_group(GroupName="extra", Description="extra")["GroupId"]
    document = {**event("start-container-secrets"), "security_groups": [group]}
    answer = account.start(document)
    kept = account.ecs.describe_task_definition(taskDefinition=answer["task_definition_arn"])["taskDefinition"]
    main = kept["containerDefinitions"][-1]
    assert {one["name"]: one["valueFrom"] for one in main["secrets"]} == document["secrets"]
    assert (main["readonlyRootFilesystem"], main["stopTimeout"]) == (True, 10)
    assert main["linuxParameters"]["capabilities"] == {"add": ["SYS_PTRACE"]}
    [override] = task_of(answer["task_arn"]).overrides["containerOverrides"]
    assert not document["secrets"].keys() & {one["name"] for one in override["environment"]}
    network = task_of(answer["task_arn"]).network_configuration["awsvpcConfiguration"]
    assert network["securityGroups"][1:] == [group]
    assert account.record(document["container_id"]).security_groups == (group,)


def test_the_stack_has_a_time_to_stop(aws: None) -> None:
    """Of containers whose request names none."""
    account = Account(AgentPort=str(free_port(HOST)), StopTimeoutSeconds="10")
    task = account.started()
    kept = account.ecs.describe_task_definition(taskDefinition=task_of(task).task_definition_arn)["taskDefinition"]
    assert kept["containerDefinitions"][-1]["stopTimeout"] == 10


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (
            {"security_groups": [f"sg-0000000{number}" for number in range(5)]},
            "security_groups: with the stack's 1",
        ),
        ({"secrets": {"KEY": "hunter2"}}, "secrets.KEY: must be the ARN"),
        (
            {"secrets": {"GREETING": "arn:aws:ssm:us-east-1:123456789012:parameter/a"}},
            "secrets: GREETING is in",
        ),
        ({"cap_add": ["NET_ADMIN"]}, "cap_add[0]: is not available"),
        ({"init": True}, "init: is refused"),
        ({"health_check": {"test": ["CMD", "true"]}}, "health_check: is refused"),
        ({"stop_timeout": 121}, "stop_timeout: must be from 0 to 120"),
        ({"limits": {"memory_mib": 249857}}, "limits.memory_mib: must be less than or equal to 249856"),
    ],
)
def test_what_fargate_cannot_do_is_refused(account: Account, members: dict[str, Any], says: str) -> None:
    """With the member's path; nothing is written, nothing is started."""
    error = account.start({**event("start-container"), **members})["error"]
    assert error["code"] == "InvalidRequest"
    assert says in error["message"]
    assert "hunter2" not in str(error)
    assert account.dynamodb.scan(TableName=TABLE)["Items"] == []
    assert definitions(account) == account.ecs.list_tasks(cluster=account.cluster)["taskArns"] == []
