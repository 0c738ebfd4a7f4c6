from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quantiles import quantile, ratio_of_medians

SAMPLES = st.lists(st.floats(0.001, 1000), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.5, 10), (0.95, 19), (0.99, 20), (1, 20)], ids=lambda value: f"{value:g}"
)
def test_quantiles_of_twenty(share: float, expected: float) -> None:
    """p95 of 20 samples is the 19th: one in twenty lies above it."""
    assert quantile(range(20, 0, -1), share) == expected


@given(samples=SAMPLES, share=st.floats(0.01, 1))
def test_a_quantile_is_a_sample_that_enough_others_do_not_exceed(samples: list[float], share: float) -> None:
    """It was measured, and at least that share of all samples is not larger."""
    found = quantile(samples, share)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= round(share * len(samples), 9)


@pytest.mark.parametrize(("samples", "share"), [([], 0.5), ([1.0], -0.1), ([1.0], 1.1)])
def test_no_quantile_of_nothing(samples: list[float], share: float) -> None:
    """Without samples, or outside 0 to 1, there is none."""
    with pytest.raises(ValueError, match="no quantile"):
        quantile(samples, share)


def test_a_ratio_lies_in_its_interval_and_repeats_with_its_seed() -> None:
    """The interval holds the ratio, and the same seed gives the same interval."""
    slow, fast = [10.0 + step for step in range(30)], [1.0 + step / 30 for step in range(30)]
    ratio = ratio_of_medians(slow, fast, seed=1)
    assert ratio.low < ratio.value < ratio.high
    assert ratio == ratio_of_medians(slow, fast, seed=1)


def test_the_ratio_of_equals_is_one() -> None:
    """What does not vary leaves nothing to be unsure of."""
    ratio = ratio_of_medians([2.0] * 5, [2.0] * 5, seed=1)
    assert (ratio.low, ratio.value, ratio.high) == (1, 1, 1)
