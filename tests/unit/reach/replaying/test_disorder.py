from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reach.replaying.disorder import Disorder

EVENTS = st.lists(st.integers(), unique=True, max_size=20)
CHANCE = st.floats(0, 1)
SEED = st.integers(0, 1000)


@given(EVENTS, SEED)
def test_without_an_option_nothing_changes(events: list[int], seed: int) -> None:
    """Without an option the events keep their order."""
    assert Disorder(seed=seed).applied(events) == events


@given(EVENTS, SEED, st.booleans(), CHANCE, CHANCE)
def test_the_same_seed_does_the_same(
    events: list[int], seed: int, shuffle: bool, duplicate: float, drop: float
) -> None:
    """The same seed gives the same order; no event is new, none comes more than twice."""
    disorder = Disorder(seed=seed, shuffle=shuffle, duplicate=duplicate, drop=drop)
    arrived = disorder.applied(events)
    assert arrived == disorder.applied(events)
    assert set(arrived) <= set(events)
    assert all(number <= 2 for number in Counter(arrived).values())


@given(EVENTS, SEED)
def test_copies_come_later(events: list[int], seed: int) -> None:
    """Without shuffling the first ones stay in order, each with its copy somewhere behind it."""
    arrived = Disorder(seed=seed, duplicate=1).applied(events)
    assert list(dict.fromkeys(arrived)) == events
    assert Counter(arrived) == Counter(events * 2)


@given(EVENTS, SEED)
def test_certain_loss_loses_all(events: list[int], seed: int) -> None:
    """With `drop` 1 no event is left."""
    assert Disorder(seed=seed, drop=1).applied(events) == []


@given(EVENTS, SEED)
def test_shuffling_loses_nothing(events: list[int], seed: int) -> None:
    """Every event comes once, in some order."""
    assert sorted(Disorder(seed=seed, shuffle=True).applied(events)) == sorted(events)


def test_shuffling_shuffles() -> None:
    """Some seed gives another order."""
    assert any(Disorder(seed=seed, shuffle=True).applied(range(9)) != list(range(9)) for seed in range(5))
