"""Which address is the agent's: specification.md 10, 11 and 16; ecs.md 2."""

from __future__ import annotations

import json
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.machine.address import may_connect, resolve_address
from core.machine.messages import eni_not_found
from core.model.facts import Attachment, Interface
from core.model.networks import ANYWHERE, PRIVATE, Address, Network, allows, networks
from core.model.policy import Policy
from tests.factories import eni, main_container, observed


def resolve(
    attachments: tuple[Attachment, ...],
    interfaces: tuple[Interface, ...] = (),
    subnets: tuple[str, ...] = (),
    allowed: tuple[str, ...] = PRIVATE,
) -> str | None:
    task = observed(3, attachments=attachments, containers=(main_container(interfaces=interfaces),))
    return resolve_address(task, Policy(task_subnets=subnets, agent_networks=networks(allowed)))


SDI = Attachment("sdi-1", "sdi", "ATTACHED", {}, {"id": "sdi-1", "type": "sdi", "details": []})


def test_single_eni() -> None:
    """The address is the one in the ENI's details."""
    assert resolve((eni("10.0.1.47"),)) == "10.0.1.47:9111"


@pytest.mark.parametrize("spelling", ["eni", "ElasticNetworkInterface"])
@pytest.mark.parametrize("first", [True, False])
def test_by_type_never_by_index(spelling: str, first: bool) -> None:
    """Both spellings count, and a Cloud Map attachment with empty details may stand on either side."""
    attachment = Attachment("a", spelling, "ATTACHED", {"privateIPv4Address": "10.0.1.47"}, {})

    assert resolve((attachment, SDI) if first else (SDI, attachment)) == "10.0.1.47:9111"


@pytest.mark.parametrize("status", ["DELETED", "DETACHED", "DETACHING", "FAILED"])
def test_a_dead_eni_has_no_address(status: str) -> None:
    """Not from the attachment and not from the container that still names it: the IP may be a stranger's."""
    assert resolve((eni(status=status),), (Interface("att-1", "10.0.1.47"),)) is None


def test_precreated_eni_has_none_yet() -> None:
    """PROVISIONING shows the subnet only."""
    assert resolve((eni(None, "PRECREATED"),)) is None


@pytest.mark.parametrize("attachments", [(), (SDI,), (eni(None),)])
def test_the_containers_own_interface_is_a_second_source(attachments: tuple[Attachment, ...]) -> None:
    """An address that no attachment shows may be in the main container's interface."""
    assert resolve(attachments, (Interface("att-1", "10.0.3.9"),)) == "10.0.3.9:9111"


def test_several_enis_the_one_of_the_main_container() -> None:
    """First rule: the attachment that the main container's interface names."""
    enis = (eni("10.0.1.1", name="one"), eni("10.0.2.2", name="two"))

    assert resolve(enis, (Interface("two", "10.0.2.2"),)) == "10.0.2.2:9111"


def test_several_enis_in_subnet_order_of_the_request() -> None:
    """Second rule: no interface names an attachment, so the request's first subnet decides."""
    enis = (eni("10.0.1.1", name="one", subnetId="subnet-b"), eni("10.0.2.2", name="two", subnetId="subnet-a"))

    assert resolve(enis, subnets=("subnet-a", "subnet-b")) == "10.0.2.2:9111"


def test_several_enis_else_the_first() -> None:
    """Third rule: subnets unknown to the request keep ECS's order."""
    enis = (eni("10.0.1.1", name="one", subnetId="subnet-x"), eni("10.0.2.2", name="two", subnetId="subnet-y"))

    assert resolve(enis, subnets=("subnet-a",)) == "10.0.1.1:9111"


def test_ipv6_only_task_gets_a_bracketed_address() -> None:
    """An IPv6-only subnet shows no IPv4 anywhere. Its block is mostly a public one, so the stack has to name it."""
    interface = Interface("att-1", None, "2600:1f18::4c8e")

    assert resolve((eni(None),), (interface,), allowed=("2600:1f18::/56",)) == "[2600:1f18::4c8e]:9111"
    assert resolve((eni(None),), (interface,)) is None


@pytest.mark.parametrize("text", ["", "123", "xx.xxx.xx.xxx", "localhost"])
def test_what_is_no_address_is_not_found(text: str) -> None:
    """A value that cannot be connected to is worth no more than none."""
    assert resolve((eni(text or None),)) is None


def test_the_attachments_are_kept_whole_for_the_error() -> None:
    """EniNotFound holds what ECS sent, all of it (specification.md 16)."""
    attachments = (SDI, eni(None, "DELETED"))

    shown = eni_not_found(observed(3, attachments=attachments), Policy()).message.partition("attachments: ")[2]
    assert json.loads(shown) == [one.raw for one in attachments]


def test_an_address_outside_the_networks_is_passed_over() -> None:
    """Another address of the task that lies inside is the agent's."""
    enis = (eni("203.0.113.7", name="one"), eni("10.0.2.2", name="two"))

    assert resolve(enis) == "10.0.2.2:9111"


def test_a_task_with_none_but_such_addresses_says_which_and_what_to_do() -> None:
    """The address, the networks, and the parameter that allows it. No repeat of the launch would help."""
    failure = eni_not_found(observed(3, attachments=(eni("203.0.113.7"),)), Policy(agent_networks=networks(PRIVATE)))

    assert "RUNNING, and 203.0.113.7 lies outside the networks of agents, 10.0.0.0/8, 172.16.0.0/12" in failure.message
    assert "attachments: [" in failure.message
    assert "AgentNetworks" in failure.remedy
    assert not failure.transient


NEVER = (
    ("0.0.0.0", "unspecified"),  # noqa: S104 - bound nowhere
    ("0.1.2.3", "this network"),
    ("169.254.169.254", "the metadata of instances"),
    ("169.254.170.2", "the credentials of tasks"),
    ("224.0.0.1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::ffff:10.0.1.47", "IPv4-mapped"),
    ("::ffff:169.254.169.254", "IPv4-mapped"),
    ("::10.0.1.47", "IPv4-compatible"),
    ("64:ff9b::a9fe:a9fe", "NAT64"),
    ("2002:a9fe:a9fe::1", "6to4"),
    ("2001::1", "Teredo"),
    ("fd00:ec2::254", "the metadata of instances"),
    ("fe80::1", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
)


@pytest.mark.parametrize(("address", "kind"), NEVER)
def test_some_addresses_are_never_an_agents(address: str, kind: str) -> None:
    """Whatever the stack allows: they are this machine, its metadata, many machines, or another address in disguise."""
    allowed = networks((*ANYWHERE, f"{address}/{ip_address(address).max_prefixlen}"))

    assert not allows(allowed, ip_address(address)), kind


@pytest.mark.parametrize(
    "address", ["fc00::1%eth0", "10.0.1.47 ", "010.0.1.47", "2130706433", "0x7f.1", "agent.internal"]
)
def test_another_spelling_is_no_address(address: str) -> None:
    """A zone, a blank, octal, one number, hexadecimal, a name: what a resolver would make of it is not tried."""
    assert resolve((eni(address),)) is None
    assert not may_connect(f"{address}:9111", Policy())


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.0.1.47", True),
        ("172.31.0.9", True),
        ("192.168.1.1", True),
        ("100.64.0.1", True),
        ("100.127.255.254", True),
        ("fd12:3456::1", True),
        ("9.255.255.255", False),
        ("172.32.0.1", False),
        ("100.63.255.255", False),
        ("100.128.0.1", False),
        ("198.19.0.1", False),
        ("127.0.0.1", False),
        ("2600:1f18::1", False),
    ],
)
def test_what_is_private_is_allowed_without_a_setting(address: str, private: bool) -> None:
    """RFC 1918, RFC 6598 and RFC 4193; another block of a VPC has to be named."""
    assert allows(Policy().agent_networks, ip_address(address)) is private
    spelt = f"[{address}]:9111" if ":" in address else f"{address}:9111"
    assert may_connect(spelt, Policy()) is private


def test_loopback_is_allowed_by_its_own_network_alone() -> None:
    """On a laptop each task has such an address; in a function it is the function itself."""
    assert allows(networks(("127.0.0.0/8",)), ip_address("127.0.1.1"))
    assert not allows(networks(("0.0.0.0/0", "126.0.0.0/7")), ip_address("127.0.1.1"))


@given(
    address=st.ip_addresses(),
    blocks=st.lists(
        st.builds(
            lambda one, bits: ip_network((one, one.max_prefixlen - bits % (one.max_prefixlen + 1)), strict=False),
            st.ip_addresses(),
            st.integers(0, 128),
        ),
        max_size=4,
    ),
)
def test_no_setting_reaches_this_machine_or_its_metadata(address: Address, blocks: list[Network]) -> None:
    """Of all addresses and all settings: what is allowed is in a named block, one host, and no link's or AWS's own.

    `ipaddress` classifies by IANA's registries (RFC 6890), apart from the lists under test.
    """
    if not allows(tuple(blocks), address):
        return
    assert any(address in block for block in blocks)
    assert not any((address.is_link_local, address.is_multicast, address.is_unspecified))
    if isinstance(address, IPv6Address):
        assert not any((address.is_loopback, address.is_site_local, address in ip_network("fd00:ec2::/32")))
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)
    else:
        assert not address.is_reserved
        assert not address.is_loopback or any(block.is_loopback for block in blocks)


@given(address=st.ip_addresses())
def test_the_default_allows_nothing_that_the_internet_routes(address: Address) -> None:
    """And no loopback."""
    if allows(Policy().agent_networks, address):
        assert not address.is_global
        assert not address.is_loopback
