"""Instants as ECS, boto3 and the item spell them, all kept as aware UTC datetimes in between.

ECS events print `.123Z`, `.12Z` and `Z` (ecs.md 1); DescribeTasks answers through boto3 with
datetimes of the caller's time zone; the item holds ISO 8601, UTC, milliseconds, `Z` (contract.md 3).
"""

from datetime import UTC, datetime
from typing import Final

_YEARS: Final = range(1970, 9000)
"""Instants of other years are refused: time-outs are added to an instant, and Python's last year is 9999."""


def truncate(instant: datetime) -> datetime:
    """The same instant in UTC with whole milliseconds, so that what is saved equals what is read back."""
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def parse_instant(text: str) -> datetime:
    """Any ISO 8601 text with a zone. Raises `ValueError` for anything else, also without a zone, and as `usable`."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {text!r}")
    return usable(parsed)


def usable(instant: datetime) -> datetime:
    """As `truncate`. Raises `ValueError` for an instant that none of ours can be."""
    if instant.year not in _YEARS:
        raise ValueError(f"the year {instant.year} is not between {_YEARS.start} and {_YEARS.stop - 1}")
    return truncate(instant)


def format_instant(instant: datetime) -> str:
    """`2026-11-23T10:00:00.123Z`."""
    return truncate(instant).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def milliseconds_between(earlier: datetime, later: datetime) -> int:
    """Whole milliseconds from one instant to the other; negative when the clocks disagree."""
    return round((later - earlier).total_seconds() * 1000)
