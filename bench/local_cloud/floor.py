"""The floor: the bare AWS calls that no event-driven design can avoid, made directly against the same local AWS.

Nothing of the product is in it: a function that does nothing but say when it ran, a table write, a table read, one
GET /health of an agent that listens. What lies above the floor is what the product adds.
"""

from __future__ import annotations

import io
import json
import select
import socket
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from bench.local_cloud.systems import client
from bench.polling_backend import answers
from bench.rows import CannotMeasure

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.cloud.cloud import LocalCloud

NAME: Final = "bench-floor"
DELIVERY_SECONDS: Final = 20.0
_WARMING: Final = 5

# It tells the benchmark over loopback: a return value would reach nobody, because both invocations are asynchronous.
_FUNCTION: Final = """
import json, socket, time
def handler(event, context):
    at = time.time()
    said = json.loads(event["Records"][0]["body"]) if "Records" in event else event
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
        json.dumps({"number": said["number"], "at": at}).encode(), ("127.0.0.1", said["port"]))
"""

PIECES: Final = {
    "invoke": "Lambda, asynchronously, until the function runs (EventBridge's delivery)",
    "put": "DynamoDB PutItem",
    "send": "SQS SendMessage, until the function runs (the probe's delivery)",
    "health": "TCP connect and GET /health of an agent that listens",
    "get": "DynamoDB GetItem, strongly consistent",
}
EVENT_PATH: Final = ("invoke", "put", "send", "health", "put", "get")
"""From ECS's RUNNING to a backend that knows."""
AFTER_LISTENING: Final = ("health", "put", "get")
"""What is left of it when everything before was over by the time the agent listened."""


@dataclass
class Floor:
    """Measures each piece, a few times in each turn. A context: what it made in the local AWS goes with it."""

    cloud: LocalCloud
    samples: dict[str, list[float]] = field(default_factory=lambda: {piece: [] for piece in PIECES})
    _number: int = 0
    _undo: list[Callable[[], object]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ears.bind(("127.0.0.1", 0))
        self._lambda = client(self.cloud, "lambda")
        self._sqs = client(self.cloud, "sqs")
        self._dynamodb = client(self.cloud, "dynamodb")
        self._make()
        return self

    def __exit__(self, *_: object) -> None:
        for undo in reversed(self._undo):
            undo()
        self._ears.close()

    def warm_up(self) -> None:
        """Both ways to the function, several times, uncounted."""
        for _ in range(_WARMING):
            self._invoke()
            self._send()

    def measure(self, times: int, agent: str) -> None:
        """Each piece so many times, in turn. `agent`: the address of one that listens."""
        pieces = {
            "invoke": self._invoke,
            "put": self._put,
            "send": self._send,
            "health": lambda: _timed(lambda: answers(agent)),
            "get": self._get,
        }
        for _ in range(times):
            for name, piece in pieces.items():
                self.samples[name].append(piece())

    def _make(self) -> None:
        prober = self._lambda.get_function_configuration(FunctionName=self.cloud.outputs["AgentHealthFunctionArn"])
        self._lambda.create_function(
            FunctionName=NAME,
            Runtime=prober["Runtime"],
            Role=prober["Role"],
            Handler="floor.handler",
            Code={"ZipFile": _zipped("floor.py", _FUNCTION)},
            MemorySize=prober["MemorySize"],
        )
        self._undo.append(lambda: self._lambda.delete_function(FunctionName=NAME))
        self._queue = self._sqs.create_queue(QueueName=NAME)["QueueUrl"]
        self._undo.append(lambda: self._sqs.delete_queue(QueueUrl=self._queue))
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        source = self._lambda.create_event_source_mapping(
            FunctionName=NAME, EventSourceArn=attributes["QueueArn"], BatchSize=10
        )
        self._undo.append(lambda: self._lambda.delete_event_source_mapping(UUID=source["UUID"]))
        self._dynamodb.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "container_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "container_id", "KeyType": "HASH"}],
        )
        self._undo.append(lambda: self._dynamodb.delete_table(TableName=NAME))

    def _invoke(self) -> float:
        begun, said = time.time(), self._next()
        self._lambda.invoke(FunctionName=NAME, InvocationType="Event", Payload=said)
        return self._heard() - begun

    def _send(self) -> float:
        begun, said = time.time(), self._next()
        self._sqs.send_message(QueueUrl=self._queue, MessageBody=said)
        return self._heard() - begun

    def _put(self) -> float:
        # As large as the item of a healthy container.
        item = {"container_id": {"S": "0" * 64}, "revision": {"N": str(self._number)}, "rest": {"S": "x" * 1500}}
        return _timed(lambda: self._dynamodb.put_item(TableName=NAME, Item=item))

    def _get(self) -> float:
        key = {"container_id": {"S": "0" * 64}}
        return _timed(lambda: self._dynamodb.get_item(TableName=NAME, Key=key, ConsistentRead=True))

    def _next(self) -> str:
        self._number += 1
        return json.dumps({"number": self._number, "port": self._ears.getsockname()[1]})

    def _heard(self) -> float:
        """When the function ran for the newest number."""
        deadline = time.monotonic() + DELIVERY_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._ears], [], [], left)[0]:
                said: dict[str, Any] = json.loads(self._ears.recv(4096))
                if said["number"] == self._number:
                    return float(said["at"])
        raise CannotMeasure(f"The function {NAME} did not run within {DELIVERY_SECONDS:g} s.")


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    if call() is False:
        raise CannotMeasure("The agent that the floor is measured on does not answer.")
    return time.perf_counter() - begun


def _zipped(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, text)
    return file.getvalue()
