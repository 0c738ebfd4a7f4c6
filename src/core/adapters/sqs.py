"""The probe queue on SQS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from core.model.identity import Ref


class SqsProbeQueue:
    """Implements `core.ports.ProbeQueue`. A message has the address; the item has deadline and token."""

    def __init__(self, queue_url: str, client: SQSClient) -> None:
        self._queue_url = queue_url
        self._client = client

    def send(self, ref: Ref, address: str, after: int = 0) -> None:
        """One message: `{"container_id", "generation", "address"}`, with DelaySeconds `after`."""
        body = {**ref._asdict(), "address": address}
        with translated("SendMessage"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body), DelaySeconds=after)
