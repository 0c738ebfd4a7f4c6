"""What every vault promises (`core.ports.TokenVault`), on the fake and on the engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.adapters.ssm import SsmTokenVault
from tests.fakes import MemoryVault

if TYPE_CHECKING:
    from core.ports import TokenVault
    from tests.contract.conftest import Clients

NAMES = [f"/sockerless/{digit * 64}/1/token" for digit in "0123456789ab"]
"""More than DescribeParameters gives in one page."""


def utcnow() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def vault(clients: Clients | None) -> TokenVault:
    """A vault with nothing of ours in it."""
    if clients is None:
        return MemoryVault(clock=utcnow)
    ssm = clients("ssm")
    vault = SsmTokenVault(ssm)
    for name, _ in list(vault.names("sockerless")):
        vault.erase(name)
    return vault


def test_every_parameter_below_the_prefix_is_named(vault: TokenVault) -> None:
    """Over several pages, each with the instant of its last change; those of another stack are not."""
    before = utcnow() - timedelta(seconds=1)
    vault.put(f"/sockerless-two/{'0' * 64}/1/token", "ab" * 32)
    for name in NAMES:
        vault.put(name, "cd" * 32)
    named = dict(vault.names("sockerless"))
    assert sorted(named) == NAMES
    assert all(before <= changed <= utcnow() for changed in named.values())


def test_a_repeated_put_is_the_same_parameter(vault: TokenVault) -> None:
    """A second try of the same start writes over the first one's."""
    for _ in range(2):
        vault.put(NAMES[0], "ab" * 32)
    assert [name for name, _ in vault.names("sockerless")] == NAMES[:1]


def test_erasing_is_repeatable(vault: TokenVault) -> None:
    """What is gone is gone, whoever erased it."""
    vault.put(NAMES[0], "ab" * 32)
    for _ in range(2):
        vault.erase(NAMES[0])
    assert not list(vault.names("sockerless"))


@pytest.mark.parametrize("clients", ["moto", "ministack"], indirect=True)
def test_a_token_is_kept_encrypted(clients: Clients) -> None:
    """It is read with decryption alone, as ECS does for the container, and not without."""
    ssm = clients("ssm")
    SsmTokenVault(ssm).put(NAMES[0], "ab" * 32)
    read = [ssm.get_parameter(Name=NAMES[0], WithDecryption=decrypted)["Parameter"] for decrypted in (True, False)]
    assert [one["Type"] for one in read] == ["SecureString"] * 2
    assert read[0]["Value"] == "ab" * 32
    assert read[1]["Value"] != "ab" * 32
