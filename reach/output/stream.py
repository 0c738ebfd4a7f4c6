"""The stream of one container, read by GetLogEvents.

A page may be short or empty before the end of the stream; a token that repeats marks the end (CloudWatch Logs API
Reference, GetLogEvents). The driver makes the stream when the container starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated
from reach import NotFound

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetLogEventsResponseTypeDef

PAGE: Final = 10_000
"""Most events of a page."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """An event: what was printed, and when the log driver had it."""

    at: datetime
    text: str


class Stream:
    """A place in the stream: each read goes on where the one before ended. Each raises `NotFound`, `CallFailed`.

    `exists` is False until the container's first line is there. `page`: the most events of a call.
    """

    def __init__(
        self, client: CloudWatchLogsClient, group: str, name: str, *, since: datetime | None = None, page: int = PAGE
    ) -> None:
        self._client = client
        self._names: dict[str, Any] = {"logGroupName": group, "logStreamName": name}
        self._since: dict[str, Any] = {"startTime": (since - _EPOCH) // timedelta(milliseconds=1)} if since else {}
        self._page = page
        self._next: str | None = None
        self.exists = False

    def rest(self) -> Iterator[Line]:
        """All lines from the place to the end of the stream, page by page."""
        while (page := self._read(forwards=True, limit=self._page, token=self._next)) is not None:
            yield from _lines(page)
            if page["nextForwardToken"] == self._next:
                return
            self._next = page["nextForwardToken"]

    def last(self, most: int) -> list[Line]:
        """The newest lines, the newest last. The place is after them."""
        lines: list[Line] = []
        token: str | None = None
        # One event is read for none, too: the place is known by its page.
        while page := self._read(forwards=False, limit=min(max(most - len(lines), 1), self._page), token=token):
            self._next = self._next or page["nextForwardToken"]
            lines = [*_lines(page), *lines]
            if len(lines) >= most or page["nextBackwardToken"] == token:
                break
            token = page["nextBackwardToken"]
        return lines[len(lines) - most :] if len(lines) > most else lines

    def _read(self, *, forwards: bool, limit: int, token: str | None) -> GetLogEventsResponseTypeDef | None:
        place: dict[str, Any] = {} if token is None else {"nextToken": token}
        with translated("GetLogEvents"):
            try:
                page = self._client.get_log_events(
                    **self._names, **self._since, **place, startFromHead=forwards, limit=limit
                )
            except self._client.exceptions.ResourceNotFoundException as error:
                if "log group" in str(error):
                    raise NotFound(
                        f"There is no log group {self._names['logGroupName']} in this account and Region. What to do: "
                        "create it again; a task without its log group does not start."
                    ) from error
                return None
        self.exists = True
        return page


def _lines(page: GetLogEventsResponseTypeDef) -> Iterator[Line]:
    return (Line(_EPOCH + timedelta(milliseconds=one["timestamp"]), one["message"]) for one in page["events"])
