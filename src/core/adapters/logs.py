"""What containers printed, from CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated
from core.model.errors import CallFailed

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

PAGES: Final = 3


class CloudWatchOutput:
    """Implements `core.ports.Output` for the streams of one log group: the stack's (`core.launch.definition`).

    A request that names a group or a prefix of its own is not found here: reading other groups would take permissions
    on them.
    """

    def __init__(self, client: CloudWatchLogsClient, group: str, prefix: str) -> None:
        self._client = client
        self._group = group
        self._prefix = prefix

    def last_lines(self, task_arn: str, container: str, most: int) -> tuple[str, ...]:
        """GetLogEvents from the end of the stream; an event is a line.

        A page may be short, or empty, while there is more (CloudWatch Logs API Reference, GetLogEvents); a token that
        comes back says that there is not. A few pages are asked for, and no more.
        """
        # ECS Developer Guide, "Send Amazon ECS logs to CloudWatch".
        stream = f"{self._prefix}/{container}/{task_arn.rpartition('/')[2]}"
        lines: list[str] = []
        following: dict[str, Any] = {}
        for _ in range(PAGES):
            page = self._page(stream, most, following)
            if page is None:
                break
            lines = [event["message"] for event in page["events"]] + lines
            if len(lines) >= most or page["nextBackwardToken"] == following.get("nextToken"):
                break
            following = {"nextToken": page["nextBackwardToken"]}
        return tuple(lines[-most:])

    def _page(self, stream: str, most: int, following: dict[str, Any]) -> Any:
        """None as long as there is no such stream: the first line makes it."""
        try:
            with translated("GetLogEvents"):
                return self._client.get_log_events(
                    logGroupName=self._group, logStreamName=stream, limit=most, startFromHead=False, **following
                )
        except CallFailed as failed:
            if failed.code == "ResourceNotFoundException":
                return None
            raise
