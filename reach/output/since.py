"""An instant of a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from reach import Refused

_DURATION: Final = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_EPOCH: Final = re.compile(r"\d{9,}(\.\d+)?")


def since(text: str, now: datetime) -> datetime:
    """`10m` and `1h30m` before `now`; an ISO 8601 text, in local time unless it has a zone; seconds of the epoch.

    Raises `Refused`.
    """
    try:
        if found := _DURATION.fullmatch(text):
            days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
            return now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(
            f"--since {text} is not an instant. What to do: write it as 10m, 1h30m, 2026-11-23T10:00:00Z."
        ) from error
