"""How long the starts of an image took that this client has waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from math import exp, log, sqrt
from statistics import median
from typing import Final

from core.client.pace import ANSWER, START, Expected
from core.model.parts import Instant
from core.model.record import Record

KEPT: Final = 20
"""Starts of an image: the newest ones."""
IMAGES: Final = 1000
"""The ones that were started last."""
LEAST_SPREAD: Final = 0.08
_OUTLIER: Final = 1.0
"""A logarithm that differs more from the usual one counts as if it differed so much."""
_LEAST: Final = 0.001
"""Seconds."""


@dataclass(frozen=True, slots=True)
class _Image:
    """`took`: seconds from the launch to the address, and from there to the answer, of each start."""

    took: tuple[tuple[float, float], ...]
    expected: tuple[Expected, Expected]


class Experience:
    """Shared by all waits of one client, in any threads: of two that learn at once, one may teach nothing."""

    def __init__(self) -> None:
        self._images: Mapping[str | None, _Image] = {}
        """The image that was started last is the last one. Replaced as a whole, so that a reader needs no lock."""

    def learn(self, record: Record) -> None:
        """From a container whose agent has answered. A record without the instants teaches nothing."""
        resolved, healthy = (record.timings.get(name) for name in (Instant.RESOLVED, Instant.HEALTHY))
        if resolved is None or healthy is None:
            return
        images = dict(self._images)
        known = images.pop(record.image, None)
        new = (resolved - record.launched_at).total_seconds(), (healthy - resolved).total_seconds()
        took = (*(known.took if known else ()), new)[-KEPT:]
        starts, answers = zip(*took, strict=True)
        images[record.image] = _Image(took, (expected(starts, START), expected(answers, ANSWER)))
        self._images = dict(islice(images.items(), max(0, len(images) - IMAGES), None))

    def expected(self, image: str | None) -> tuple[Expected, Expected]:
        """From the launch to the address, and from there to the answer."""
        known = self._images.get(image)
        return known.expected if known else (START, ANSWER)


def expected(durations: Iterable[float], guess: Expected) -> Expected:
    """What these durations let expect. The guess's spread counts as one of them, its median where there are none."""
    logarithms = [log(max(seconds, _LEAST)) for seconds in durations]
    if not logarithms:
        return guess
    usual = median(logarithms)
    squares = [min(abs(one - usual), _OUTLIER) ** 2 for one in logarithms]
    spread = sqrt((guess.spread**2 + sum(squares)) / (1 + len(squares)))
    return Expected(exp(usual), max(spread, LEAST_SPREAD), len(logarithms))
