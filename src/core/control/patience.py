"""How long a start waits for AWS: one allowance of seconds for all of its waiting.

ECS limits calls per account and Region (ecs.md 6): a burst of starts is throttled as a matter of course, and
waits for its turn. A start has a caller that waits too, so its patience ends before the caller's does.
"""

from __future__ import annotations

from typing import Final

from core.ports import Clock

SECONDS: Final = 40.0
"""Of StartContainerFunction's 60: the rest is for the calls themselves."""
FIRST_PAUSE: Final = 0.4
LONGEST_PAUSE: Final = 5.0


class Patience:
    """The waiting of one start, which begins now."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + seconds

    def pause(self, number: int) -> bool:
        """Waits before a call is made for the `number`-th time again, from 0 on: longer with each number, up to 5 s.

        False, without waiting, when the patience would be over by then.
        """
        longest = min(FIRST_PAUSE * 2.0 ** min(number, 16), LONGEST_PAUSE)
        return self.wait(longest * (0.5 + self._clock.random() / 2))

    def wait(self, seconds: float) -> bool:
        """Waits for so long. False, without waiting, when the patience would be over by then."""
        if self._clock.monotonic() + seconds > self._deadline:
            return False
        self._clock.sleep(seconds)
        return True
