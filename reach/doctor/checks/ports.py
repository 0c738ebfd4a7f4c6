"""Whether the agent's port is open: to the prober, to the backend, and out of the prober."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from reach.doctor.checks.routes import HTTPS
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Network
from reach.doctor.findings import Finding, Unknown, ok, wrong
from reach.doctor.rules.traffic import EGRESS, INGRESS, lets, lets_anything, networks_of, within


def task_groups(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The tasks' security groups are there, in the VPC of the tasks."""
    named, there = network.task_groups.value, network.groups.value
    vpcs = {one["VpcId"] for one in network.task_subnets.value}
    gone = [one for one in named if one not in there]
    elsewhere = [one for one in named if one in there and vpcs and there[one]["VpcId"] not in vpcs]
    if gone or elsewhere:
        yield wrong(
            "{groups} are not in the VPC of the tasks.",
            "sam deploy --parameter-overrides TaskSecurityGroups=... with groups of that VPC",
            groups=gone + elsewhere,
        )
    elif named:
        default = "" if stack.ids("TaskSecurityGroups") else ", the VPC's default group, as TaskSecurityGroups is empty"
        yield ok("{groups}" + default, groups=named)


def agent_port_from_prober(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The tasks' security groups let the prober in on AgentPort."""
    prober = stack.outputs.get("ProberSecurityGroupId")
    groups = network.groups_of_tasks()
    if prober is None or not groups:
        return
    names = [one["GroupId"] for one in groups]
    if lets(groups, INGRESS, stack.port, group_ids=[prober], networks=networks_of(network.prober_subnets.value)):
        yield ok("TCP {port} from {prober}", port=stack.port, prober=prober)
    else:
        yield wrong(
            "{groups} do not let TCP {port} in from the prober, {prober}: every container ends as AgentUnreachable.",
            f"sam deploy --parameter-overrides AgentSecurityGroupId={names[0]}, or aws ec2 "
            f"authorize-security-group-ingress --group-id {names[0]} --protocol tcp --port {{port}} "
            "--source-group {prober}",
            groups=names,
            port=stack.port,
            prober=prober,
        )


def agent_port_from_backend(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The tasks' security groups let the backend in on AgentPort."""
    backend, groups = network.backend, network.groups_of_tasks()
    if backend is None:
        yield Unknown("which security group or CIDR the backend has: --backend-security-group, or --backend-cidr")
        return
    if not groups:
        return
    is_group = backend.startswith("sg-")
    names = [one["GroupId"] for one in groups]
    source = (
        {"group_ids": [backend], "networks": []} if is_group else {"group_ids": [], "networks": [ip_network(backend)]}
    )
    if lets(groups, INGRESS, stack.port, **source):
        yield ok("TCP {port} from {backend}", port=stack.port, backend=backend)
    else:
        option = "--source-group" if is_group else "--cidr"
        yield wrong(
            "{groups} do not let TCP {port} in from {backend}, so exec and attach do not connect.",
            f"aws ec2 authorize-security-group-ingress --group-id {names[0]} --protocol tcp --port {{port}} "
            f"{option} {{backend}}",
            groups=names,
            port=stack.port,
            backend=backend,
        )


def agent_networks(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The addresses of the tasks' subnets lie in AgentNetworks."""
    allowed = [ip_network(one) for one in stack.ids("AgentNetworks")]
    blocks = networks_of(network.task_subnets.value)
    if not allowed or not blocks:
        return
    if outside := [str(one) for one in blocks if not within(one, allowed)]:
        yield wrong(
            "{blocks} of TaskSubnets are not in AgentNetworks: every container there ends as EniNotFound.",
            f"sam deploy --parameter-overrides AgentNetworks={stack.parameter('AgentNetworks')},{','.join(outside)}",
            blocks=outside,
        )
    else:
        yield ok("{blocks}", blocks=[str(one) for one in blocks])


def prober_subnets(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The prober stands in the VPC of the tasks."""
    vpc, named = stack.parameter("VpcId"), stack.ids("ProberSubnets")
    if not vpc:
        yield wrong(
            "VpcId is empty: the prober stands in no VPC and reaches no private address.",
            "sam deploy --parameter-overrides VpcId=... ProberSubnets=... AgentSecurityGroupId=...",
        )
        return
    there = {one["SubnetId"]: one["VpcId"] for one in network.prober_subnets.value}
    if gone := [one for one in named if there.get(one) != vpc]:
        yield wrong(
            "{subnets} of ProberSubnets are not in {vpc}.",
            "sam deploy --parameter-overrides ProberSubnets=... with subnets of that VPC",
            subnets=gone,
            vpc=vpc,
        )
        return
    others = sorted({one["VpcId"] for one in network.task_subnets.value} - {vpc})
    if others:
        yield Unknown(f"whether the prober in {vpc} reaches tasks in {', '.join(others)}: peerings are not read")
    else:
        yield ok("{subnets} in {vpc}", subnets=named, vpc=vpc)


def prober_ipv6(stack: Deployed, network: Network) -> Iterator[Finding]:
    """ProberIpv6 is true, where tasks have IPv6 addresses alone."""
    native = [one["SubnetId"] for one in network.task_subnets.value if one.get("Ipv6Native")]
    if not native:
        return
    if stack.parameter("ProberIpv6") == "true":
        yield ok("for {subnets}", subnets=native)
    else:
        yield wrong(
            "{subnets} have no IPv4, and Lambda sends no IPv6: every container there ends as AgentUnreachable.",
            "sam deploy --parameter-overrides ProberIpv6=true, with dual-stack ProberSubnets",
            subnets=native,
        )


def prober_egress(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The prober's security group lets out AgentPort to the tasks, and TCP 443 to DynamoDB."""
    prober = stack.outputs.get("ProberSecurityGroupId")
    if prober is None or not network.task_subnets.value:
        return
    groups = [one for name, one in network.groups.value.items() if name == prober]
    to_tasks = {"group_ids": network.task_groups.value, "networks": networks_of(network.task_subnets.value)}
    closed = [] if lets(groups, EGRESS, stack.port, **to_tasks) else [stack.port]  # type: ignore[arg-type]  # both lists
    closed += [] if lets_anything(groups, EGRESS, HTTPS) else [HTTPS]
    for port in closed:
        yield wrong(
            "{prober} does not let TCP {port} out of the prober.",
            "aws ec2 authorize-security-group-egress --group-id {prober} --protocol tcp --port {port} --cidr 0.0.0.0/0",
            prober=prober,
            port=port,
        )
    if not closed:
        yield ok("TCP {ports} out of {prober}", ports=[stack.port, HTTPS], prober=prober)
