from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from reach import Refused
from reach.output.since import since
from tests.factories import at

NOW = at(0)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_duration(text: str, ago: timedelta) -> None:
    """Before now, in units as `docker logs` takes them, and days."""
    assert since(text, NOW) == NOW - ago


def test_an_instant() -> None:
    """With its zone, or as seconds of the epoch."""
    assert since("2026-11-23T11:00:00+01:00", NOW) == NOW
    assert since(str(int(NOW.timestamp())), NOW) == NOW


def test_an_instant_without_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is of the clock on this wall."""
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert since("2026-11-23", NOW) == datetime(2026, 11, 22, 22, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "10", "yesterday", "m", "10m1h", "99999999999999999999", "9999999999d"])
def test_what_is_no_instant(text: str) -> None:
    """The error shows how to write one."""
    with pytest.raises(Refused, match="write it as 10m"):
        since(text, NOW)
