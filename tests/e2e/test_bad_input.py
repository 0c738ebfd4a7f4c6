"""What nobody should send: it is refused, ignored or kept for a look, and no item changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from core.model.state import State
from tests.e2e import documents
from tests.e2e.stack import FunctionFailed, Stack
from tests.factories import event

HEALTHY = hashlib.sha256(b"the healthy container of bad input").hexdigest()


@pytest.fixture(scope="module")
def healthy(stack: Stack) -> dict[str, Any]:
    """The item of a healthy container. Nothing in this file may change it."""
    stack.start(HEALTHY)
    stack.reaches(HEALTHY, State.AGENT_HEALTHY)
    item = stack.item(HEALTHY)
    assert item is not None
    return item


def test_a_malformed_event_is_kept(stack: Stack, healthy: dict[str, Any]) -> None:
    """The function fails, Lambda tries twice more and keeps the event in the dead-letter queue; the item stays."""
    malformed = documents.of("malformed-without-version", HEALTHY, healthy["task_arn"])
    stack.invoke_later("TaskState", malformed)
    [kept] = stack.eventually(lambda: stack.dead_events_of(HEALTHY), lambda: "the event is kept")
    assert kept["requestPayload"] == malformed
    assert "version: Field required" in kept["responsePayload"]["errorMessage"]
    assert stack.item(HEALTHY) == healthy


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (event("malformed-empty-detail"), "no task in the document"),
        ([], "JSON object"),
        ({"detail-type": "ECS Service Action", "detail": {"clusterArn": "x"}}, "detail-type"),
    ],
    ids=["empty detail", "no object", "another detail-type"],
)
def test_what_is_no_event_of_a_task_fails(stack: Stack, document: Any, reason: str) -> None:
    """The reason is the error, so the dead-letter queue tells it."""
    with pytest.raises(FunctionFailed, match=reason):
        stack.invoke("TaskState", document)


@pytest.mark.parametrize("name", ["other-prefix", "service-task", "without-started-by"])
def test_tasks_of_others_are_ignored(stack: Stack, healthy: dict[str, Any], name: str) -> None:
    """An event that got here although the rule does not let it through is answered with the reason, and logged."""
    strange = documents.of(f"ignored-{name}", HEALTHY, healthy["task_arn"])
    answer = stack.invoke("TaskState", strange)
    assert answer.keys() == {"ignored"}
    assert "startedBy" in answer["ignored"]
    assert stack.logged("TaskState", strange, "task is not ours")["task_arn"] == healthy["task_arn"]
    assert stack.item(HEALTHY) == healthy


def test_another_task_of_the_same_container_is_ignored(stack: Stack, healthy: dict[str, Any]) -> None:
    """Whatever claims to be the container's task: only the recorded one is."""
    answer = stack.invoke("TaskState", documents.of("task-stopped", HEALTHY))
    assert "another task" in answer["ignored"]
    assert stack.item(HEALTHY) == healthy


def test_an_unknown_container_is_logged(stack: Stack, container_id: str) -> None:
    """An event of a container that is not recorded writes nothing and says so."""
    running = documents.of("task-running", container_id)
    assert stack.invoke("TaskState", running) == {"ignored": "no such container is recorded"}
    assert stack.logged("TaskState", running, "unknown container")["level"] == "WARNING"
    assert stack.item(container_id) is None


def test_an_unknown_state_is_left_alone(stack: Stack, container_id: str) -> None:
    """Nobody writes over an item that cannot be read: requests fail, events are kept, the reconciler goes on."""
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    for status in ("STOPPING", "DEPROVISIONING"):  # one event is enough to fail on
        stack.fargate.fault(container_id, "events", drop=1.0, last_status=status)
    stack.overwrite(container_id, state="dancing", check_at="2026-01-01T00:00:00.000Z")
    strange = stack.item(container_id)

    for function, request in (("StartContainer", {"image": "x", "cmd": ["true"]}), ("StopContainer", {})):
        with pytest.raises(FunctionFailed, match="dancing"):
            stack.invoke(function, {"container_id": container_id, **request})
    assert stack.reconcile()["errors"] == {"UnreadableRecord": 1}
    stack.ecs.stop_task(task=record.task_arn)
    kept = stack.eventually(lambda: stack.dead_events_of(container_id), lambda: "its STOPPED event is kept")
    assert "dancing" in kept[0]["responsePayload"]["errorMessage"]
    assert stack.item(container_id) == strange
    stack.remove(container_id)


def test_a_refused_request_writes_and_starts_nothing(stack: Stack) -> None:
    """Everything that is wrong with it is named, without values; there is no item and no call to ECS."""
    request = event("start-container-refused")
    calls = stack.fargate.calls()
    error = stack.invoke("StartContainer", request)["error"]
    assert error["code"] == "InvalidRequest"
    for member in ("container_id", "SOCKERLESS_AGENT_TOKEN", "colour"):
        assert member in error["message"]
    assert "not yours to set" not in json.dumps(error)
    assert stack.item(request["container_id"]) is None
    assert stack.fargate.calls() == calls


def test_a_malformed_probe_goes_back_to_the_queue(stack: Stack, container_id: str) -> None:
    """A message that names nothing to probe is reported as failed, and in the end is a dead letter; others are not."""
    batch = documents.of("agent-health-malformed", container_id)
    wrong = [one["messageId"] for one in batch["Records"] if not one["body"].startswith("{")]
    answer = stack.invoke("AgentHealth", batch)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == wrong
    assert [stack.logged("AgentHealth", batch, "probe not understood")["message_id"]] == wrong
    assert stack.item(container_id) is None
