"""Where events are captured from: a queue, and the local Fargate, which remembers those it sent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from reach.recording.capture import Capture, NoTaskEvent
from reach.replaying.reading import Found, unwrap

BATCH: Final = 10
"""ReceiveMessage's own limit."""
LONGEST_POLL: Final = 20
"""Seconds; ReceiveMessage's own limit too."""
_ANSWER_SECONDS: Final = 10
HIDDEN_SECONDS: Final = 60
"""For how long a message that was read is not given again, so that a queue that is only read comes to an end."""


Warn = Callable[[str], None]
"""Takes a line about what was no event of a task."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the local Fargate at `endpoint` has sent, which it has redacted."""

    endpoint: str
    warn: Warn

    def take(self, capture: Capture, *, patience: int) -> None:  # noqa: ARG002 - as a queue's
        """Keeps what was sent, dropped or not delivered; the index says which. Reads once. Raises `OSError`."""
        # A proxy of the environment has no business on the loopback interface.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.endpoint.rstrip('/')}/_local/events", timeout=_ANSWER_SECONDS) as answer:
            deliveries = json.load(answer)["deliveries"]  # oldest first
        for number, one in enumerate(deliveries, start=1):
            if one["outcome"] != "pending":
                _keep(capture, [Found(f"delivery {number}", one["event"])], self.warn, outcome=one["outcome"])
        capture.write_index()

    def close(self) -> None:
        """Nothing was taken."""


@dataclass(slots=True)
class Queue:
    """An SQS queue that a rule of EventBridge sends to, with or without SNS in between. `client` is boto3's.

    Unless `consume`, no message is deleted, and what was read can be received again as soon as this ends. Each
    reading counts towards the maxReceiveCount of a redrive policy.
    """

    client: Any
    url: str
    warn: Warn
    consume: bool = False
    _held: dict[str, str] = field(default_factory=dict, init=False)
    """Message id -> the receipt of its last receive."""

    def take(self, capture: Capture, *, patience: int) -> None:
        """Keeps what is new, until the queue gives nothing, or nothing but what was seen in this run.

        Waits up to `patience` seconds for a message.
        """
        while messages := self._receive(patience):
            fresh = [one for one in messages if one["MessageId"] not in self._held]
            self._held |= {one["MessageId"]: one["ReceiptHandle"] for one in messages}
            understood = [
                one["MessageId"]
                for one in fresh
                if _keep(capture, unwrap(f"message {one['MessageId']}", one), self.warn)
            ]
            capture.write_index()
            if self.consume:
                self._delete(understood)
            if not fresh:
                break

    def close(self) -> None:
        """What was read and not deleted is visible again at once, not in a minute."""
        for batch in _batches(self._held.values()):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(batch)
            ]
            self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
        self._held.clear()

    def _receive(self, patience: int) -> list[dict[str, Any]]:
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=min(patience, LONGEST_POLL),
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _delete(self, ids: Iterable[str]) -> None:
        """Only what is on disk, index included."""
        for batch in _batches(ids):
            entries = [{"Id": str(n), "ReceiptHandle": self._held.pop(one)} for n, one in enumerate(batch)]
            answer = self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)
            for failed in answer.get("Failed", []):
                self.warn(f"a message was not deleted: {failed['Code']}")


Source = Queue | Deliveries
"""Where events are taken from again and again; `close` leaves everything as it was."""


def _keep(capture: Capture, found: Iterable[Found], warn: Warn, **notes: Any) -> bool:
    """Keeps them all; false when there was anything that is no event of a task."""
    understood = True
    for one in found:
        problem = one.problem
        if problem is None:
            try:
                capture.keep(one.document, **notes)
            except NoTaskEvent as why:
                problem = str(why)
        if problem is not None:
            understood = False
            warn(f"{one.origin} is no event of a task: {problem}")
    return understood


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    """In the handfuls that SQS takes."""
    every = list(items)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
