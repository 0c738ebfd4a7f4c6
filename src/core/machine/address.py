"""Which address the agent has: the task's primary ENI, found by type and never by index.

What lies outside the policy's `agent_networks` is no address: a prober would connect to it, and an agent there gets a
token. This module alone decides that, for what ECS shows and for what a record holds (`may_connect`).

The rule for several ENIs: the attachment that the main container's own interface names; else the first one in
the subnet order of the request; else the first. Deleted and detached attachments never count, because their
address may already belong to a stranger (ecs.md 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Final

from core.model.facts import MAIN, Attachment, TaskObserved
from core.model.networks import Address, allows
from core.model.policy import Policy

ENI_TYPES: Final = frozenset({"eni", "ElasticNetworkInterface"})
DEAD: Final = frozenset({"DELETED", "DETACHED", "DETACHING", "FAILED"})
# IPv4 first. No sample with an IPv6 detail has been seen; these are the spellings that AWS uses elsewhere.
_DETAIL_NAMES: Final = ("privateIPv4Address", "privateIPv6Address", "ipv6Address")


def resolve_address(task: TaskObserved, policy: Policy) -> str | None:
    """`10.0.1.47:9111` or `[fd00::1]:9111`; None when the task shows no usable address."""
    usable = (one for one in _addresses(task, policy) if allows(policy.agent_networks, one))
    return next((_spell(address, policy.agent_port) for address in usable), None)


def address_outside(task: TaskObserved, policy: Policy) -> str | None:
    """The first address that the task shows and that is none of an agent's: `203.0.113.7`; None without one."""
    return next((str(one) for one in _addresses(task, policy) if not allows(policy.agent_networks, one)), None)


def may_connect(address: str, policy: Policy) -> bool:
    """Whether a prober may connect to the address of a record: `10.0.1.47:9111`, `[fd00::1]:9111`."""
    host = _parse(address.rpartition(":")[0].removeprefix("[").removesuffix("]"))
    return host is not None and allows(policy.agent_networks, host)


def _addresses(task: TaskObserved, policy: Policy) -> Iterator[Address]:
    parsed = map(_parse, _candidates(task, policy.task_subnets))
    return (address for address in parsed if address is not None)


def _candidates(task: TaskObserved, subnets: tuple[str, ...]) -> Iterator[str | None]:
    main = task.container(MAIN)
    own = main.interfaces if main else ()
    enis = [one for one in task.attachments if one.type in ENI_TYPES]
    alive = {one.id: one for one in enis if one.status not in DEAD}
    dead = {one.id for one in enis if one.status in DEAD}

    for interface in own:
        if interface.attachment_id in alive:
            yield from _details(alive[interface.attachment_id])
            yield from (interface.ipv4, interface.ipv6)
    for eni in sorted(alive.values(), key=lambda one: _rank(one, subnets)):
        yield from _details(eni)
    # An interface that names no attachment still shows where the container is.
    for interface in own:
        if interface.attachment_id not in dead:
            yield from (interface.ipv4, interface.ipv6)


def _details(eni: Attachment) -> Iterator[str | None]:
    return (eni.details.get(name) for name in _DETAIL_NAMES)


def _rank(eni: Attachment, subnets: tuple[str, ...]) -> int:
    subnet = eni.details.get("subnetId")
    return subnets.index(subnet) if subnet in subnets else len(subnets)


def _parse(text: str | None) -> Address | None:
    if text is None or "%" in text:  # an IPv6 zone is a word of one machine
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _spell(address: Address, port: int) -> str:
    return f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
