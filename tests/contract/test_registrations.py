"""What whoever takes turns at registering is promised (`core.ports.Registrations`), on the fake and on the engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from core.adapters.registrations import LEASE, RECENT, DynamoRegistrations
from core.ports import Turn
from tests.contract.conftest import races
from tests.factories import at
from tests.fakes import MemoryRegistrations

if TYPE_CHECKING:
    from core.ports import Registrations
    from tests.contract.conftest import Table

FAMILY = "sockerless-0123456789abcdef0123456789abcdef"
STARTS = 16
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def registrations(table: Table) -> Registrations:
    """In the table."""
    client = getattr(table, "client", None)
    return MemoryRegistrations() if client is None else DynamoRegistrations(table.name, client)  # type: ignore[attr-defined]


def test_one_has_the_turn_until_it_is_done(registrations: Registrations) -> None:
    """The others wait; when it is done they are told so, for some moments."""
    assert registrations.claim(FAMILY, at(0)) is Turn.OURS
    assert registrations.claim(FAMILY, at(1)) is Turn.ANOTHERS
    assert registrations.claim(FAMILY + "0", at(1)) is Turn.OURS
    registrations.done(FAMILY, at(2))
    assert registrations.claim(FAMILY, at(3)) is Turn.DONE
    assert registrations.claim(FAMILY, at(2) + RECENT + MOMENT) is Turn.OURS


def test_a_turn_that_is_given_back_is_the_next_ones(registrations: Registrations) -> None:
    """The registration was refused: nobody waits for it."""
    registrations.claim(FAMILY, at(0))
    registrations.release(FAMILY, at(1))
    assert registrations.claim(FAMILY, at(1)) is Turn.OURS


def test_the_turn_of_a_start_that_died_ends(registrations: Registrations) -> None:
    """Unless it has said that it takes longer."""
    registrations.claim(FAMILY, at(0))
    registrations.extend(FAMILY, at(5))
    assert registrations.claim(FAMILY, at(0) + LEASE + MOMENT) is Turn.ANOTHERS
    assert registrations.claim(FAMILY, at(5) + LEASE + MOMENT) is Turn.OURS


def test_turns_do_not_show_in_the_table_of_containers(table: Table, registrations: Registrations) -> None:
    """Nothing is due for them, and they name no definition that would have to stay."""
    registrations.claim(FAMILY, at(0))
    assert not list(table.store.definition_uses())
    assert not [one for shard in range(4) for one in table.store.due(f"shard-{shard}", at(10**6))]


@races
def test_of_many_at_once_one_gets_the_turn(registrations: Registrations) -> None:
    """A conditional write decides."""
    together = Barrier(STARTS)

    def claim(_: int) -> Turn:
        together.wait(10)
        return registrations.claim(FAMILY, at(0))

    with ThreadPoolExecutor(STARTS) as pool:
        turns = list(pool.map(claim, range(STARTS)))
    assert sorted(turn.value for turn in turns) == [Turn.ANOTHERS.value] * (STARTS - 1) + [Turn.OURS.value]
