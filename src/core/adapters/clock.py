"""Time and chance of this machine."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from core.model.instants import truncate


class SystemClock:
    """Implements `core.ports.Clock`."""

    def now(self) -> datetime:
        """In whole milliseconds, as the item keeps them."""
        return truncate(datetime.now(UTC))

    def monotonic(self) -> float:
        """Of this process."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Blocks the thread."""
        time.sleep(seconds)

    def random(self) -> float:
        """No secret hangs on it."""
        return random.random()  # noqa: S311
