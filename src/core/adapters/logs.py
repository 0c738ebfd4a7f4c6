"""The output of containers, from CloudWatch Logs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated
from core.model.identity import log_stream

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

PAGES: Final = 3
"""Most calls of GetLogEvents for the last lines of one container."""


class CloudWatchOutput:
    """Implements `core.ports.Output` for the streams of the stack's log group (`core.launch.definition`).

    It does not find the output of requests that name another group or prefix, because reading other groups would need
    permissions on them.
    """

    def __init__(self, client: CloudWatchLogsClient, group: str, prefix: str) -> None:
        self._client = client
        self._group = group
        self._prefix = prefix

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """GetLogEvents from the end of the stream, at most `PAGES` pages. An event is a line.

        A page may be short or empty before the stream's beginning (CloudWatch Logs API Reference, GetLogEvents). An
        unchanged token marks the beginning. The container's first line creates the stream.
        """
        stream = log_stream(self._prefix, container, task_arn)
        lines: list[str] = []
        following: dict[str, Any] = {}
        with translated("GetLogEvents"), suppress(self._client.exceptions.ResourceNotFoundException):
            for _ in range(PAGES):
                page = self._client.get_log_events(
                    logGroupName=self._group, logStreamName=stream, limit=most, startFromHead=False, **following
                )
                lines = [event["message"] for event in page["events"]] + lines
                if len(lines) >= most or page["nextBackwardToken"] == following.get("nextToken"):
                    break
                following = {"nextToken": page["nextBackwardToken"]}
        return tuple(lines[-most:])
