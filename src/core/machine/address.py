"""Which address the agent has: the task's primary ENI, found by type and never by index.

The rule for several ENIs: the attachment that the main container's own interface names; else the first one in
the subnet order of the request; else the first. Deleted and detached attachments never count, because their
address may already belong to a stranger (ecs.md 2).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from core.model.facts import Attachment, Interface, TaskObserved

ENI_TYPES: Final = frozenset({"eni", "ElasticNetworkInterface"})
DEAD: Final = frozenset({"DELETED", "DETACHED", "DETACHING", "FAILED"})
# IPv4 first. No sample with an IPv6 detail has been seen; these are the spellings that AWS uses elsewhere.
_DETAIL_NAMES: Final = ("privateIPv4Address", "privateIPv6Address", "ipv6Address")


def resolve_address(task: TaskObserved, *, port: int, main: str, subnets: Sequence[str] = ()) -> str | None:
    """`10.0.1.47:9111` or `[fd00::1]:9111`; None when the task shows no usable address."""
    for text in _candidates(task, main, subnets):
        if (address := _spell(text, port)) is not None:
            return address
    return None


def attachments_json(task: TaskObserved) -> str:
    """The whole `attachments` array as ECS sent it, for `EniNotFound` (specification.md 16)."""
    return json.dumps([attachment.raw for attachment in task.attachments], default=str, separators=(",", ":"))


def _candidates(task: TaskObserved, main: str, subnets: Sequence[str]) -> Iterator[str]:
    own = _interfaces_of(task, main)
    enis = [one for one in task.attachments if one.type in ENI_TYPES]
    alive = {one.id: one for one in enis if one.status not in DEAD}
    dead = {one.id for one in enis if one.status in DEAD}

    # A container that names no attachment still has its own word on where it is.
    named = [one for one in own if one.attachment_id in alive]
    for interface in named:
        yield from _texts(alive[interface.attachment_id], interface)
    for eni in sorted(alive.values(), key=lambda one: _rank(one, subnets)):
        yield from _texts(eni, None)
    for interface in own:
        if interface.attachment_id not in dead:
            yield from _of_interface(interface)


def _interfaces_of(task: TaskObserved, main: str) -> tuple[Interface, ...]:
    seen = task.container(main)
    return seen.interfaces if seen else ()


def _rank(eni: Attachment, subnets: Sequence[str]) -> int:
    subnet = eni.details.get("subnetId")
    return subnets.index(subnet) if subnet in subnets else len(subnets)


def _texts(eni: Attachment, interface: Interface | None) -> Iterator[str]:
    yield from (eni.details[name] for name in _DETAIL_NAMES if name in eni.details)
    if interface is not None:
        yield from _of_interface(interface)


def _of_interface(interface: Interface) -> Iterator[str]:
    yield from (text for text in (interface.ipv4, interface.ipv6) if text)


def _spell(text: str, port: int) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
