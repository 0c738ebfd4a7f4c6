"""What every probe queue promises (`core.ports.ProbeQueue`), on the fake and on the engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from core.adapters.sqs import SqsProbeQueue
from core.model.errors import CallFailed
from core.model.identity import Ref
from handlers.agent_health import target_of
from tests.fakes import RecordingQueue

if TYPE_CHECKING:
    from core.ports import ProbeQueue
    from tests.contract.conftest import Clients

PROBES = [("a" * 64, 1, "10.0.1.47:9111"), ("b" * 64, 12, "[fd00::1]:9111")]


class Queue(Protocol):
    """A queue under test."""

    @property
    def queue(self) -> ProbeQueue:
        """The queue under test."""

    def sent(self) -> list[tuple[str, int, str]]:
        """What a prober would be asked to probe."""


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self.queue = RecordingQueue()

    def sent(self) -> list[tuple[str, int, str]]:
        return self.queue.sent


class OnEngine:
    """A new queue on the engine."""

    def __init__(self, clients: Clients) -> None:
        self.sqs = clients("sqs")
        self.url = self.sqs.create_queue(QueueName="probes")["QueueUrl"]
        self.queue = SqsProbeQueue(self.url, self.sqs)

    def sent(self) -> list[tuple[str, int, str]]:
        """Received and understood by the prober's own reader."""
        targets = []
        while messages := self.sqs.receive_message(QueueUrl=self.url).get("Messages"):
            for message in messages:
                target = target_of(message["Body"])
                targets.append((target.ref.container_id, target.ref.generation, target.address))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return targets


@pytest.fixture
def queue(clients: Clients | None) -> Queue:
    """A queue with nothing in it."""
    return InMemory() if clients is None else OnEngine(clients)


def test_each_probe_is_one_message(queue: Queue) -> None:
    """The prober reads from it what it was asked for, and nothing else comes."""
    assert queue.sent() == []
    for probe in PROBES:
        queue.queue.send(Ref(*probe[:2]), probe[2])
    assert sorted(queue.sent()) == PROBES


def test_a_probe_can_be_for_later(queue: Queue) -> None:
    """The queue holds the message back: nothing comes yet."""
    queue.queue.send(Ref(*PROBES[0][:2]), PROBES[0][2], 900)
    assert queue.sent() == [] if isinstance(queue, OnEngine) else [PROBES[0]]


@pytest.mark.parametrize("clients", ["moto", "ministack"], indirect=True)
def test_a_queue_that_is_gone_is_a_failed_call(clients: Clients) -> None:
    """The stack was deleted under the function: an error with AWS's code, and no message that nobody reads."""
    engine = OnEngine(clients)
    engine.sqs.delete_queue(QueueUrl=engine.url)
    with pytest.raises(CallFailed, match=r"SendMessage failed with .*NonExistentQueue") as caught:
        engine.queue.send(Ref(*PROBES[0][:2]), PROBES[0][2])
    assert not caught.value.transient
