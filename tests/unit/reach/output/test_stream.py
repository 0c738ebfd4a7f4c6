from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.model.errors import CallFailed
from reach import NotFound
from reach.output.stream import Line, Stream
from tests.moto_aws import client

GROUP, NAME = "/tasks", "sockerless/main/0f6a"
BEGUN = int(time.time() * 1000) - 60_000


class Refusing:
    """A client whose calls fail."""

    exceptions = client("logs").exceptions

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_log_events(self, **_: Any) -> Any:
        raise self._error


def instant(number: int) -> datetime:
    return datetime.fromtimestamp((BEGUN + number) / 1000, UTC)


@pytest.fixture
def group(account: None) -> str:
    """It has no stream."""
    client("logs").create_log_group(logGroupName=GROUP)
    return GROUP


@pytest.fixture
def stream(group: str) -> Stream:
    """Of nine lines, read in pages of two."""
    client("logs").create_log_stream(logGroupName=group, logStreamName=NAME)
    put(range(9))
    return Stream(client("logs"), group, NAME, page=2)


def put(numbers: range) -> None:
    events = [{"timestamp": BEGUN + number, "message": f"line {number}"} for number in numbers]
    client("logs").put_log_events(logGroupName=GROUP, logStreamName=NAME, logEvents=events)


def lines(*numbers: int) -> list[Line]:
    return [Line(instant(number), f"line {number}") for number in numbers]


def test_all_lines(stream: Stream) -> None:
    """Of all pages, with their instants."""
    assert list(stream.rest()) == lines(*range(9))
    assert stream.exists


def test_reading_goes_on(stream: Stream) -> None:
    """From where it ended: nothing twice, nothing left out."""
    list(stream.rest())
    assert list(stream.rest()) == []
    put(range(9, 12))
    assert list(stream.rest()) == lines(9, 10, 11)


@pytest.mark.parametrize("most", [1, 2, 5, 20])
def test_the_last_lines(stream: Stream, most: int) -> None:
    """At most so many, the newest last; reading goes on after them."""
    assert stream.last(most) == lines(*range(9))[-most:]
    put(range(9, 10))
    assert list(stream.rest()) == lines(9)


def test_no_last_lines(stream: Stream) -> None:
    """`--tail 0 --follow` shows what comes from now on."""
    assert stream.last(0) == []
    put(range(9, 10))
    assert list(stream.rest()) == lines(9)


def test_since(stream: Stream) -> None:
    """Of both ways to read."""
    first, second = (Stream(client("logs"), GROUP, NAME, since=instant(5)) for _ in range(2))
    assert list(first.rest()) == lines(5, 6, 7, 8)
    assert second.last(20) == lines(5, 6, 7, 8)


def test_a_container_that_has_printed_nothing(stream: Stream) -> None:
    """Its stream is not there, and may come. moto speaks of the group then, AWS does not."""
    absent = client("logs").exceptions.ResourceNotFoundException
    error = {"Code": "ResourceNotFoundException", "Message": "The specified log stream does not exist."}
    later = Stream(Refusing(absent({"Error": error}, "GetLogEvents")), GROUP, NAME)  # type: ignore[arg-type]
    assert (list(later.rest()), later.last(5), later.exists) == ([], [], False)


def test_a_group_that_is_gone(account: None) -> None:
    """It is said, because no line will ever come."""
    with pytest.raises(NotFound, match="no log group /tasks"):
        list(Stream(client("logs"), GROUP, NAME).rest())


def test_a_call_that_fails() -> None:
    """As every call of AWS."""
    error = ClientError({"Error": {"Code": "X"}}, "GetLogEvents")
    with pytest.raises(CallFailed, match="GetLogEvents failed with X"):
        list(Stream(Refusing(error), GROUP, NAME).rest())  # type: ignore[arg-type]  # as much of a client as is used


def test_an_empty_page_before_the_end() -> None:
    """CloudWatch Logs may answer so: only a token that repeats is the end."""

    class Pages:
        exceptions = client("logs").exceptions

        def __init__(self) -> None:
            event = {"timestamp": BEGUN, "message": "line 0"}
            self.pages = [([], "f/1"), ([event], "f/2"), ([], "f/2")]

        def get_log_events(self, *, nextToken: str | None = None, **_: Any) -> Any:  # noqa: N803 - boto3's name
            events, token = self.pages.pop(0)
            return {"events": events, "nextForwardToken": token, "nextBackwardToken": "b"}

    assert list(Stream(Pages(), GROUP, NAME).rest()) == lines(0)  # type: ignore[arg-type]  # the same
