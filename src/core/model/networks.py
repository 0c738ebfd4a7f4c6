"""The networks in which an agent may have its address.

A prober connects to an agent's address, from inside the VPC, with the agent's token. So what ECS shows counts as an
address only in one of these networks, and some addresses never do, whatever a stack allows.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""What no network routes to the internet: RFC 1918, RFC 6598, RFC 4193. A VPC may have all of the IPv4 ones (VPC User
Guide, "VPC CIDR blocks"); 100.64.0.0/10 is the usual second block of one that has run out of addresses."""


ANYWHERE: Final = ("0.0.0.0/0", "127.0.0.0/8", "::/0")
"""For what only reads what happened, in whatever network that was."""


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of CIDR blocks. Raises `ValueError` for what is none, also for one with bits behind its prefix."""
    return tuple(map(ip_network, texts))


_NEVER: Final = networks(
    (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata of instances (169.254.169.254) and tasks (169.254.170.2)
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/8",  # unspecified, loopback; IPv4 in IPv6 (::ffff:0:0/96, 64:ff9b::/96), which hides another address
        "2001::/32",  # Teredo, and the next 6to4: IPv4 in IPv6, too
        "2002::/16",
        "fd00:ec2::/32",  # AWS's own services in a VPC: metadata, DNS, time
        "fe80::/9",  # link-local and site-local
        "ff00::/8",  # multicast
    )
)


def allows(allowed: tuple[Network, ...], address: Address) -> bool:
    """Whether an agent may have this address.

    A loopback address counts only by a network that is loopback itself, so not by 0.0.0.0/0: on a laptop each task has
    one, in a function it is the function.
    """
    if any(address in one for one in _NEVER):
        return False
    return any(address in one and address.is_loopback == one.is_loopback for one in allowed)
