"""Quantiles of samples, and how sure a ratio of medians is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

RESAMPLES: Final = 2000


def quantile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all samples do not exceed: always one that was measured.

    Raises `ValueError` without samples, or for a share outside 0 to 1.
    """
    if not samples or not 0 <= share <= 1:
        raise ValueError(f"there is no quantile {share} of {len(samples)} samples")
    ordered = sorted(samples)
    # Rounded, or 0.95 of 20 would be the 20th: 19.000000000000004 is more than 19.
    rank = -int(-round(share * len(ordered), 9) // 1)
    return ordered[max(rank, 1) - 1]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times larger one median is than another, with the interval that holds 95% of the resampled ratios."""

    value: float
    low: float
    high: float


def ratio_of_medians(larger: Sequence[float], smaller: Sequence[float], seed: int) -> Ratio:
    """By the bootstrap: both sets of samples are drawn again from themselves, `RESAMPLES` times."""
    draw = random.Random(seed)  # noqa: S311 - statistics, no secret
    ratios = [
        median(draw.choices(larger, k=len(larger))) / median(draw.choices(smaller, k=len(smaller)))
        for _ in range(RESAMPLES)
    ]
    return Ratio(median(larger) / median(smaller), quantile(ratios, 0.025), quantile(ratios, 0.975))
