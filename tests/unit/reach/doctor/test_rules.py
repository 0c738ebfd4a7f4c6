"""What documents of AWS mean: security groups, routes, policies, names and headers of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import pytest

from core.launch.request import Platform
from reach.doctor.deployed import Deployed
from reach.doctor.knowledge import NotKnown
from reach.doctor.rules.binaries import platform_of
from reach.doctor.rules.ecr import EcrImage, ecr_image, repository_arn
from reach.doctor.rules.policies import allows_mount, denies_mount, trusts
from reach.doctor.rules.traffic import INGRESS, Way, lets, networks_of, table_of, way_out
from tests.healthy_account import ELF_OF_ARM64, ELF_OF_X86_64, TLS_ALONE

A, B = ip_network("10.0.1.0/24"), ip_network("10.0.2.0/24")


def rule(low: int = 9111, high: int | None = None, protocol: str = "tcp", **source: Any) -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": low, "ToPort": low if high is None else high, **source}


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"GroupId": "sg-own", INGRESS: list(rules)}


def cidrs(*blocks: str) -> list[dict[str, str]]:
    return [{"CidrIp": one} for one in blocks]


FROM_PROBER = [{"GroupId": "sg-prober"}]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], False),
        ([rule(UserIdGroupPairs=FROM_PROBER)], True),
        ([rule(UserIdGroupPairs=[{"GroupId": "sg-other"}])], False),
        ([rule(9000, 9200, UserIdGroupPairs=FROM_PROBER)], True),
        ([rule(9112, UserIdGroupPairs=FROM_PROBER)], False),
        ([rule(protocol="udp", UserIdGroupPairs=FROM_PROBER)], False),
        ([{"IpProtocol": "-1", "UserIdGroupPairs": FROM_PROBER}], True),
        ([rule(protocol="6", UserIdGroupPairs=FROM_PROBER)], True),
        ([rule(IpRanges=cidrs("0.0.0.0/0"))], True),
        ([rule(IpRanges=cidrs("10.0.1.0/24"))], False),
        ([rule(IpRanges=cidrs("10.0.1.0/24")), rule(IpRanges=cidrs("10.0.2.0/23"))], True),
        ([rule(Ipv6Ranges=[{"CidrIpv6": "::/0"}])], False),
    ],
)
def test_what_a_security_group_lets_in(rules: list[dict[str, Any]], expected: bool) -> None:
    """A rule for the port that names the source's group, or rules whose blocks hold all of its subnets together."""
    assert lets([group(*rules)], INGRESS, 9111, group_ids=["sg-prober"], networks=[A, B]) is expected


def test_a_prefix_list_decides_nothing_here() -> None:
    """Its addresses are not read: it is not known, unless another rule lets the source in."""
    by_list = rule(PrefixListIds=[{"PrefixListId": "pl-1"}])
    with pytest.raises(NotKnown, match="pl-1"):
        lets([group(by_list)], INGRESS, 9111, group_ids=["sg-prober"], networks=[A])
    by_group = rule(UserIdGroupPairs=FROM_PROBER)
    assert lets([group(by_list), group(by_group)], INGRESS, 9111, group_ids=["sg-prober"], networks=[A])


def test_addresses_of_subnets() -> None:
    """IPv4 where there is one, else IPv6."""
    native = {"Ipv6Native": True, "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "fd00:1::/64"}]}
    assert networks_of([{"CidrBlock": "10.0.1.0/24"}, native, {}]) == [A, ip_network("fd00:1::/64")]


def test_the_route_table_of_a_subnet() -> None:
    """Its own, else the main one of its VPC, else none."""
    main = {"RouteTableId": "main", "VpcId": "vpc-1", "Associations": [{"Main": True}]}
    own = {"RouteTableId": "own", "VpcId": "vpc-1", "Associations": [{"Main": False, "SubnetId": "subnet-1"}]}
    tables = [main, own]
    assert table_of({"SubnetId": "subnet-1", "VpcId": "vpc-1"}, tables) == own
    assert table_of({"SubnetId": "subnet-2", "VpcId": "vpc-1"}, tables) == main
    assert table_of({"SubnetId": "subnet-3", "VpcId": "vpc-2"}, tables) is None


DEFAULT = {"DestinationCidrBlock": "0.0.0.0/0"}
DEFAULT_IPV6 = {"DestinationIpv6CidrBlock": "::/0"}
NATS: dict[str, Mapping[str, Any]] = {"nat-1": {"State": "available"}, "nat-2": {"State": "failed"}}


@pytest.mark.parametrize(
    ("routes", "public", "expected"),
    [
        ([], False, Way(None, "no route to the internet")),
        ([{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}], True, Way(None, "no route to the internet")),
        ([{**DEFAULT, "NatGatewayId": "nat-1"}], False, Way("nat-1")),
        ([{**DEFAULT, "NatGatewayId": "nat-2"}], False, Way(None, "its NAT gateway nat-2 is failed")),
        ([{**DEFAULT, "NatGatewayId": "nat-3"}], False, Way(None, "its NAT gateway nat-3 is gone")),
        ([{**DEFAULT, "GatewayId": "igw-1"}], True, Way("igw-1")),
        ([{**DEFAULT, "GatewayId": "igw-1"}], False, Way(None, "igw-1 needs a public address")),
        ([{**DEFAULT, "TransitGatewayId": "tgw-1"}], False, Way("tgw-1")),
        (
            [{**DEFAULT, "NatGatewayId": "nat-1", "State": "blackhole"}],
            False,
            Way(None, "its default route leads to nat-1, which is gone"),
        ),
        ([{**DEFAULT_IPV6, "GatewayId": "igw-1"}], True, Way(None, "no route to the internet")),
    ],
)
def test_the_way_out_of_a_subnet(routes: list[dict[str, Any]], public: bool, expected: Way) -> None:
    """By its default route, if what that leads to is there; an internet gateway serves public addresses alone."""
    assert way_out({}, {"Routes": routes}, NATS, public=public) == expected


def test_the_way_out_by_ipv6() -> None:
    """Of a subnet without IPv4: its own default route counts, and every address is public."""
    native = {"Ipv6Native": True}
    by_gateway = {"Routes": [{**DEFAULT, "NatGatewayId": "nat-1"}, {**DEFAULT_IPV6, "GatewayId": "igw-1"}]}
    assert way_out(native, by_gateway, NATS, public=False) == Way("igw-1")
    egress_only = {"Routes": [{**DEFAULT_IPV6, "EgressOnlyInternetGatewayId": "eigw-1"}]}
    assert way_out(native, egress_only, NATS, public=False) == Way("eigw-1")
    assert way_out(native, None, NATS, public=False).through is None


def role(effect: str = "Allow", service: object = "ecs-tasks.amazonaws.com", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (role(), True),
        (role(service=["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]), True),
        (role(service="lambda.amazonaws.com"), False),
        (role(effect="Deny"), False),
        (role(Action="sts:TagSession"), False),
        (role(Principal="*"), False),
        (role(Condition={"StringEquals": {"aws:SourceAccount": "1"}}), True),
        (role(Condition={"StringEquals": {"aws:SourceAccount": ["2", "3"]}}), False),
        (role(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:1:*"}}), True),
        (role(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:*:*"}}), True),
        (role(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:2:*"}}), False),
    ],
)
def test_whom_a_role_trusts(document: dict[str, Any], expected: bool) -> None:
    """The service, of this account where the policy names one. boto3 has read the document already, or not."""
    assert trusts(document, "ecs-tasks.amazonaws.com", account="1") is expected
    as_text = {"AssumeRolePolicyDocument": json.dumps(document["AssumeRolePolicyDocument"])}
    assert trusts(as_text, "ecs-tasks.amazonaws.com", account="1") is expected


def policy(effect: str, action: object, **more: Any) -> str:
    statement = {"Effect": effect, "Principal": {"AWS": "*"}, "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_what_the_policy_of_a_file_system_says_of_mounts() -> None:
    """A denial counts for everyone and without a condition; an allowance for anyone."""
    mount = "elasticfilesystem:ClientMount"
    assert denies_mount(policy("Deny", [mount]))
    assert denies_mount(policy("Deny", "elasticfilesystem:Client*"))
    assert not denies_mount(policy("Deny", "elasticfilesystem:ClientWrite"))
    assert not denies_mount(policy("Deny", mount, Principal={"AWS": "arn:aws:iam::1:role/other"}))
    assert not denies_mount(json.dumps(TLS_ALONE))
    assert not allows_mount(json.dumps(TLS_ALONE))
    assert allows_mount(policy("Allow", ["elasticfilesystem:ClientWrite", mount]))
    assert not allows_mount(policy("Allow", "elasticfilesystem:ClientWrite"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/agent", {"imageTag": "latest"}),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/agent:2", {"imageTag": "2"}),
        (
            f"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/agent@sha256:{'a' * 64}",
            {"imageDigest": f"sha256:{'a' * 64}"},
        ),
        (
            f"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/agent:2@sha256:{'a' * 64}",
            {"imageDigest": f"sha256:{'a' * 64}"},
        ),
        ("docker.io/team/agent:2", None),
    ],
)
def test_an_image_of_ecr(name: str, expected: dict[str, str] | None) -> None:
    """Repository, and digest, else tag, else latest; None for another registry."""
    image = ecr_image(name)
    stack = Deployed("reach", "us-east-1", "123456789012", "aws", "CREATE_COMPLETE", {}, {})
    if expected is None:
        assert image is None
        assert repository_arn(stack, name) is None
    else:
        assert image == EcrImage("123456789012", "us-east-1", "team/agent", expected)
        assert repository_arn(stack, name) == "arn:aws:ecr:us-east-1:123456789012:repository/team/agent"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (ELF_OF_X86_64, Platform.X86_64),
        (ELF_OF_ARM64, Platform.ARM64),
        (ELF_OF_X86_64[:18] + (0x28).to_bytes(2, "little"), "machine 0x28"),
        (b"\x7fELF\x02\x02" + ELF_OF_X86_64[6:18] + (0x16).to_bytes(2, "big"), "machine 0x16"),
        (ELF_OF_X86_64[:19], None),
        (b"#!/bin/sh\n", None),
        (b"", None),
    ],
)
def test_the_processor_of_a_file(head: bytes, expected: Platform | str | None) -> None:
    """By its ELF header; None for what is none."""
    assert platform_of(head) == expected
