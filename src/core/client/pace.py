"""How long a wait pauses before it reads the item again.

Theory of operation
-------------------
A read costs the same whenever it is made, and finds most when the item is about to change. For a change whose hazard
at the time t is h(t), the cheapest reads for a given delay come at a rate in proportion to the root of h(t) (J. B.
Keller, "Optimum Checking Schedules for Systems Subject to Random Failure", Management Science 21, 1974). How long a
start takes is taken as log-logistic, which has few of the short times, a peak, and a long tail: its median and the
spread of its logarithm say all of it, and its hazard can be written down.

Two changes are awaited one after the other. That the address is known is worth no haste by itself, but it announces the
agent's answer, which as a rule follows within a tenth of a second: it is looked for just often enough to be seen first,
and the answer often. Until an image has been started by this client, both are guessed (`START`, `ANSWER`), and what
comes unexpectedly soon is found within a tenth of the time that it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, log1p, pi, sqrt
from typing import Final


@dataclass(frozen=True, slots=True)
class Expected:
    """A duration: half of all are longer than `median` seconds, `spread` is the standard deviation of the logarithm.

    `samples`: how many durations it was learnt from; 0 is a guess.
    """

    median: float
    spread: float
    samples: int = 0


START: Final = Expected(35, 0.4)
"""From the start to the address in the item: 19 to 62 s on Fargate (ecs.md 3)."""
ANSWER: Final = Expected(0.15, 1.0)
"""From there to the agent's answer in the item: a message and a probe, where the agent listens by then (ecs.md 10)."""

_SEEN_FIRST: Final = (2.0, 0.08, 0.25)
"""The shortest pause before the address: so many times the usual time to the answer, and in seconds at least, at most.

Twice that time finds the address first in every other start, and the answer within the same time in the others.
"""
_SOON: Final = (0.02, 0.04, 0.1)
"""The shortest pause after the address, likewise: the answer is what a caller waits for."""
_LONGEST: Final = 2.0
_UNEXPECTED: Final = 0.1
"""Of the time that has passed: the longest pause where nothing is learnt."""
_LATE: Final = 0.05
"""Of the time beyond twice the usual one: the shortest pause. What takes so long is not in a hurry, up to `_LATEST`."""
_LATEST: Final = 1.0
_MOMENT: Final = 1e-6
_FAR: Final = 100.0
"""Of an exponent: the pause is limited elsewhere."""


def before_the_address(elapsed: float, start: Expected, answer: Expected) -> float:
    """Seconds to the next read, so many `elapsed` since the launch began."""
    shortest = _within(answer.median, _SEEN_FIRST) if start.samples else _SEEN_FIRST[2]
    return _pause(elapsed, start, shortest)


def before_the_answer(elapsed: float, answer: Expected) -> float:
    """Seconds to the next read, so many `elapsed` since the address became known."""
    return _pause(elapsed, answer, _within(answer.median, _SOON))


def _within(median: float, bounds: tuple[float, float, float]) -> float:
    share, least, most = bounds
    return min(max(share * median, least), most)


def _pause(elapsed: float, expected: Expected, shortest: float) -> float:
    """`shortest` where half of all durations are over."""
    if elapsed >= expected.median:
        late = _LATE * (elapsed - 2 * expected.median)
        return min(max(_fitting(elapsed, expected, shortest), late, shortest), _LATEST)
    longest = _LONGEST if expected.samples else min(max(_UNEXPECTED * elapsed, shortest), _LONGEST)
    pause = min(_fitting(elapsed, expected, shortest), longest)
    # The change becomes likelier meanwhile: what fits the end of the pause counts.
    return max(min(pause, _fitting(elapsed + pause, expected, shortest)), shortest)


def _fitting(elapsed: float, expected: Expected, shortest: float) -> float:
    """`shortest`, over the root of the hazard in proportion to that at the median."""
    steepness = pi / (sqrt(3) * expected.spread)
    ratio = log(max(elapsed, _MOMENT) / expected.median)
    # log(2 x**(steepness - 1) / (1 + x**steepness)), which does not overflow
    hazard = log(2) + (steepness - 1) * ratio - _log1pexp(steepness * ratio)
    return shortest * exp(min(-hazard / 2, _FAR))


def _log1pexp(power: float) -> float:
    return power + log1p(exp(-power)) if power > 0 else log1p(exp(power))
