"""Everything that a run of the stack wrote down for people to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.cloud.cloud import LocalCloud

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


def groups(cloud: LocalCloud) -> list[str]:
    """The names of the log groups of the stack's functions."""
    pages = cloud.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/")
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def messages(cloud: LocalCloud, function: str = "") -> Iterator[str]:
    """Every message in the log groups of the stack's functions, or of the one of that name (`task-state`)."""
    logs = cloud.client("logs")
    for group in groups(cloud):
        if group.endswith(function):
            for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
                for stream in page["logStreams"]:
                    yield from _stream(logs, group, stream["logStreamName"])


def _stream(logs: CloudWatchLogsClient, group: str, name: str) -> Iterator[str]:
    """Of one stream. FilterLogEvents of the local AWS ends with the ten thousandth event of a group."""
    token: dict[str, Any] = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True, **token)
        yield from (event["message"] for event in page["events"])
        if page["nextForwardToken"] == token.get("nextToken"):
            return
        token = {"nextToken": page["nextForwardToken"]}


def files(cloud: LocalCloud) -> Iterator[Path]:
    """The logs of every process of the local cloud, and what the containers printed."""
    for directory in (cloud.layout.logs, cloud.layout.fargate / "logs"):
        yield from (path for path in directory.rglob("*") if path.is_file())
