"""A container's output in CloudWatch Logs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from local.fargate.log_groups import LogStream
from local.fargate.process.processes import Process, Spec


class Logs:
    """Keeps the messages of each PutLogEvents."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:  # noqa: N803 - AWS's names
        assert (logGroupName, logStreamName) == ("group", "stream")
        self.calls.append([event["message"] for event in logEvents])


def written(*pieces: bytes) -> list[list[str]]:
    """The messages of each call, for output that came in these pieces."""

    async def feed() -> list[list[str]]:
        logs = Logs()
        stream = LogStream(logs, "group", "stream")
        for piece in pieces:
            stream.feed(piece)
        await stream.close()
        return logs.calls

    return asyncio.run(feed())


def test_a_line_is_an_event() -> None:
    """A line is one event however the output is cut; the last line needs no end; empty lines are no events."""
    assert written(b"one\ntw", b"o\n\nthr", b"ee") == [["one", "two", "three"]]


def test_a_file_is_followed_until_the_end(tmp_path: Path) -> None:
    """Lines that the file has and lines appended before `close` are sent."""

    async def follow() -> list[str]:
        file = tmp_path / "main.log"
        file.write_bytes(b"one\ntw")
        logs = Logs()
        stream = LogStream(logs, "group", "stream")
        stream.follow(file)
        with file.open("ab") as log:
            log.write(b"o\nthree")
        await stream.close()
        return [line for call in logs.calls for line in call]

    assert asyncio.run(follow()) == ["one", "two", "three"]


def test_each_output_has_lines_of_its_own() -> None:
    """However pieces of stdout and stderr follow each other: they are two pipes."""

    async def feed() -> list[str]:
        logs = Logs()
        stream = LogStream(logs, "group", "stream")
        for data, output in ((b"wor", 1), (b"tr", 2), (b"king\n", 1), (b"ouble", 2)):
            stream.feed(data, output)
        await stream.close()
        return [line for call in logs.calls for line in call]

    assert asyncio.run(feed()) == ["working", "trouble"]


def test_closing_twice_writes_nothing_twice() -> None:
    """`close` may be called twice: at the container's exit, and at the task's end."""

    async def feed() -> list[list[str]]:
        logs = Logs()
        stream = LogStream(logs, "group", "stream")
        stream.feed(b"only")
        await stream.close()
        await stream.close()
        return logs.calls

    assert asyncio.run(feed()) == [["only"]]


def test_a_process_ends_when_its_output_is_written(tmp_path: Path) -> None:
    """When `wait` returns the exit code, the whole output is sent, as on Fargate."""

    async def run() -> tuple[int, list[str]]:
        logs = Logs()
        script = "echo out; printf err >&2; exit 3"
        spec = Spec("/bin/sh", ("sh", "-c", script), {}, str(tmp_path), str(tmp_path / "log"))
        process = await Process.start(spec, LogStream(logs, "group", "stream"))
        return await process.wait(), [line for call in logs.calls for line in call]

    assert asyncio.run(run()) == (3, ["out", "err"])


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
