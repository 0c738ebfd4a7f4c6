"""Accounts of other kinds that are healthy too, and what cannot be known of some."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from core.storage.item import to_item
from reach.doctor.asking import Aws
from reach.doctor.examination import examine
from reach.doctor.facts import Given
from reach.doctor.findings import Status, Unknown
from tests.healthy_account import STACK, TLS_ALONE
from tests.moto_aws import REGION
from tests.records import healthy
from tests.unit.reach.doctor.answers import Answers, client
from tests.unit.reach.doctor.faults import put_item, setting, with_agent_image, with_endpoints, without_policy

MOUNT: Final = "elasticfilesystem:ClientMount"


class Variant(NamedTuple):
    """`make` changes a healthy account into another kind. `said` is part of what `check` finds then."""

    make: Callable[[Answers], Any]
    check: str
    status: Status
    said: str


def all_of(*steps: Callable[[Answers], Any]) -> Callable[[Answers], None]:
    def make(answers: Answers) -> None:
        for step in steps:
            step(answers)

    return make


def one_subnet(answers: Answers) -> None:
    answers.account.parameters["TaskSubnets"] = answers.account.ids["subnet-a"]


def default_group(answers: Answers) -> None:
    """The VPC's default group, which lets its members in; the prober and NFS are let in by blocks."""
    account, ec2 = answers.account, client("ec2")
    filters = [{"Name": "vpc-id", "Values": [account.ids["vpc"]]}, {"Name": "group-name", "Values": ["default"]}]
    [group] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    for name, port in ((group["GroupId"], 9111), (account.ids["storage"], 2049)):
        blocks = [{"CidrIp": "10.0.0.0/16"}]
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": blocks}
        ec2.authorize_security_group_ingress(GroupId=name, IpPermissions=[rule])
    account.parameters["TaskSecurityGroups"] = ""


def file_system_policy(document: dict[str, Any] | None) -> Callable[[Answers], None]:
    def make(answers: Answers) -> None:
        if document is None:
            answers.refuse("DescribeFileSystemPolicy", "PolicyNotFound")
        else:
            system = answers.account.parameters["EfsFileSystemId"]
            client("efs").put_file_system_policy(FileSystemId=system, Policy=json.dumps(document))

    return make


def interface_endpoint_of_dynamodb(answers: Answers) -> None:
    account, ec2 = answers.account, client("ec2")
    ec2.delete_vpc_endpoints(VpcEndpointIds=[account.ids["dynamodb"]])
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.dynamodb",
        PrivateDnsEnabled=True,
    )


def no_agent_needed(answers: Answers) -> None:
    """Images that have the agent, and no roles."""
    answers.account.parameters |= {"InjectionStrategy": "image", "EfsFileSystemId": "", "EfsAccessPointId": ""}
    answers.account.parameters |= {"ExecutionRoleArn": "", "TaskRoleArn": "", "TaskLogGroup": ""}


def no_access_point(answers: Answers) -> None:
    answers.account.parameters["EfsAccessPointId"] = ""


def manifest_of_one(answers: Answers) -> None:
    """As `docker push` makes it of an image for one processor."""
    with_agent_image(answers)
    manifest = {"schemaVersion": 2, "config": {"digest": f"sha256:{1:064x}"}, "layers": []}
    answers.change(
        "ecr", "batch_get_image", lambda found: found["images"][0].update(imageManifest=json.dumps(manifest))
    )


def image_of_another_region(answers: Answers) -> None:
    with_agent_image(answers)
    parameters = answers.account.parameters
    parameters["AgentImage"] = parameters["AgentImage"].replace(REGION, "eu-central-1")


def tls_and(statement: dict[str, Any]) -> dict[str, Any]:
    return {**TLS_ALONE, "Statement": [*TLS_ALONE["Statement"], statement]}


ALLOWED: Final = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": MOUNT, "Resource": "*"}
OK, UNKNOWN = Status.OK, Status.UNKNOWN

VARIANTS: Final = {
    "one zone": Variant(one_subnet, "zones", OK, "when it fails"),
    "the VPC's default group": Variant(default_group, "task-groups", OK, "the VPC's default group"),
    "no file system's policy": Variant(
        all_of(file_system_policy(None), without_policy("task", "mount")), "may-mount", OK, "TaskRoleArn"
    ),
    "a file system's policy that allows": Variant(
        all_of(file_system_policy(tls_and(ALLOWED)), without_policy("task", "mount")),
        "may-mount",
        UNKNOWN,
        "whether the policy",
    ),
    "no access point": Variant(
        all_of(no_access_point, file_system_policy(None)), "efs-access-point", OK, "in the root"
    ),
    "endpoints in place of NAT": Variant(with_endpoints, "way-to-registry", OK, "through endpoints of ecr.api"),
    "DynamoDB by an interface endpoint": Variant(interface_endpoint_of_dynamodb, "dynamodb-endpoint", OK, "through"),
    "no roles": Variant(no_agent_needed, "task-role", OK, "none"),
    "no execution role": Variant(no_agent_needed, "execution-role", OK, "none"),
    "no log group": Variant(no_agent_needed, "log-group", OK, "none"),
    "images that have the agent": Variant(no_agent_needed, "agent-source", OK, "image"),
    "a role for some repositories": Variant(
        without_policy("execution", "pull"), "may-pull", UNKNOWN, "may not pull every"
    ),
    "an agent image in ECR": Variant(with_agent_image, "agent-image", OK, "X86_64, ARM64"),
    "an image for one processor": Variant(manifest_of_one, "agent-image", UNKNOWN, "does not say for which"),
    "an image of another Region": Variant(image_of_another_region, "agent-image", UNKNOWN, "it is in eu-central-1"),
    "a deployment that goes on": Variant(
        lambda answers: setattr(answers, "status", "UPDATE_IN_PROGRESS"), "status", UNKNOWN, "ask again"
    ),
    "a container that runs": Variant(
        lambda answers: put_item(answers, to_item(healthy())), "agent-flavor", OK, "1 healthy"
    ),
    "a log group without retention": Variant(
        lambda _: client("logs").delete_retention_policy(logGroupName="/sockerless/tasks"),
        "log-group",
        OK,
        "kept for ever",
    ),
    "a quota that was never raised": Variant(
        lambda answers: answers.by_default(vcpus=6.0), "fargate-quota", OK, "24 of the smallest"
    ),
    "no ProberIpv6 needed": Variant(setting("ProberIpv6", "true"), "prober-subnets", OK, "in vpc-"),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_another_kind_of_account_is_not_wrong(answers: Answers, name: str) -> None:
    """Nothing of it is called wrong, and the check says what is to be known of it."""
    variant = VARIANTS[name]
    variant.make(answers)
    found = list(examine(Aws(client), STACK, Given({}), say=lambda _: None))
    assert {one.check for one in found if one.finding.status is Status.WRONG} == set()
    findings = [one.finding for one in found if one.check == variant.check]
    said = [(one.status, one.why if isinstance(one, Unknown) else one.what) for one in findings]
    assert any(status is variant.status and variant.said in what for status, what in said), said
