"""foundation.yaml, deployed to the local AWS: what the stack takes for granted, as on AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from local.cloud.layout import ROOT

STACK_NAME: Final = "sockerless-foundation"
_TEMPLATE: Final = ROOT / "foundation.yaml"
_STORAGE_GROUP: Final = "StorageSecurityGroup"
_ZONES: Final = 2
_POLL: Final = {"Delay": 1}

Client = Callable[[str], Any]


def deploy_foundation(client: Client, parameters: Mapping[str, str]) -> dict[str, str]:
    """Creates the stack in the default VPC, with the agent on EFS; its outputs are parameters of the main one.

    But for AgentSecurityGroupId, by which the main stack would add a rule: ministack's CloudFormation knows no rules
    apart from their groups. `let_prober_in` adds it, as an operator does who leaves the parameter out.
    """
    cloudformation = client("cloudformation")
    given = {"AgentStorage": "efs", "AssignPublicIp": "true", **_network(client), **parameters}
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateBody=_TEMPLATE.read_text(),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK_NAME, WaiterConfig=_POLL)
    [stack] = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    del outputs["AgentSecurityGroupId"]
    return outputs


def let_prober_in(client: Client, parameters: Mapping[str, str], prober: str) -> None:
    """The rule of docs/deploy.md, "Network and roles", for the security group of the prober."""
    port = int(parameters["AgentPort"])
    pair = {"GroupId": prober, "Description": "The prober of sockerless-reach"}
    client("ec2").authorize_security_group_ingress(
        GroupId=parameters["TaskSecurityGroups"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}],
    )


def storage_group(client: Client) -> str:
    """The security group of its mount targets."""
    found = client("cloudformation").describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=_STORAGE_GROUP)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def _network(client: Client) -> dict[str, str]:
    """The default VPC, which gets the way to the internet and the names that it has on AWS."""
    ec2 = client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    [table] = ec2.describe_route_tables(Filters=within)["RouteTables"]
    [gateway] = ec2.describe_internet_gateways()["InternetGateways"]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway["InternetGatewayId"],
    )
    ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], EnableDnsHostnames={"Value": True})
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=within)["Subnets"]]
    return {
        "VpcId": vpc["VpcId"],
        "TaskSubnets": ",".join(sorted(subnets)[:_ZONES]),
        "ProberRouteTableIds": table["RouteTableId"],
    }
