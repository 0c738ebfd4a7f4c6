"""What security groups and route tables let through, by their documents (API: IpPermission, Route)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple, TypeAlias

from reach.doctor.knowledge import Document, NotAsked, NotKnown

Block: TypeAlias = IPv4Network | IPv6Network

INGRESS: Final = "IpPermissions"
EGRESS: Final = "IpPermissionsEgress"
NO_PUBLIC_ADDRESS: Final = "needs a public address"
_EVERYTHING: Final = "-1"
_BEYOND: Final = (
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "CarrierGatewayId",
    "LocalGatewayId",
)


def lets(
    groups: Iterable[Document], direction: str, port: int, *, group_ids: Collection[str], networks: Collection[Block]
) -> bool:
    """Whether one of the groups lets TCP `port` through, to or from one of `group_ids` or all of `networks`.

    Raises `NotKnown` when only a prefix list decides: its entries are not read.
    """
    rules = [rule for group in groups for rule in group.get(direction, ()) if _is_about(rule, port)]
    if any(pair.get("GroupId") in group_ids for rule in rules for pair in rule.get("UserIdGroupPairs", ())):
        return True
    ranges = [ip_network(one, strict=False) for rule in rules for one in _ranges(rule)]
    if networks and all(within(one, ranges) for one in networks):
        return True
    if lists := sorted({one["PrefixListId"] for rule in rules for one in rule.get("PrefixListIds", ())}):
        raise NotKnown(NotAsked(f"a rule for TCP {port} names {', '.join(lists)}, whose addresses are not read"))
    return False


def lets_anything(groups: Iterable[Document], direction: str, port: int) -> bool:
    """Whether one of the groups lets TCP `port` through, to or from wherever."""
    return any(_is_about(rule, port) for group in groups for rule in group.get(direction, ()))


def networks_of(subnets: Iterable[Document]) -> list[Block]:
    """The IPv4 addresses of subnets, and the IPv6 addresses of those that have no others."""
    return [ip_network(one) for subnet in subnets for one in [subnet.get("CidrBlock") or _ipv6_of(subnet)] if one]


def within(one: Block, others: Iterable[Block]) -> bool:
    """Whether a network lies in one of the others."""
    return any(one.version == other.version and one.subnet_of(other) for other in others)  # type: ignore[arg-type]  # as before


def table_of(subnet: Document, tables: Iterable[Document]) -> Document | None:
    """The route table that a subnet uses: its own, else the main one of its VPC."""
    own = main = None
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet["SubnetId"]:
                own = table
            elif association.get("Main") and table.get("VpcId") == subnet["VpcId"]:
                main = table
    return own or main


class Way(NamedTuple):
    """How packets leave a subnet for the internet, or why they do not."""

    through: str | None
    obstacle: str = ""


def way_out(subnet: Document, table: Document | None, nat_gateways: Mapping[str, Document], *, public: bool) -> Way:
    """By the default route of the subnet's table. `public`: what sends has a public address. With IPv6 all have one."""
    ipv6 = subnet.get("Ipv6Native", False)
    route = next((one for one in (table or {}).get("Routes", ()) if _is_default(one, ipv6=ipv6)), None)
    if route is None:
        return Way(None, "no route to the internet")
    if route.get("State") == "blackhole":
        return Way(None, f"its default route leads to {_target(route)}, which is gone")
    if nat := route.get("NatGatewayId"):
        state = nat_gateways[nat]["State"] if nat in nat_gateways else "gone"
        return Way(nat) if state == "available" else Way(None, f"its NAT gateway {nat} is {state}")
    gateway = route.get("GatewayId", "")
    if gateway.startswith("igw-"):
        return Way(gateway) if public or ipv6 else Way(None, f"{gateway} {NO_PUBLIC_ADDRESS}")
    return Way(_target(route))


def serves(endpoint: Document, service: str) -> bool:
    """Whether it is a usable endpoint of that service (`ecr.api`). The name ends with it in any partition."""
    return str(endpoint["ServiceName"]).endswith(f".{service}") and str(endpoint.get("State")).lower() == "available"


def is_gateway(endpoint: Document) -> bool:
    """A gateway endpoint is a route, an interface endpoint is an address."""
    return endpoint.get("VpcEndpointType") == "Gateway"


def _is_about(rule: Document, port: int) -> bool:
    protocol = rule.get("IpProtocol")
    return protocol == _EVERYTHING or (
        protocol in ("tcp", "6") and rule.get("FromPort", -1) <= port <= rule.get("ToPort", -1)
    )


def _ranges(rule: Document) -> Iterator[str]:
    yield from (one["CidrIp"] for one in rule.get("IpRanges", ()))
    yield from (one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ()))


def _ipv6_of(subnet: Document) -> str | None:
    blocks = [one["Ipv6CidrBlock"] for one in subnet.get("Ipv6CidrBlockAssociationSet", ())]
    return blocks[0] if blocks else None


def _is_default(route: Document, *, ipv6: bool) -> bool:
    if ipv6:
        return bool(route.get("DestinationIpv6CidrBlock") == "::/0")
    return bool(route.get("DestinationCidrBlock") == "0.0.0.0/0")


def _target(route: Document) -> str:
    return next((route[name] for name in ("NatGatewayId", "GatewayId", *_BEYOND) if route.get(name)), "another network")
