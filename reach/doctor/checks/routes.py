"""Whether tasks reach the registry, CloudWatch Logs and Systems Manager, and the prober DynamoDB."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.launch.ecs_rules import is_ecr_image
from core.launch.settings import TokenDelivery
from core.model.agent import Injection
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Network
from reach.doctor.findings import Finding, ok, wrong
from reach.doctor.knowledge import Document
from reach.doctor.rules.traffic import (
    EGRESS,
    INGRESS,
    NO_PUBLIC_ADDRESS,
    is_gateway,
    lets,
    lets_anything,
    networks_of,
    serves,
    table_of,
    way_out,
)

HTTPS: Final = 443
_OF_ECR: Final = ("ecr.api", "ecr.dkr", "s3")
"""Layers of ECR lie in S3 (guide: Amazon ECR interface VPC endpoints)."""
_OF_LOGS: Final = ("logs",)
_OF_SSM: Final = ("ssm",)


def way_to_registry(stack: Deployed, network: Network) -> Iterator[Finding]:
    """Tasks reach the registry: by NAT, by a public address, or ECR alone by its endpoints."""
    ways = _ways(stack, network, _OF_ECR)
    yield from _reported(stack, ways, "the registry", _OF_ECR)
    image = stack.parameter("AgentImage")
    if ways.by_endpoints and stack.injection is Injection.INIT_CONTAINER and not is_ecr_image(image):
        yield wrong(
            "The agent image {image} is not in ECR, and {subnets} reach no other registry.",
            "docker push it to ECR, then sam deploy --parameter-overrides AgentImage=...",
            image=image,
            subnets=ways.by_endpoints,
        )


def way_to_logs(stack: Deployed, network: Network) -> Iterator[Finding]:
    """Tasks reach CloudWatch Logs, where TaskLogGroup is set."""
    if stack.parameter("TaskLogGroup"):
        yield from _reported(stack, _ways(stack, network, _OF_LOGS), "CloudWatch Logs", _OF_LOGS)


def way_to_ssm(stack: Deployed, network: Network) -> Iterator[Finding]:
    """Tasks reach Systems Manager, where TokenDelivery is ssm."""
    if stack.parameter("TokenDelivery") == TokenDelivery.SSM:
        yield from _reported(stack, _ways(stack, network, _OF_SSM), "Systems Manager", _OF_SSM)


def task_egress(_: Deployed, network: Network) -> Iterator[Finding]:
    """The tasks' security groups let TCP 443 out."""
    groups = network.groups_of_tasks()
    names = [one["GroupId"] for one in groups]
    if groups and not lets_anything(groups, EGRESS, HTTPS):
        yield wrong(
            "{groups} let no TCP 443 out, so tasks pull no image and write no log.",
            f"aws ec2 authorize-security-group-egress --group-id {names[0]} --protocol tcp --port 443 --cidr 0.0.0.0/0",
            groups=names,
        )
    elif groups:
        yield ok("{groups} let TCP 443 out", groups=names)


def dynamodb_endpoint(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The prober's subnets have a way to DynamoDB: the gateway endpoint, or NAT."""
    through: set[str] = set()
    for subnet in network.prober_subnets.value:
        table = table_of(subnet, network.route_tables.value)
        if (way := _way_to_dynamodb(network, subnet, table)) is not None:
            through.add(way)
            continue
        name = table["RouteTableId"] if table else "none"
        yield wrong(
            "{table}, the route table of {subnet}, has no DynamoDB gateway endpoint, so the prober writes no verdict.",
            f"aws ec2 create-vpc-endpoint --vpc-id {subnet['VpcId']} --service-name "
            f"com.amazonaws.{stack.region}.dynamodb --route-table-ids {{table}}, or sam deploy --parameter-overrides "
            "ProberRouteTableIds={table}",
            table=name,
            subnet=subnet["SubnetId"],
        )
    if through:
        yield ok("through {through}", through=sorted(through))


def _way_to_dynamodb(network: Network, subnet: Document, table: Document | None) -> str | None:
    """By an endpoint in its route table, an interface endpoint with a private name, or NAT.

    Lambda has no public address, so an internet gateway does not help it (guide: Lambda, internet access for a VPC).
    """
    for endpoint in network.endpoints.value:
        if not serves(endpoint, "dynamodb"):
            continue
        if is_gateway(endpoint):
            if table and table["RouteTableId"] in endpoint.get("RouteTableIds", ()):
                return str(endpoint["VpcEndpointId"])
        elif endpoint.get("PrivateDnsEnabled") and endpoint.get("VpcId") == subnet["VpcId"]:
            return str(endpoint["VpcEndpointId"])
    return way_out(subnet, table, network.nat_gateways.value, public=False).through


@dataclass(frozen=True, slots=True)
class _Ways:
    """The tasks' subnets by how they reach services: through what, by endpoints, or why not and which are missing."""

    out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_endpoints: list[str] = field(default_factory=list)
    obstacles: dict[tuple[str, tuple[str, ...]], list[str]] = field(default_factory=lambda: defaultdict(list))


def _ways(stack: Deployed, network: Network, services: Sequence[str]) -> _Ways:
    ways = _Ways()
    for subnet in network.task_subnets.value:
        table = table_of(subnet, network.route_tables.value)
        way = way_out(subnet, table, network.nat_gateways.value, public=stack.public)
        if way.through:
            ways.out[way.through].append(subnet["SubnetId"])
        elif missing := _not_served(network, subnet, table, services):
            ways.obstacles[way.obstacle, missing].append(subnet["SubnetId"])
        else:
            ways.by_endpoints.append(subnet["SubnetId"])
    return ways


def _reported(stack: Deployed, ways: _Ways, target: str, services: Sequence[str]) -> Iterator[Finding]:
    """A finding for each kind of way, and of obstacle, with the subnets that have it."""
    for (obstacle, missing), subnets in ways.obstacles.items():
        yield wrong(
            "{subnets}: no way to " + target + ": {obstacle}, and no usable endpoint of {missing}.",
            _mend(stack, obstacle, services),
            subnets=subnets,
            obstacle=obstacle,
            missing=list(missing),
        )
    for through, subnets in ways.out.items():
        yield ok("through {through} from {subnets}", through=through, subnets=subnets)
    if ways.by_endpoints:
        yield ok("through endpoints of {endpoints} from {subnets}", endpoints=list(services), subnets=ways.by_endpoints)


def _mend(stack: Deployed, obstacle: str, services: Sequence[str]) -> str:
    if NO_PUBLIC_ADDRESS in obstacle:
        return "sam deploy --parameter-overrides AssignPublicIp=true"
    return (
        "give the subnets a NAT gateway (console: VPC, NAT gateways, then a route 0.0.0.0/0), or endpoints of "
        f"{', '.join(services)}: aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --private-dns-enabled "
        f"--service-name com.amazonaws.{stack.region}.{services[0]} ..., a gateway endpoint for s3"
    )


def _not_served(network: Network, subnet: Document, table: Document | None, services: Sequence[str]) -> tuple[str, ...]:
    """The services that the subnet's endpoints do not bring it to, each with the reason."""
    return tuple(
        f"{one}{f' ({why})' if why else ''}"
        for one in services
        if (why := _fault(network, subnet, table, one)) is not None
    )


def _fault(network: Network, subnet: Document, table: Document | None, service: str) -> str | None:
    """Why no endpoint serves; empty where there is none. None: one serves."""
    why = ""
    for endpoint in network.endpoints.value:
        if endpoint.get("VpcId") != subnet["VpcId"] or not serves(endpoint, service):
            continue
        if is_gateway(endpoint):
            if table and table["RouteTableId"] in endpoint.get("RouteTableIds", ()):
                return None
            why = f"{endpoint['VpcEndpointId']} is not in its route table"
        elif not endpoint.get("PrivateDnsEnabled"):
            why = f"{endpoint['VpcEndpointId']} has no private DNS"
        elif not _lets_https_in(network, endpoint, subnet):
            why = f"{endpoint['VpcEndpointId']} does not let TCP 443 in from the tasks"
        else:
            return None
    return why


def _lets_https_in(network: Network, endpoint: Document, subnet: Document) -> bool:
    groups = [network.endpoint_groups.value[one["GroupId"]] for one in endpoint.get("Groups", ())]
    tasks = network.task_groups.value
    return lets(groups, INGRESS, HTTPS, group_ids=tasks, networks=networks_of([subnet]))
