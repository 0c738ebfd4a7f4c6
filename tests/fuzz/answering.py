"""An ECS client of boto3 whose answers are given: what boto3's own parser makes of them is what the adapter gets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tests.factories import TASK

_ANSWERS: dict[str, bytes] = {"ListTasks": f'{{"taskArns": ["{TASK}"]}}'.encode(), "StopTask": b"{}"}


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def answering(described: bytes) -> Any:
    """The client. DescribeTasks answers these bytes."""
    _ANSWERS["DescribeTasks"] = described
    return _client()


@cache
def _client() -> Any:
    client = boto3.client(
        "ecs",
        region_name="us-east-1",
        aws_access_key_id="fuzz",
        aws_secret_access_key="fuzz",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answered: Any = _answered  # botocore takes what it returns for the answer, whatever its types say
    client.meta.events.register("before-send.ecs", answered)
    return client


def _answered(event_name: str, **_: Any) -> AWSResponse:
    operation = event_name.rpartition(".")[2]
    headers: Any = {"content-type": "application/x-amz-json-1.1"}
    return AWSResponse("https://ecs.invalid", 200, headers, _Raw(_ANSWERS[operation]))
