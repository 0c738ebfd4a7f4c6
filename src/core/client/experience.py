"""How long the starts of an image took that this client has waited for."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from math import exp, log, sqrt
from statistics import median
from threading import Lock
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


class Experience:
    """Shared by all waits of one client, in any threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._durations: OrderedDict[str | None, deque[tuple[float, float]]] = OrderedDict()
        self._expected: dict[str | None, tuple[Expected, Expected]] = {}

    def learn(self, record: Record) -> None:
        """From a container whose agent has answered. A record without the instants teaches nothing."""
        resolved, healthy = (record.timings.get(name) for name in (Instant.RESOLVED, Instant.HEALTHY))
        if resolved is None or healthy is None:
            return
        took = (resolved - record.launched_at).total_seconds(), (healthy - resolved).total_seconds()
        with self._lock:
            known = self._durations.setdefault(record.image, deque(maxlen=KEPT))
            known.append(took)
            starts, answers = zip(*known, strict=True)
            self._expected[record.image] = expected(starts, START), expected(answers, ANSWER)
            self._durations.move_to_end(record.image)
            if len(self._durations) > IMAGES:
                forgotten, _ = self._durations.popitem(last=False)
                del self._expected[forgotten]

    def expected(self, image: str | None) -> tuple[Expected, Expected]:
        """From the launch to the address, and from there to the answer."""
        return self._expected.get(image, (START, ANSWER))


def expected(durations: Iterable[float], guess: Expected) -> Expected:
    """What these durations let expect. The guess's spread counts as one of them, its median where there are none."""
    logarithms = [log(max(seconds, _LEAST)) for seconds in durations]
    if not logarithms:
        return guess
    usual = median(logarithms)
    squares = [min(abs(one - usual), _OUTLIER) ** 2 for one in logarithms]
    spread = sqrt((guess.spread**2 + sum(squares)) / (1 + len(squares)))
    return Expected(exp(usual), max(spread, LEAST_SPREAD), len(logarithms))
