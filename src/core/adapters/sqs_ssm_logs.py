"""The probe queue on SQS, agent tokens in the Parameter Store, the output of containers from CloudWatch Logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

    from core.model.identity import Ref

PAGES: Final = 3
"""Most calls of GetLogEvents for the last lines of one container."""


class SqsProbeQueue:
    """Implements `core.ports.ProbeQueue`. A message has the address; the item has deadline and token."""

    def __init__(self, queue_url: str, client: SQSClient) -> None:
        self._queue_url = queue_url
        self._client = client

    def send(self, ref: Ref, address: str) -> None:
        """One message: `{"container_id", "generation", "address"}`."""
        body = {**ref._asdict(), "address": address}
        with translated("SendMessage"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body))


class SsmTokenVault:
    """Implements `core.ports.TokenVault` with SecureString parameters under the account's default key."""

    def __init__(self, client: SSMClient) -> None:
        self._client = client

    def put(self, name: str, token: str) -> None:
        """PutParameter. It overwrites the parameter of an earlier attempt of the same start, with the same token."""
        with translated("PutParameter"):
            self._client.put_parameter(
                Name=name,
                Value=token,
                Type="SecureString",
                Overwrite=True,
                Description="Token of one container's agent; deleted when the container ends.",
            )

    def names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """DescribeParameters, page by page, without values."""
        with translated("DescribeParameters"):
            pages = self._client.get_paginator("describe_parameters").paginate(
                ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [f"/{prefix}"]}]
            )
            for page in pages:
                for parameter in page["Parameters"]:
                    yield parameter["Name"], parameter["LastModifiedDate"]

    def erase(self, name: str) -> None:
        """DeleteParameter. Repeating it changes nothing."""
        with translated("DeleteParameter"), suppress(self._client.exceptions.ParameterNotFound):
            self._client.delete_parameter(Name=name)


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
        # ECS Developer Guide, "Send Amazon ECS logs to CloudWatch".
        stream = f"{self._prefix}/{container}/{task_arn.rpartition('/')[2]}"
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
