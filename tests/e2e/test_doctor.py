"""`reach doctor` on the deployed stack: nothing is wrong, and what is broken is found until it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache, partial
from typing import Any, TypeAlias

import pytest

from core.launch.request import Platform
from local.cloud.environment import published_environment
from local.cloud.foundation import storage_group
from local.cloud.staging import AGENT_BUCKET, AGENT_KEY, put_agent
from reach.app import main
from reach.doctor.asking import Aws
from reach.doctor.canary import Canary
from reach.doctor.examination import GROUPS, examine
from reach.doctor.facts import Given
from reach.doctor.findings import Ok, Reported, Status, Wrong
from tests.e2e.stack import Stack

NAME = "sockerless-reach"
BEYOND_THE_LAPTOP = {
    "fargate-quota": "the local AWS has no Service Quotas",
    "agent-port-from-backend": "where the backend is is not said",
    "efs-binary": "EFS shows no files",
    "s3-object": "the local agent is no ELF file",
    "may-mount": "the local AWS knows no conditions of policies",
    "may-pass-roles": "the local AWS knows no conditions of policies",
    "agent-flavor": "no container may run now",
}
"""What cannot be checked here, and why."""
Mend: TypeAlias = Callable[[], object]
Fault: TypeAlias = Callable[[Stack], Mend]
"""Breaks something; what it returns mends it."""

LEFT_BY_OTHER_TESTS = {"dead-events", "dead-probes", "agent-flavor"}
"""Dead letters, and agents without a child."""


@cache
def client_of(stack: Stack, service: str) -> Any:
    """One for all examinations: it takes longer to make than to use."""
    return stack.cloud.client(service)


def examined(stack: Stack, **more: Any) -> list[Reported]:
    with closing(examine(Aws(partial(client_of, stack)), NAME, Given({}), say=lambda _: None, **more)) as found:
        return list(found)


def wrong(found: list[Reported]) -> set[str]:
    return {one.check for one in found if one.finding.status is Status.WRONG} - LEFT_BY_OTHER_TESTS


def resource(stack: Stack, logical: str) -> str:
    found = stack.cloud.client("cloudformation").describe_stack_resource(StackName=NAME, LogicalResourceId=logical)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def test_nothing_is_wrong_with_the_laptop_cloud(stack: Stack) -> None:
    """Every check is made, and what the laptop does not have is said."""
    found = examined(stack)
    assert wrong(found) == set()
    open_ends = {one.check for one in found if one.finding.status is Status.UNKNOWN}
    assert open_ends <= BEYOND_THE_LAPTOP.keys()
    assert {one.group for one in found} == {"account", *(group.name for group in GROUPS)}


def test_a_canary_lives_and_leaves_nothing(stack: Stack) -> None:
    """It is started by the function, reached by the prober, stopped, and its task has ended."""

    def life(deployed: Any) -> Iterator[Reported]:
        client = partial(client_of, stack)
        canary = Canary(Aws(client), client("lambda"), deployed, "busybox", Platform.X86_64, lambda _: None)
        return canary.life()

    found = [one for one in examined(stack, only=["agent"], canary=life) if one.group == "canary"]
    assert [(one.check, one.finding.status) for one in found] == [
        ("canary-start", Status.OK),
        ("canary-reach", Status.OK),
        ("canary-end", Status.OK),
    ]
    start = found[0].finding
    assert isinstance(start, Ok)
    [task] = stack.tasks(start.facts["container"])
    assert task["desired_status"] == "STOPPED"


def rule_disabled(stack: Stack) -> Mend:
    events, rule = stack.cloud.client("events"), stack.cloud.outputs["TaskStateRuleName"]
    events.disable_rule(Name=rule)
    return lambda: events.enable_rule(Name=rule)


def reconciler_unscheduled(stack: Stack) -> Mend:
    scheduler, name = stack.cloud.client("scheduler"), resource(stack, "ReconcileFunctionEveryMinute")
    found = scheduler.get_schedule(Name=name)
    kept = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, State="DISABLED")
    return lambda: scheduler.update_schedule(**kept, State="ENABLED")


def probes_not_polled(stack: Stack) -> Mend:
    function = stack.arn("AgentHealth")
    [source] = stack.functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    stack.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    return lambda: stack.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


def function_stopped(stack: Stack) -> Mend:
    function = stack.arn("StopContainer")
    stack.functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    return lambda: stack.functions.delete_function_concurrency(FunctionName=function)


def items_that_stay(stack: Stack) -> Mend:
    dynamodb, table = stack.cloud.client("dynamodb"), stack.cloud.outputs["ContainersTableName"]

    def expire(enabled: bool) -> None:
        expiry = {"Enabled": enabled, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)

    expire(False)
    return lambda: expire(True)


def rule_revoked(group: Callable[[Stack], str]) -> Fault:
    """The first rule of a security group, taken away."""

    def broken(stack: Stack) -> Mend:
        ec2, name = stack.cloud.client("ec2"), group(stack)
        [found] = ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"]
        rules = {"GroupId": name, "IpPermissions": [_between_groups(one) for one in found["IpPermissions"]]}
        ec2.revoke_security_group_ingress(**rules)
        return lambda: ec2.authorize_security_group_ingress(**rules)

    return broken


def zone_without_mount_target(stack: Stack) -> Mend:
    efs, system = stack.cloud.client("efs"), stack.cloud.parameters["EfsFileSystemId"]
    target = efs.describe_mount_targets(FileSystemId=system)["MountTargets"][0]
    efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    kept = {"SubnetId": target["SubnetId"], "SecurityGroups": [storage_group(stack.cloud.client)]}
    return lambda: efs.create_mount_target(FileSystemId=system, **kept)


def bucket_without_versions(stack: Stack) -> Mend:
    s3 = stack.cloud.client("s3")
    s3.put_bucket_versioning(Bucket=AGENT_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    return lambda: s3.put_bucket_versioning(Bucket=AGENT_BUCKET, VersioningConfiguration={"Status": "Enabled"})


def agent_that_cannot_be_executed(stack: Stack) -> Mend:
    s3 = stack.cloud.client("s3")
    content = s3.get_object(Bucket=AGENT_BUCKET, Key=AGENT_KEY)["Body"].read()
    put_agent(s3, content, {})
    return lambda: put_agent(s3, content)


def no_way_out(stack: Stack) -> Mend:
    ec2 = stack.cloud.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [stack.cloud.parameters["VpcId"]]}]
    [table] = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    [gateway] = [one["GatewayId"] for one in table["Routes"] if one["DestinationCidrBlock"] == "0.0.0.0/0"]
    route = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.delete_route(**route)
    return lambda: ec2.create_route(**route, GatewayId=gateway)


def _between_groups(rule: dict[str, Any]) -> dict[str, Any]:
    """As it was authorized: ministack revokes no other."""
    pairs = [{key: one[key] for key in ("GroupId", "Description")} for one in rule["UserIdGroupPairs"]]
    return {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort")} | {"UserIdGroupPairs": pairs}


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "rule disabled": (rule_disabled, {"rule"}),
    "reconciler unscheduled": (reconciler_unscheduled, {"schedules"}),
    "probes not polled": (probes_not_polled, {"sources"}),
    "function stopped": (function_stopped, {"reserved-concurrency"}),
    "items that stay": (items_that_stay, {"expiry"}),
    "prober not let in": (
        rule_revoked(lambda stack: stack.cloud.parameters["TaskSecurityGroups"]),
        {"agent-port-from-prober"},
    ),
    "NFS closed": (rule_revoked(lambda stack: storage_group(stack.cloud.client)), {"efs-port", "s3-port"}),
    "zone without a mount target": (zone_without_mount_target, {"efs-mount-targets"}),
    "bucket without versions": (bucket_without_versions, {"s3-bucket"}),
    "agent that cannot be executed": (agent_that_cannot_be_executed, {"s3-object"}),
    "no way out": (no_way_out, {"way-to-registry", "way-to-logs"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_until_it_is_mended(stack: Stack, name: str) -> None:
    """The checks of what is broken turn wrong, no others; when it is mended, nothing is wrong."""
    fault, checks = FAULTS[name]
    mend = fault(stack)
    try:
        found = examined(stack)
    finally:
        mend()
    assert wrong(found) == checks
    assert wrong(examined(stack)) == set()


def test_a_dead_letter_is_found(stack: Stack) -> None:
    """The queue, how much waits in it, and how it is sent again."""
    sqs, url = stack.cloud.client("sqs"), resource(stack, "ProbeDeadLetterQueue")
    sent = sqs.send_message(QueueUrl=url, MessageBody="not a probe")["MessageId"]
    [finding] = [one.finding for one in examined(stack, only=["events"]) if one.check == "dead-probes"]
    for one in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
        if one["MessageId"] == sent:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    assert isinstance(finding, Wrong)
    assert "start-message-move-task" in finding.mend


def test_the_command_finds_the_laptop_cloud(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the variables of `.local/env` alone."""
    endpoints = stack.cloud.endpoint, stack.cloud.ecs_endpoint
    for name, value in published_environment(*endpoints, stack.cloud.outputs).items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--only", "network"]) == 0
    assert "ok    environment" in capsys.readouterr().out
