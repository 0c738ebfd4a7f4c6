"""How long hops take: as their sources say."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from bench.quantiles import quantile
from bench.virtual.hops import AGENT, EVENT, HOPS, Hop


def dice(seed: int) -> Random:
    """Repeatable, not secret."""
    return Random(seed)  # noqa: S311


@pytest.mark.parametrize("hop", HOPS, ids=lambda hop: hop.what)
def test_what_is_drawn_has_the_quantiles_of_its_source(hop: Hop) -> None:
    """Of many draws, each published share took at most as long as published; the order of shares is that of times."""
    chance = dice(1)
    drawn = [hop.draw(chance) for _ in range(20_000)]
    for share, milliseconds in hop.quantiles:
        assert quantile(drawn, share) * 1000 == pytest.approx(milliseconds, rel=0.1)
    assert all(low < high for low, high in pairwise(hop.quantiles))


@pytest.mark.parametrize("hop", HOPS, ids=lambda hop: hop.what)
def test_every_hop_has_a_source(hop: Hop) -> None:
    """A title, the section of a document, or the word that it is assumed."""
    assert any(word in hop.source for word in ("assumed", '"', "ecs.md", "measured"))


def test_draws_follow_the_seed() -> None:
    """The same dice draw the same times, and two hops of one seed draw their own."""
    assert EVENT.draw(dice(7)) == EVENT.draw(dice(7)) != EVENT.draw(dice(8))
    assert EVENT.draw(dice(7)) != AGENT.draw(dice(7))
