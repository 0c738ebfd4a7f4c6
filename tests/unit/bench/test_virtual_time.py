"""Threads on a clock of their own."""

from __future__ import annotations

import pytest

from bench.virtual_time import VirtualTime


def test_sleepers_wake_in_order_and_time_jumps() -> None:
    """Each thread sees the instant it slept to; of two at one instant, the one that slept first goes first."""
    time = VirtualTime()
    seen: list[tuple[str, float]] = []

    def sleeper(name: str, *pauses: float) -> None:
        for pause in pauses:
            time.sleep(pause)
            seen.append((name, time.monotonic()))

    time.run([(0, lambda: sleeper("a", 2, 1)), (0, lambda: sleeper("b", 1, 1, 3600)), (0.5, lambda: sleeper("c", 0))])

    assert seen == [("c", 0.5), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3602)]


def test_what_a_thread_raises_is_raised() -> None:
    """When the others have ended."""
    time = VirtualTime()
    ended: list[float] = []

    def fails() -> None:
        raise ValueError("here")

    def sleeps() -> None:
        time.sleep(5)
        ended.append(time.now)

    with pytest.raises(ValueError, match="here"):
        time.run([(0, fails), (0, sleeps)])
    assert ended == [5]
