"""The clock of the machine, as far as the core relies on it."""

from __future__ import annotations

from datetime import UTC

from core.adapters.clock import SystemClock


def test_the_clock_of_this_machine() -> None:
    """Instants in UTC with whole milliseconds, as the item keeps them; time and chance within their bounds."""
    clock = SystemClock()
    now, before = clock.now(), clock.monotonic()
    clock.sleep(0)
    assert (now.tzinfo, now.microsecond % 1000) == (UTC, 0)
    assert clock.now() >= now
    assert clock.monotonic() >= before
    assert 0 <= clock.random() <= 1
