"""The deployed stack under test: what tests do to it, and what they see of it. Every wait has an end, and says so."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from core.adapters.clients import reach_client
from core.adapters.dynamodb import DynamoStore
from core.model.record import Record
from core.model.state import State
from core.ports import RevisionConflict
from local.cloud.cloud import LocalCloud
from local.fargate.client import LocalFargate
from tests.e2e.queues import Queues

HEALTH_TIMEOUT: Final = 8
"""Seconds, in the stack under test: what nobody can reach fails soon."""
"""Where the containers of the stack under test print to."""
PATIENCE: Final = 120.0
"""Seconds after which a test has failed; nothing takes that long."""
IMAGE: Final = "python:3.13-slim"
POLL_SECONDS: Final = 0.05
SERVER: Final = ("sh", "-c", "echo serving; exec sleep 3600")

T = TypeVar("T")


class FunctionFailed(Exception):
    """A function raised: a bug or an outage (contract.md 4)."""


class Stack:
    """One deployment. `cloud` is started and stopped by whoever made it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.fargate = LocalFargate(cloud.ecs_endpoint)
        self.ecs = cloud.client("ecs")
        self.functions = cloud.client("lambda")
        self.queues = Queues(cloud)
        self._table = cloud.outputs["ContainersTableName"]
        self._dynamodb = cloud.client("dynamodb")
        self.store = DynamoStore(self._table, self._dynamodb)
        self.client = reach_client(self._table, self._dynamodb)
        self.tokens: set[str] = set()
        """Every token that was seen in an item."""
        self.answers: list[str] = []
        """What the functions answered, and the logs that came with it."""
        self._events = cloud.client("events")
        self._pattern = self._events.describe_rule(Name=cloud.outputs["TaskStateRuleName"])["EventPattern"]

    # ------------------------------------------------------------------ functions
    def invoke(self, function: str, payload: Any) -> Any:
        """The answer of `<function>Function`. Raises `FunctionFailed`."""
        answer = self.functions.invoke(FunctionName=self.arn(function), Payload=json.dumps(payload), LogType="Tail")
        text = answer["Payload"].read().decode()
        self.answers += [text, base64.b64decode(answer.get("LogResult", "")).decode()]
        if "FunctionError" in answer:
            raise FunctionFailed(json.loads(text)["errorMessage"])
        return json.loads(text)

    def logged(self, function: str, payload: Any, message: str) -> dict[str, Any]:
        """The log line with this message, of an invocation that changes nothing however often it is made.

        Repeated, because the local AWS reads what a function logs for a moment only: a line that was late comes with
        the next invocation.
        """

        def look() -> list[dict[str, Any]]:
            self.invoke(function, payload)
            log = [line for line in self.answers[-1].splitlines() if line.startswith("{")]
            return [line for line in map(json.loads, log) if line.get("message") == message]

        return self.eventually(look, lambda: f"{function} logs {message!r}")[0]

    def arn(self, function: str) -> str:
        """The ARN of `<function>Function`."""
        return self.cloud.outputs[f"{function}FunctionArn"]

    def start(self, container_id: str, **request: Any) -> dict[str, Any]:
        """What StartContainerFunction answers; a small server unless the request says otherwise."""
        document = {"container_id": container_id, "image": IMAGE, "cmd": list(SERVER), **request}
        answer: dict[str, Any] = self.invoke("StartContainer", document)
        self.record(container_id)
        return answer

    def stop(self, container_id: str) -> dict[str, Any]:
        """What StopContainerFunction answers."""
        answer: dict[str, Any] = self.invoke("StopContainer", {"container_id": container_id})
        return answer

    def reconcile(self) -> dict[str, Any]:
        """What ReconcileFunction answers when asked now, besides its run of every minute."""
        answer: dict[str, Any] = self.invoke("Reconcile", {})
        return answer

    # ---------------------------------------------------------------------- items
    def record(self, container_id: str) -> Record | None:
        """The newest record."""
        record = self.store.load(container_id)
        if record is not None and record.agent_token is not None:
            self.tokens.add(record.agent_token)
        return record

    def item(self, container_id: str) -> dict[str, Any] | None:
        """The item as it lies in the table, read by other code than the product's; without its token."""
        key = {"container_id": {"S": container_id}}
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if found is None:
            return None
        item = {name: TypeDeserializer().deserialize(value) for name, value in found.items()}
        if "agent_token" in item:
            self.tokens.add(item.pop("agent_token"))
        return item

    def put(self, record: Record) -> None:
        """A record that no function made, of a container that has none yet."""
        self.store.save(record)
        self.record(record.container_id)

    def change(self, container_id: str, **changes: Any) -> Record:
        """The record with these members changed; under the lock, like every writer."""
        while True:
            record = self.record(container_id)
            if record is None:
                raise LookupError(container_id)
            changed = replace(record, revision=record.revision + 1, **changes)
            try:
                self.store.save(changed)
            except RevisionConflict:
                continue
            return changed

    def overwrite(self, container_id: str, **attributes: Any) -> None:
        """Sets attributes of an item, whatever they mean, as a program of another version might."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"container_id": {"S": container_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={
                f":{name}": TypeSerializer().serialize(value) for name, value in attributes.items()
            },
        )

    def remove(self, container_id: str) -> None:
        """No item any more."""
        self._dynamodb.delete_item(TableName=self._table, Key={"container_id": {"S": container_id}})

    # -------------------------------------------------------------------- waiting
    def eventually(self, look: Callable[[], T], what: Callable[[], str]) -> T:
        """The first answer of `look` that is true. Fails after `PATIENCE` seconds, telling what was waited for."""
        deadline = time.monotonic() + PATIENCE
        while not (seen := look()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {PATIENCE:g} s: {what()}. Logs: {self.cloud.layout.logs}")
            time.sleep(POLL_SECONDS)
        return seen

    def until(self, container_id: str, true: Callable[[Record], bool], what: str) -> Record:
        """The first record of which that is true."""
        newest: list[Record | None] = []

        def look() -> list[Record]:
            newest[:] = [self.record(container_id)]
            return [record for record in newest if record is not None and true(record)]

        return self.eventually(look, lambda: f"{what}; it is {newest}")[0]

    def reaches(self, container_id: str, state: State) -> Record:
        """The record in that state. Fails at once when it ends in another one."""
        record = self.until(
            container_id, lambda seen: seen.state is state or seen.state.ended, f"the record is {state}"
        )
        if record.state is not state:
            pytest.fail(f"the container is {record.state} instead of {state}: {record}")
        return record

    # ---------------------------------------------------------------------- tasks
    def tasks(self, container_id: str) -> list[dict[str, Any]]:
        """A line about each task that was ever started for a container, oldest first."""
        return [task for task in self.fargate.tasks() if f"/{container_id}/" in (task["started_by"] or "")]

    def task_becomes(self, task_arn: str | None, last_status: str) -> dict[str, Any]:
        """The line about a task when it has that status."""

        def look() -> list[dict[str, Any]]:
            return [one for one in self.fargate.tasks() if (one["arn"], one["last_status"]) == (task_arn, last_status)]

        return self.eventually(look, lambda: f"task {task_arn} is {last_status}")[0]

    # --------------------------------------------------------------------- events
    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the deployed rule lets an event through, by EventBridge's own test."""
        answer = self._events.test_event_pattern(EventPattern=self._pattern, Event=json.dumps(event))
        return bool(answer["Result"])

    def deliver(self, event: Mapping[str, Any]) -> bool:
        """As EventBridge does it: if the rule lets it through, the function is invoked asynchronously."""
        if matched := self.matches(event):
            self.invoke_later("TaskState", event)
        return matched

    def invoke_later(self, function: str, payload: Any) -> None:
        """Asynchronously: Lambda retries what fails, and keeps it in the dead-letter queue in the end."""
        self.functions.invoke(FunctionName=self.arn(function), InvocationType="Event", Payload=json.dumps(payload))

    def dead_events_of(self, container_id: str) -> list[dict[str, Any]]:
        """What Lambda kept in the dead-letter queue of the events about a container: payload and error."""
        return [one for one in self.queues.dead_letters() if container_id in json.dumps(one)]

    def shown(self, task_arn: str | None, last_status: str) -> dict[str, Any]:
        """The event that ECS made of a task's status, delivered or not; values of its environment are redacted."""

        def look() -> list[dict[str, Any]]:
            events = self.fargate.events(task_arn) if task_arn else []
            return [event for event in events if event["detail"]["lastStatus"] == last_status]

        return self.eventually(look, lambda: f"task {task_arn} shows {last_status}")[0]
