"""Every function, invoked by hand with its files of `events/`: they fit together and tell the life of a container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.model.agent import Injection
from core.model.state import State
from tests.e2e import documents
from tests.e2e.stack import Stack
from tests.factories import CONTAINER_ID, event


@pytest.fixture
def started(stack: Stack) -> Iterator[dict[str, Any]]:
    """What StartContainerFunction answers to its file. Nothing but the files tells the stack of its task."""
    stack.fargate.fault(CONTAINER_ID, "events", drop=1.0)
    with stack.queues.prober_off():
        # The file's own command would listen on every interface of this machine.
        answer = stack.invoke("StartContainer", {**event("start-container"), "cmd": ["sleep", "600"]})
        stack.record(CONTAINER_ID)
        yield answer


def here(stack: Stack, name: str, task: str) -> dict[str, Any]:
    """A file about the task that really runs, at its real address."""
    [line] = stack.tasks(CONTAINER_ID)
    return documents.of(name, CONTAINER_ID, task, line["address"])


def test_the_life_of_the_event_files(stack: Stack, started: dict[str, Any]) -> None:
    """Each answer has the shape of contract.md 4, and each file goes on where the one before it stopped."""
    task = started["task_arn"]
    assert started | {"task_definition_arn": ""} == {
        "container_id": CONTAINER_ID,
        "generation": 1,
        "state": "pending",
        "task_arn": task,
        "task_definition_arn": "",
    }
    stack.shown(task, "RUNNING")
    running = stack.invoke("TaskState", here(stack, "task-running", task))
    assert running | {"revision": 0} == answer("eni-resolved", revision=0)
    assert stack.invoke("AgentHealth", here(stack, "agent-health", task)) == {"batchItemFailures": []}
    stack.reaches(CONTAINER_ID, State.AGENT_HEALTHY)

    repeated = stack.invoke("TaskState", here(stack, "task-running", task))
    assert repeated["state"] == "agent-healthy"
    assert "not newer" in repeated["ignored"]
    assert stack.invoke("StartContainer", event("start-container"))["error"]["code"] == "AlreadyRunning"
    assert stack.invoke("StopContainer", event("stop-container")) == answer("agent-healthy")
    stopped = stack.invoke("TaskState", here(stack, "task-stopped-by-user", task))
    assert stopped["state"] == "stopped"
    assert stack.invoke("StopContainer", event("stop-container")) == answer("stopped")


def test_the_reconciler_answers_its_file(stack: Stack) -> None:
    """How many records were due and how many it moved, and what went wrong by kind."""
    report = stack.invoke("Reconcile", event("reconcile"))
    assert report.keys() >= {"due", "healed", "errors"}
    assert report["errors"] == {}


def test_the_other_files_are_answered(stack: Stack) -> None:
    """The keep-alive container and that of S3 Files start; the unknown one is not found, the impossible one refused."""
    keep_alive = event("start-container-keep-alive")
    assert stack.invoke("StartContainer", keep_alive)["state"] == "pending"
    record = stack.reaches(keep_alive["container_id"], State.AGENT_HEALTHY)
    assert record.keep_alive
    s3_files = event("start-container-s3-files")
    assert stack.invoke("StartContainer", s3_files)["state"] == "pending"
    assert stack.reaches(s3_files["container_id"], State.AGENT_HEALTHY).injection is Injection.S3_FILES
    for function, name, code in (
        ("StopContainer", "stop-container-unknown", "NotFound"),
        ("StartContainer", "start-container-refused", "InvalidRequest"),
    ):
        error = stack.invoke(function, event(name))["error"]
        assert error["code"] == code
        assert error.keys() >= {"code", "message", "remedy", "transient"}


def test_the_file_in_dockers_words_is_carried_out(stack: Stack) -> None:
    """What the Docker CLI sends for `docker create ... alpine env` runs, and ends with the command's code."""
    request = event("start-container-docker")
    assert stack.invoke("StartContainer", request)["state"] == "pending"
    record = stack.reaches(request["container_id"], State.STOPPED)
    assert (record.image, record.cmd, record.stop and record.stop.exit_code) == ("alpine", ("env",), 0)


def answer(state: str, **more: Any) -> dict[str, Any]:
    """A function's answer about the container of the files."""
    return {"container_id": CONTAINER_ID, "generation": 1, "state": state, **more}
