"""What containers printed, from CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.adapters.failures import translated
from core.adapters.log_options import BotoLogOptions
from core.facts import TaskObserved

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

PAGES: Final = 3


class CloudWatchOutput:
    """Implements `core.ports.Output`."""

    def __init__(self, options: BotoLogOptions, client: CloudWatchLogsClient) -> None:
        self._options = options
        self._client = client

    def last_lines(self, task: TaskObserved, container: str, most: int) -> tuple[str, ...]:
        """GetLogEvents from the end of the stream; an event is a line.

        A page may be short, or empty, while there is more (CloudWatch Logs API Reference, GetLogEvents); a token that
        comes back says that there is not. A few pages are asked for, and no more.
        """
        definition = task.task_definition_arn
        destination = self._options.of(definition, container) if definition is not None else None
        if destination is None:
            return ()
        lines: list[str] = []
        following: dict[str, Any] = {}
        for _ in range(PAGES):
            with translated("GetLogEvents"):
                page = self._client.get_log_events(
                    logGroupName=destination.group,
                    logStreamName=destination.stream(container, task.task_arn),
                    limit=most,
                    startFromHead=False,
                    **following,
                )
            lines = [event["message"] for event in page["events"]] + lines
            if len(lines) >= most or page["nextBackwardToken"] == following.get("nextToken"):
                break
            following = {"nextToken": page["nextBackwardToken"]}
        return tuple(lines[-most:])
