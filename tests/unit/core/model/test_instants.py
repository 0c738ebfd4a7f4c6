"""Instants as ECS, boto3 and the item spell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.model.instants import format_instant, milliseconds_between, parse_instant


def test_what_is_written_is_what_was_read() -> None:
    """Milliseconds, UTC, Z: whatever the zone and the digits were."""
    east = datetime(2026, 11, 23, 12, 0, 0, 123999, timezone(timedelta(hours=2)))

    assert format_instant(east) == "2026-11-23T10:00:00.123Z"
    assert parse_instant("2026-11-23T10:00:00.123Z") == datetime(2026, 11, 23, 10, 0, 0, 123000, UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-23T10:00:00", ""])
def test_an_instant_without_a_zone_is_none(text: str) -> None:
    """A time without a zone orders nothing."""
    with pytest.raises(ValueError, match=r"zone|isoformat"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["9000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"])
def test_an_instant_that_cannot_be_is_none(text: str) -> None:
    """Time-outs are added to instants: near the ends of Python's calendar that would raise."""
    with pytest.raises(ValueError, match="not between 1970 and 8999"):
        parse_instant(text)


def test_clocks_may_disagree() -> None:
    """The difference is signed."""
    now = datetime(2026, 11, 23, tzinfo=UTC)

    assert milliseconds_between(now, now + timedelta(seconds=1.5)) == 1500
    assert milliseconds_between(now, now - timedelta(seconds=1)) == -1000
