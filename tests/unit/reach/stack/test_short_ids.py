from __future__ import annotations

import pytest

from core.client import ReachClient
from core.model.record import Record
from core.storage.item import to_item
from reach import NotFound, Refused
from reach.stack.short_ids import MOST_CANDIDATES, whole_id
from tests.factories import at
from tests.fakes import MemoryStore, SettableClock
from tests.records import exited, healthy


def an_id(beginning: str) -> str:
    return beginning.ljust(64, "0")


def client(*records: Record) -> ReachClient:
    return ReachClient(MemoryStore(*records), SettableClock(at(100)))


def live(beginning: str) -> Record:
    return healthy(container_id=an_id(beginning))


def ended(beginning: str) -> Record:
    return exited(container_id=an_id(beginning))


@pytest.mark.parametrize("digits", ["a", "ab", "ab1"])
def test_the_first_digits(digits: str) -> None:
    """One digit is enough where one id begins so."""
    assert whole_id(client(live("ab1"), live("b")), digits) == an_id("ab1")


def test_a_whole_id_is_not_searched() -> None:
    """It may be of a container that the list does not show yet."""
    assert whole_id(client(), an_id("c")) == an_id("c")


def test_live_ones_come_first() -> None:
    """An ended container of long ago does not make a live one ambiguous."""
    assert whole_id(client(live("ab1"), ended("ab2")), "ab") == an_id("ab1")


def test_ended_ones_are_found() -> None:
    """Why a container failed is asked after its end."""
    assert whole_id(client(live("b"), ended("ab2")), "ab") == an_id("ab2")


def test_several() -> None:
    """The error names them with as many digits as tell them apart."""
    beginnings = ("ab" + "0" * 12 + "1", "ab" + "0" * 12 + "2")
    with pytest.raises(Refused, match=f"beginning of 2 ids: .*{beginnings[1]}.*give more digits") as refused:
        whole_id(client(*map(live, beginnings)), "ab")
    assert not isinstance(refused.value, NotFound)
    assert beginnings[0] in str(refused.value)


def test_none() -> None:
    """The error names what is live, and how to see the rest."""
    with pytest.raises(NotFound, match=r"begins with f\. Live are ab1000000000\. What to do: reach ps --all"):
        whole_id(client(live("ab1"), ended("ab2")), "f")
    with pytest.raises(NotFound, match="No container is live"):
        whole_id(client(), "f")


def test_very_many() -> None:
    """The error stays short."""
    ids = [f"a{number:02x}" for number in range(20)]
    with pytest.raises(Refused, match=f"and {20 - MOST_CANDIDATES} more"):
        whole_id(client(*map(live, ids)), "a")


def test_an_item_of_a_newer_version_counts() -> None:
    """It may be the container that is meant: no other one is stopped in its place."""
    store = MemoryStore(live("ab1"))
    store.put_item({**to_item(live("ab2")), "schema": 2})
    with pytest.raises(Refused, match="ab1000000000, ab2000000000"):
        whole_id(ReachClient(store, SettableClock(at(100))), "ab")


@pytest.mark.parametrize("text", ["", "xyz", "AB", "a" * 65, "ab\n"])
def test_what_is_no_id(text: str) -> None:
    """It is a wrong command line, and nothing is read."""
    with pytest.raises(Refused, match="no container's id"):
        whole_id(client(live("ab1")), text)
