"""Subnets, routes, endpoints and security groups."""

from __future__ import annotations

from functools import partial
from typing import Any

from reach.doctor.asking import Aws
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Given, Network
from reach.doctor.knowledge import Document, fact
from reach.doctor.reads import ENDPOINTS, NAT_GATEWAYS, ROUTE_TABLES, SECURITY_GROUPS, SUBNETS, VPC_ATTRIBUTE

_DNS = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}


def gather(aws: Aws, stack: Deployed, given: Given) -> Network:
    """Asks for all of it."""
    return Network(
        task_subnets=fact(partial(task_subnets, aws, stack)),
        prober_subnets=fact(lambda: subnets(aws, stack.ids("ProberSubnets"))),
        route_tables=fact(lambda: _route_tables(aws, stack)),
        nat_gateways=fact(lambda: _nat_gateways(aws, stack)),
        endpoints=fact(lambda: _endpoints(aws, stack)),
        groups=fact(lambda: _groups(aws, stack, given)),
        endpoint_groups=fact(lambda: _endpoint_groups(aws, stack)),
        task_groups=fact(partial(task_groups, aws, stack)),
        dns={name: fact(partial(_vpc_attribute, aws, stack, name)) for name in _DNS},
        backend=given.backend,
    )


def subnets(aws: Aws, ids: list[str]) -> list[Document]:
    """Those that are there. A filter, because one unknown id would fail the whole call."""
    found: list[Document] = aws.ask(SUBNETS, Filters=_filter("subnet-id", ids))["Subnets"] if ids else []
    return found


def task_subnets(aws: Aws, stack: Deployed) -> list[Document]:
    """The tasks'."""
    return subnets(aws, stack.ids("TaskSubnets"))


def security_groups(aws: Aws, ids: list[str]) -> dict[str, Document]:
    """Those that are there, by id."""
    if not ids:
        return {}
    found = aws.ask(SECURITY_GROUPS, Filters=_filter("group-id", sorted(set(ids))))["SecurityGroups"]
    return {one["GroupId"]: one for one in found if one["GroupId"] in ids}  # an emulator may not know the filter


def task_groups(aws: Aws, stack: Deployed) -> list[str]:
    """Where the stack names none, ECS takes the default group of the VPC (API: AwsVpcConfiguration)."""
    if named := stack.ids("TaskSecurityGroups"):
        return named
    vpc = _filter("vpc-id", sorted({one["VpcId"] for one in task_subnets(aws, stack)}))
    if not vpc[0]["Values"]:
        return []
    default = aws.ask(SECURITY_GROUPS, Filters=[*vpc, *_filter("group-name", ["default"])])["SecurityGroups"]
    return [one["GroupId"] for one in default]


def _vpcs(aws: Aws, stack: Deployed) -> list[str]:
    """Of the tasks and of the prober: one, as a rule."""
    of_tasks = {one["VpcId"] for one in task_subnets(aws, stack)}
    return sorted(of_tasks | {*stack.ids("VpcId")})


def _route_tables(aws: Aws, stack: Deployed) -> list[Document]:
    vpcs = _vpcs(aws, stack)
    found: list[Document] = aws.ask(ROUTE_TABLES, Filters=_filter("vpc-id", vpcs))["RouteTables"] if vpcs else []
    return found


def _nat_gateways(aws: Aws, stack: Deployed) -> dict[str, Document]:
    """Those that a route of these VPCs names: a gateway may stand in another one."""
    routes = (route for table in _route_tables(aws, stack) for route in table["Routes"])
    ids = sorted({route["NatGatewayId"] for route in routes if "NatGatewayId" in route})
    found = aws.ask(NAT_GATEWAYS, Filter=_filter("nat-gateway-id", ids))["NatGateways"] if ids else []
    return {one["NatGatewayId"]: one for one in found}


def _endpoints(aws: Aws, stack: Deployed) -> list[Document]:
    vpcs = _vpcs(aws, stack)
    found: list[Document] = aws.ask(ENDPOINTS, Filters=_filter("vpc-id", vpcs))["VpcEndpoints"] if vpcs else []
    return found


def _groups(aws: Aws, stack: Deployed, given: Given) -> dict[str, Document]:
    """The tasks', the prober's and the backend's."""
    prober = stack.outputs.get("ProberSecurityGroupId")
    backend = given.backend if given.backend and given.backend.startswith("sg-") else None
    return security_groups(aws, [*task_groups(aws, stack), *filter(None, (prober, backend))])


def _endpoint_groups(aws: Aws, stack: Deployed) -> dict[str, Document]:
    """Of the interface endpoints."""
    return security_groups(aws, [one["GroupId"] for each in _endpoints(aws, stack) for one in each.get("Groups", ())])


def _vpc_attribute(aws: Aws, stack: Deployed, name: str) -> bool:
    """Whether it is on in all VPCs of the tasks."""
    vpcs = sorted({one["VpcId"] for one in task_subnets(aws, stack)})
    return all(aws.ask(VPC_ATTRIBUTE, VpcId=vpc, Attribute=name)[_DNS[name]]["Value"] for vpc in vpcs)


def _filter(name: str, values: list[str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": values}]
