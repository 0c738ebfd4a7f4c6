"""Which address is the agent's: specification.md 10, 11 and 16; ecs.md 2."""

from __future__ import annotations

import json

import pytest

from core.machine.address import resolve_address
from core.machine.messages import eni_not_found
from core.model.facts import Attachment, Interface
from core.model.policy import Policy
from tests.factories import eni, main_container, observed


def resolve(
    attachments: tuple[Attachment, ...], interfaces: tuple[Interface, ...] = (), subnets: tuple[str, ...] = ()
) -> str | None:
    task = observed(3, attachments=attachments, containers=(main_container(interfaces=interfaces),))
    return resolve_address(task, Policy(task_subnets=subnets))


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
    """An IPv6-only subnet shows no IPv4 anywhere."""
    assert resolve((eni(None),), (Interface("att-1", None, "2600:1f18::4c8e"),)) == "[2600:1f18::4c8e]:9111"


@pytest.mark.parametrize("text", ["", "123", "xx.xxx.xx.xxx", "localhost"])
def test_what_is_no_address_is_not_found(text: str) -> None:
    """A value that cannot be connected to is worth no more than none."""
    assert resolve((eni(text or None),)) is None


def test_the_attachments_are_kept_whole_for_the_error() -> None:
    """EniNotFound holds what ECS sent, all of it (specification.md 16)."""
    attachments = (SDI, eni(None, "DELETED"))

    shown = eni_not_found(observed(3, attachments=attachments)).message.partition("attachments: ")[2]
    assert json.loads(shown) == [one.raw for one in attachments]
