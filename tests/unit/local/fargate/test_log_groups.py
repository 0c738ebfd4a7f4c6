"""Output on its way to CloudWatch Logs."""

from __future__ import annotations

import asyncio
from typing import Any

from local.fargate.log_groups import LogStream


class Logs:
    """Keeps what PutLogEvents was given, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:  # noqa: N803 - AWS's names
        assert (logGroupName, logStreamName) == ("group", "stream")
        self.calls.append([event["message"] for event in logEvents])


def written(*pieces: bytes) -> list[list[str]]:
    """What arrives, call by call, of output that came in these pieces."""

    async def feed() -> list[list[str]]:
        logs = Logs()
        stream = LogStream(logs, "group", "stream")
        for piece in pieces:
            stream.feed(piece)
        await stream.close()
        return logs.calls

    return asyncio.run(feed())


def test_a_line_is_an_event() -> None:
    """However output is cut on its way; a last line needs no end, and empty lines are no events."""
    assert written(b"one\ntw", b"o\n\nthr", b"ee") == [["one", "two", "three"]]


def test_no_output_is_no_call() -> None:
    """PutLogEvents refuses an empty list."""
    assert written() == []


def test_a_call_stays_below_a_mebibyte() -> None:
    """Much output takes several calls, in order."""
    lines = [str(number) * 100_000 for number in range(10)] + ["x"] * 20_000
    calls = written(*(line.encode() + b"\n" for line in lines))
    assert [line for call in calls for line in call] == lines
    assert all(sum(len(line) + 26 for line in call) < 1024**2 for call in calls)
    assert all(len(call) <= 10_000 for call in calls)
