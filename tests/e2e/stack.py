"""The deployed stack under test: what tests do to it, and what they see of it. Every wait has an end, and says so."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from core.adapters.clients import reach_client
from core.adapters.dynamodb import DynamoStore
from core.errors import RevisionConflict
from core.lifecycle import State
from core.record import Record
from local.cloud.cloud import LocalCloud
from local.fargate.client import LocalFargate

HEALTH_TIMEOUT: Final = 4
"""Seconds, in the stack under test: what nobody can reach fails soon."""
PATIENCE: Final = 30.0
SERVER: Final = ("sh", "-c", "echo serving; exec sleep 3600")
POLL_SECONDS: Final = 0.05

T = TypeVar("T")


class FunctionFailed(Exception):
    """A function raised: a bug or an outage (contract, section 4)."""


class Stack:
    """One deployment. `cloud` is started and stopped by whoever made it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.table = cloud.outputs["ContainersTableName"]
        self.fargate = LocalFargate(cloud.ecs_endpoint)
        self.ecs = cloud.client("ecs")
        self.sqs = cloud.client("sqs")
        self.dynamodb = cloud.client("dynamodb")
        self.functions = cloud.client("lambda")
        self.store = DynamoStore(self.table, self.dynamodb)
        self.client = reach_client(self.table, self.dynamodb)
        self.tokens: set[str] = set()
        """Every token that was seen in an item."""
        self.answers: list[str] = []
        """What the functions answered, with the end of their log."""
        self.dead: dict[str, list[dict[str, Any]]] = {}
        """The messages taken from each dead-letter queue, by the logical id of the queue."""
        self._events = cloud.client("events")
        self._pattern = self._events.describe_rule(Name=cloud.outputs["TaskStateRuleName"])["EventPattern"]

    # ------------------------------------------------------------------ functions
    def invoke(self, function: str, payload: Any) -> Any:
        """The answer of `<function>Function`. Raises `FunctionFailed`."""
        return self.invoke_with_log(function, payload)[0]

    def invoke_with_log(self, function: str, payload: Any) -> tuple[Any, str]:
        """The answer, and what was logged meanwhile."""
        answer = self.functions.invoke(FunctionName=self.arn(function), Payload=json.dumps(payload), LogType="Tail")
        text, log = answer["Payload"].read().decode(), base64.b64decode(answer["LogResult"]).decode()
        self.answers += [text, log]
        if "FunctionError" in answer:
            raise FunctionFailed(json.loads(text)["errorMessage"])
        return json.loads(text), log

    def arn(self, function: str) -> str:
        """The ARN of `<function>Function`."""
        return self.cloud.outputs[f"{function}FunctionArn"]

    def start(self, container_id: str, **request: Any) -> dict[str, Any]:
        """What StartContainerFunction answers; a small server unless the request says otherwise."""
        document = {"container_id": container_id, "image": "python:3.13-slim", "cmd": list(SERVER), **request}
        answer: dict[str, Any] = self.invoke("StartContainer", document)
        self.record(container_id)
        return answer

    def stop(self, container_id: str) -> dict[str, Any]:
        """What StopContainerFunction answers."""
        answer: dict[str, Any] = self.invoke("StopContainer", {"container_id": container_id})
        return answer

    def reconcile(self) -> dict[str, Any]:
        """One run of ReconcileFunction now, besides that of every minute."""
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
        found = self.dynamodb.get_item(
            TableName=self.table, Key={"container_id": {"S": container_id}}, ConsistentRead=True
        ).get("Item")
        if found is None:
            return None
        item = {name: TypeDeserializer().deserialize(value) for name, value in found.items()}
        if "agent_token" in item:
            self.tokens.add(item.pop("agent_token"))
        return item

    def put(self, record: Record) -> None:
        """A record that no function made. Its container must have none."""
        self.store.save(record)
        self.record(record.container_id)

    def overwrite(self, container_id: str, **attributes: Any) -> None:
        """Sets attributes of an item, whatever they mean, as a program of another version might."""
        self.dynamodb.update_item(
            TableName=self.table,
            Key={"container_id": {"S": container_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{k}": TypeSerializer().serialize(v) for k, v in attributes.items()},
        )

    def change(self, container_id: str, **changes: Any) -> Record:
        """The record with these members changed, under the lock like every writer."""
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

    # -------------------------------------------------------------------- waiting
    def eventually(self, look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
        """The first answer of `look` that is true. Fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while not (seen := look()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds:g} s: {what}. Logs: {self.cloud.layout.logs}")
            time.sleep(POLL_SECONDS)
        return seen

    def until(self, container_id: str, true: Callable[[Record], bool], what: str) -> Record:
        """The first record for which it is true. Fails with the record after `PATIENCE` seconds."""

        def look() -> Record | None:
            nonlocal newest
            newest = self.record(container_id)
            return newest if newest is not None and true(newest) else None

        newest: Record | None = None
        found = self.eventually(look, f"{what}; the record is {newest}")
        assert found is not None
        return found

    def reaches(self, container_id: str, state: State) -> Record:
        """The record in that state. Fails at once when it has ended in another one."""
        record = self.until(container_id, lambda seen: seen.state is state or seen.state.ended, f"it is {state}")
        if record.state is not state:
            pytest.fail(f"the container is not {state} but {record.state}: {record}")
        return record

    # ---------------------------------------------------------------------- tasks
    def tasks(self, container_id: str) -> list[dict[str, Any]]:
        """A line about each task that was ever started for a container, oldest first."""
        return [task for task in self.fargate.tasks() if container_id in task["started_by"]]

    def task_stops(self, task_arn: str | None) -> dict[str, Any]:
        """The line about a task once it has stopped."""

        def stopped() -> dict[str, Any] | None:
            lines = [task for task in self.fargate.tasks() if task["arn"] == task_arn]
            return lines[0] if lines and lines[0]["last_status"] == "STOPPED" else None

        line = self.eventually(stopped, f"task {task_arn} is STOPPED")
        assert line is not None
        return line

    # --------------------------------------------------------------------- events
    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the deployed rule lets an event through, as EventBridge's own test says."""
        answer = self._events.test_event_pattern(EventPattern=self._pattern, Event=json.dumps(event))
        return bool(answer["Result"])

    def deliver(self, event: Mapping[str, Any]) -> bool:
        """As EventBridge does it: if the rule lets it through, the function is invoked asynchronously."""
        if matched := self.matches(event):
            self.functions.invoke(
                FunctionName=self.arn("TaskState"), InvocationType="Event", Payload=json.dumps(event)
            )
        return matched

    def shown(self, task_arn: str | None, last_status: str) -> dict[str, Any]:
        """The event with that status that ECS made of a task, delivered or not; environments are redacted."""

        def found() -> dict[str, Any] | None:
            events = self.fargate.events(task_arn) if task_arn else []
            return next((event for event in events if event["detail"]["lastStatus"] == last_status), None)

        event = self.eventually(found, f"task {task_arn} shows {last_status}")
        assert event is not None
        return event

    # --------------------------------------------------------------------- queues
    def dead_letters(self, queue: str = "TaskEventDeadLetterQueue") -> list[dict[str, Any]]:
        """The bodies of all messages that ever arrived in a dead-letter queue."""
        kept = self.dead.setdefault(queue, [])
        for message in self.taken(self._queue_url(queue)):
            kept.append(json.loads(message))  # noqa: PERF401 - kept as soon as it is taken from the queue
        return kept

    def taken(self, queue_url: str) -> Iterator[str]:
        """Takes messages out of a queue until it shows none."""
        while found := self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    @contextmanager
    def prober_off(self) -> Iterator[None]:
        """Meanwhile probes stay in their queue. What nobody took is dropped at the end."""
        [mapping] = self.functions.list_event_source_mappings()["EventSourceMappings"]
        self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            for _ in self.taken(self.cloud.outputs["ProbeQueueUrl"]):
                pass
            self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def _queue_url(self, logical_id: str) -> str:
        resource = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=_stack_name(self.table), LogicalResourceId=logical_id
        )
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])

    # ----------------------------------------------------------------------- logs
    def log_messages(self, group: str | None = None) -> Iterator[tuple[str, str]]:
        """Every message of every log group, with the group's name; of one group when given."""
        logs = self.cloud.client("logs")
        for page in logs.get_paginator("describe_log_groups").paginate():
            for one in page["logGroups"]:
                if group is None or one["logGroupName"].endswith(group):
                    for events in logs.get_paginator("filter_log_events").paginate(logGroupName=one["logGroupName"]):
                        yield from ((one["logGroupName"], event["message"]) for event in events["events"])


def _stack_name(table: str) -> str:
    return table.rpartition("-ContainersTable-")[0]
