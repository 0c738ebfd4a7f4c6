"""The queues of the deployed stack, and the prober that reads one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from local.cloud.cloud import LocalCloud
from local.cloud.sam import STACK_NAME

DEAD_LETTER_QUEUES: Final = ("TaskEventDeadLetterQueue", "ProbeDeadLetterQueue")


class Queues:
    """Takes messages where nobody else does."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.probes: str = cloud.outputs["ProbeQueueUrl"]
        self._sqs = cloud.client("sqs")
        self._functions = cloud.client("lambda")
        self._stack = cloud.client("cloudformation")
        self._dead: dict[str, list[dict[str, Any]]] = {name: [] for name in DEAD_LETTER_QUEUES}

    def dead_letters(self, queue: str = DEAD_LETTER_QUEUES[0]) -> list[dict[str, Any]]:
        """The bodies of all messages that ever arrived in a dead-letter queue, by its logical id."""
        kept = self._dead[queue]
        kept += [json.loads(body) for body in self.taken(self._url(queue))]
        return kept

    def send(self, queue: str, body: dict[str, Any]) -> None:
        """A message into a queue, by its logical id."""
        self._sqs.send_message(QueueUrl=self._url(queue), MessageBody=json.dumps(body))

    def taken(self, url: str) -> Iterator[str]:
        """Takes messages out of a queue until it shows none."""
        while found := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    @contextmanager
    def prober_off(self) -> Iterator[None]:
        """Meanwhile probes stay in their queue. What nobody took is dropped at the end."""
        sources = self._functions.list_event_source_mappings()["EventSourceMappings"]
        [mapping] = [one for one in sources if ":sqs:" in one["EventSourceArn"]]
        self._functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            list(self.taken(self.probes))
            self._functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def _url(self, logical_id: str) -> str:
        resource = self._stack.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=logical_id)
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])
