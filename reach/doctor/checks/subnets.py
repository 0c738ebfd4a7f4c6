"""Where tasks stand: subnets, addresses, zones, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.model.agent import Injection
from reach.doctor.deployed import Deployed
from reach.doctor.facts import Network
from reach.doctor.findings import Finding, ok, wrong
from reach.doctor.knowledge import Document

FEW: Final = 16
"""Free addresses of a subnet below which starts soon fail: each task takes one."""
_OPTIONS: Final = {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}


def task_subnets(stack: Deployed, network: Network) -> Iterator[Finding]:
    """TaskSubnets are there, in one VPC."""
    named = stack.ids("TaskSubnets")
    if not named:
        yield wrong(
            "TaskSubnets is empty, so the stack refuses every start.",
            "sam deploy --parameter-overrides TaskSubnets=...",
        )
        return
    there = {one["SubnetId"]: one["VpcId"] for one in network.task_subnets.value}
    if gone := [one for one in named if one not in there]:
        yield wrong(
            "{subnets} of TaskSubnets are not in {region}.",
            "sam deploy --parameter-overrides TaskSubnets=... with subnets that aws ec2 describe-subnets shows",
            subnets=gone,
            region=stack.region,
        )
    vpcs = sorted(set(there.values()))
    if len(vpcs) > 1:
        yield wrong(
            "TaskSubnets are in {vpcs}: the tasks' security groups belong to one VPC.",
            "sam deploy --parameter-overrides TaskSubnets=... with subnets of one VPC",
            vpcs=vpcs,
        )
    if not gone and len(vpcs) == 1:
        yield ok("{subnets} in {vpc}", subnets=named, vpc=vpcs[0])


def free_addresses(_: Deployed, network: Network) -> Iterator[Finding]:
    """Each subnet of the tasks has at least 16 free addresses."""
    free = {one["SubnetId"]: one["AvailableIpAddressCount"] for one in network.task_subnets.value}
    for subnet, count in free.items():
        if count < FEW:
            yield wrong(
                "{subnet} has {free} free addresses, and each task takes one.",
                "end what holds addresses there (aws ec2 describe-network-interfaces --filters "
                "Name=subnet-id,Values={subnet}), or take another: sam deploy --parameter-overrides TaskSubnets=...",
                subnet=subnet,
                free=count,
            )
    if free and min(free.values()) >= FEW:
        yield ok("{free} at least", free=min(free.values()))


def zones(_: Deployed, network: Network) -> Iterator[Finding]:
    """In which zones the tasks are. One alone is no fault, but an outage of it ends all starts."""
    found = sorted({one["AvailabilityZone"] for one in network.task_subnets.value})
    if len(found) == 1:
        yield ok(
            "{zone} alone: when it fails, no container starts. A second one is one more of TaskSubnets.", zone=found[0]
        )
    elif found:
        yield ok("{zones}", zones=found)


def vpc_dns(stack: Deployed, network: Network) -> Iterator[Finding]:
    """The VPC resolves names, which mounts and the private names of endpoints need."""
    vpcs = sorted({one["VpcId"] for one in network.task_subnets.value})
    needed = ["enableDnsSupport"]
    if stack.injection in (Injection.EFS, Injection.S3_FILES) or _has_private_names(network.endpoints.value):
        needed.append("enableDnsHostnames")
    off = [name for name in needed if vpcs and not network.dns[name].value]
    for name in off:
        yield wrong(
            "{attribute} is off in {vpc}, so names of mount targets, endpoints or AWS do not resolve there.",
            f"aws ec2 modify-vpc-attribute --vpc-id {{vpc}} --{_OPTIONS[name]} Value=true",
            attribute=name,
            vpc=vpcs,
        )
    if vpcs and not off:
        yield ok("{attributes} of {vpc}", attributes=needed, vpc=vpcs)


def _has_private_names(endpoints: list[Document]) -> bool:
    return any(one.get("PrivateDnsEnabled") for one in endpoints)
