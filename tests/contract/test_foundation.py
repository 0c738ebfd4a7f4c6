"""foundation.yaml deployed on ministack: with efs and without storage. It has no S3 Files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reach.staging.access import Access, access
from reach.staging.target import settings_of
from tests.contract.conftest import client_of
from tests.template import FOUNDATION, load_template
from tests.unit.test_foundation import FOR_PEOPLE
from tests.unit.test_parameters import refusals

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
ONLY_ON_S3_FILES = {"S3FilesFileSystemArn", "S3FilesAccessPointArn", "AgentStagingUri"}
ONLY_ON_EFS = {"EfsFileSystemId", "EfsAccessPointId", "StagingRoleArn"}


class Aws:
    """Clients of ministack, and a VPC that no other test uses, with a subnet in each of two zones."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        ec2 = self("ec2")
        self.vpc: str = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
            for number, zone in enumerate("ab")
        ]
        self.subnets: list[str] = sorted(one["Subnet"]["SubnetId"] for one in subnets)
        self.table: str = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def endpoints(self) -> list[dict[str, Any]]:
        """Of the VPC; ministack filters some of the answers only."""
        return [one for one in self("ec2").describe_vpc_endpoints()["VpcEndpoints"] if one["VpcId"] == self.vpc]

    def __call__(self, service: str) -> Any:
        return client_of(service, endpoint=self.endpoint)

    def deploy(self, name: str, **parameters: str) -> dict[str, str]:
        """Creates the stack, waits, and gives its outputs."""
        cloudformation = self("cloudformation")
        cloudformation.create_stack(**self._stack(name, **parameters))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def update(self, name: str, **parameters: str) -> None:
        """Updates the stack and waits."""
        self("cloudformation").update_stack(**self._stack(name, **parameters))
        self("cloudformation").get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    def _stack(self, name: str, **parameters: str) -> dict[str, Any]:
        values = {"VpcId": self.vpc, "TaskSubnets": ",".join(self.subnets), **parameters}
        return {
            "StackName": name,
            "TemplateBody": FOUNDATION.read_text(),
            "Capabilities": CAPABILITIES,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        }

    def remove(self, name: str) -> None:
        """Deletes the stack and waits."""
        self("cloudformation").delete_stack(StackName=name)
        self("cloudformation").get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


@pytest.fixture
def aws(ministack: str) -> Aws:
    return Aws(ministack)


def test_a_foundation_on_efs(aws: Aws) -> None:
    """One mount target a subnet, behind the group of the tasks; outputs that template.yaml takes; all of it goes."""
    outputs = aws.deploy("on-efs", AgentStorage="efs", ProberRouteTableIds=aws.table)
    assert outputs.keys() == load_template(FOUNDATION)["Outputs"].keys() - ONLY_ON_S3_FILES
    assert list(refusals({name: value for name, value in outputs.items() if name not in FOR_PEOPLE})) == []

    system = outputs["EfsFileSystemId"]
    targets = aws("efs").describe_mount_targets(FileSystemId=system)["MountTargets"]
    assert sorted(target["SubnetId"] for target in targets) == aws.subnets
    points = aws("efs").describe_access_points(FileSystemId=system)["AccessPoints"]
    assert {one["RootDirectory"]["Path"] for one in points} == {"/sockerless/bin"}
    [point] = [one for one in points if one["AccessPointId"] == outputs["EfsAccessPointId"]]
    [staging] = [one for one in points if one is not point]
    settings = settings_of("on-efs", {name: value for name, value in outputs.items() if name not in FOR_PEOPLE})
    assert access(settings, aws("efs"), None) == Access(
        system, "/sockerless/bin", outputs["StagingRoleArn"], staging["AccessPointId"]
    )
    role = outputs["TaskRoleArn"].rpartition("/")[2]
    document = aws("iam").get_role_policy(RoleName=role, PolicyName="mount-the-agent")["PolicyDocument"]
    [statement] = document["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"elasticfilesystem:AccessPointArn": point["AccessPointArn"]}}
    [endpoint] = aws.endpoints()
    assert endpoint["RouteTableIds"] == [aws.table]

    aws.remove("on-efs")
    assert system not in {one["FileSystemId"] for one in aws("efs").describe_file_systems()["FileSystems"]}
    assert aws.endpoints() == []


def test_subnets_in_another_order_replace_no_mount_target(aws: Aws) -> None:
    """And a subnet that goes takes its mount target along, and no other."""

    def targets() -> dict[str, str]:
        found = aws("efs").describe_mount_targets(FileSystemId=system)["MountTargets"]
        return {one["SubnetId"]: one["MountTargetId"] for one in found}

    system = aws.deploy("in-order", AgentStorage="efs")["EfsFileSystemId"]
    before = targets()
    aws.update("in-order", AgentStorage="efs", TaskSubnets=",".join(reversed(aws.subnets)))
    assert targets() == before
    aws.update("in-order", AgentStorage="efs", TaskSubnets=aws.subnets[1])
    assert targets() == {aws.subnets[1]: before[aws.subnets[1]]}
    aws.remove("in-order")


def test_a_foundation_without_storage(aws: Aws) -> None:
    """Cluster with both providers, log group, and the one rule; ProberSubnets are TaskSubnets; all of it goes."""
    outputs = aws.deploy("without-storage", AgentStorage="none", ClusterName="work", TaskLogGroup="/team/tasks")
    assert outputs.keys() == load_template(FOUNDATION)["Outputs"].keys() - ONLY_ON_S3_FILES - ONLY_ON_EFS
    assert list(refusals({name: value for name, value in outputs.items() if name not in FOR_PEOPLE})) == []
    assert outputs["ProberSubnets"] == outputs["TaskSubnets"] == ",".join(aws.subnets)

    [cluster] = aws("ecs").describe_clusters(clusters=[outputs["ClusterName"]])["clusters"]
    assert (cluster["clusterName"], cluster["capacityProviders"]) == ("work", ["FARGATE", "FARGATE_SPOT"])
    [group] = aws("logs").describe_log_groups(logGroupNamePrefix="/team/")["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == (outputs["TaskLogGroup"], 30)
    [tasks] = aws("ec2").describe_security_groups(GroupIds=[outputs["AgentSecurityGroupId"]])["SecurityGroups"]
    [rule] = tasks["IpPermissions"]
    [source] = rule["UserIdGroupPairs"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 9111, 9111)
    assert source["GroupId"] == outputs["BackendSecurityGroupId"]
    role = aws("iam").get_role(RoleName=outputs["ExecutionRoleArn"].rpartition("/")[2])["Role"]
    assert "ecs-tasks.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])

    aws.remove("without-storage")
    assert aws("logs").describe_log_groups(logGroupNamePrefix="/team/")["logGroups"] == []
