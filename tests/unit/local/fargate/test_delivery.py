from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.fargate.harness import LocalServer, container, definition, request, until

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:task-state"
RUNNING_ONLY = json.dumps({"source": ["aws.ecs"], "detail": {"lastStatus": ["RUNNING"]}})
EVERYTHING = json.dumps({"source": ["aws.ecs"]})
SHORT = definition(container("true"))
WHOLE_LIFE = ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]


class FakeAws:
    """EventBridge and Lambda with one rule and one function. First, `failing` calls answer 500."""

    def __init__(self, pattern: str | None, *, failing: int = 0) -> None:
        self.pattern = pattern
        self.failing = failing
        self.invoked: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def answer(self, path: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The answer to one request."""
        with self.lock:
            if self.failing:
                self.failing -= 1
                return 500, {"__type": "InternalException", "message": "not now"}
            if "/functions/" in path:
                self.invoked.append(json.loads(body))
                return 202, {}
            return 200, self.events(target.rpartition(".")[2], json.loads(body))

    def events(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """EventBridge."""
        if operation == "ListRules":
            rule = {"Name": "task-state", "State": "ENABLED", "EventPattern": self.pattern}
            return {"Rules": [rule] if self.pattern else []}
        if operation == "ListTargetsByRule":
            return {"Targets": [{"Id": "1", "Arn": FUNCTION}]}
        assert operation == "TestEventPattern"
        wanted = json.loads(body["EventPattern"]).get("detail", {}).get("lastStatus")
        return {"Result": wanted is None or json.loads(body["Event"])["detail"]["lastStatus"] in wanted}

    def statuses(self, arn: str) -> list[str]:
        """The statuses of one task with which the function was invoked."""
        return [event["detail"]["lastStatus"] for event in list(self.invoked) if event["resources"] == [arn]]


@contextmanager
def serving(aws: FakeAws) -> Iterator[str]:
    """The fake on a free port: its endpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = aws.answer(self.path, self.headers.get("X-Amz-Target", ""), body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def fargate(tmp_path: Path, aws: FakeAws) -> Iterator[LocalServer]:
    """A local Fargate that delivers to the fake."""
    with serving(aws) as endpoint, LocalServer(tmp_path, aws_endpoint=endpoint) as server:
        yield server


def test_whole_life_arrives_in_order(tmp_path: Path) -> None:
    """Every change of a task invokes the function of a matching rule once, in the order of versions."""
    aws = FakeAws(EVERYTHING)
    with fargate(tmp_path, aws) as server:
        server.ecs.register_task_definition(**SHORT)
        tasks = server.ecs.run_task(**request("tests", count=5))["tasks"]
        for task in tasks:
            seen = until(lambda arn=task["taskArn"]: aws.statuses(arn), lambda found: len(found) == 5)  # type: ignore[misc]
            assert seen == WHOLE_LIFE
        deliveries = server.local.deliveries(tasks[0]["taskArn"])
        until(lambda: server.local.deliveries(tasks[0]["taskArn"])[-1]["outcome"], lambda out: out == "delivered")
        assert deliveries[0]["targets"] == [FUNCTION]


def test_function_gets_the_event_unredacted(tmp_path: Path) -> None:
    """The function gets the event that AWS would send, override values included."""
    aws = FakeAws(EVERYTHING)
    override = {"name": "main", "environment": [{"name": "A", "value": "secret"}]}
    with fargate(tmp_path, aws) as server:
        server.run(SHORT, overrides={"containerOverrides": [override]})
        event = until(lambda: aws.invoked)[0]
    assert event["detail"]["overrides"]["containerOverrides"][0]["environment"] == override["environment"]


def test_rule_pattern_decides(tmp_path: Path) -> None:
    """Only events that TestEventPattern matches are delivered."""
    aws = FakeAws(RUNNING_ONLY)
    with fargate(tmp_path, aws) as server:
        task = server.run(SHORT)
        until(lambda: server.local.deliveries(task["taskArn"]), lambda all_: len(all_) == 5 and _settled(all_))
    assert aws.statuses(task["taskArn"]) == ["RUNNING"]


def test_outage_is_retried(tmp_path: Path) -> None:
    """Calls that fail with 500 are repeated: nothing is lost, nothing comes twice."""
    aws = FakeAws(EVERYTHING, failing=3)
    with fargate(tmp_path, aws) as server:
        task = server.run(SHORT)
        until(lambda: aws.statuses(task["taskArn"]), lambda found: len(found) == 5)
    assert aws.statuses(task["taskArn"]) == WHOLE_LIFE


def test_without_rules_events_are_recorded(tmp_path: Path) -> None:
    """A bus without rules takes every event and invokes nothing."""
    aws = FakeAws(None)
    with fargate(tmp_path, aws) as server:
        task = server.run(SHORT)
        deliveries = until(
            lambda: server.local.deliveries(task["taskArn"]), lambda all_: len(all_) == 5 and _settled(all_)
        )
    assert [delivery["targets"] for delivery in deliveries] == [[]] * 5
    assert aws.invoked == []


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"drop": 1, "last_status": "RUNNING"}, ["PROVISIONING", "PENDING", "DEPROVISIONING", "STOPPED"]),
        ({"duplicate": 1, "last_status": "PENDING"}, ["PROVISIONING", "PENDING", *WHOLE_LIFE[1:]]),
        ({"reorder": 1, "last_status": "PROVISIONING"}, [*WHOLE_LIFE[1:], "PROVISIONING"]),
        ({"delay_seconds": 0.3, "last_status": "PENDING"}, WHOLE_LIFE),
    ],
)
def test_faults_of_delivery(tmp_path: Path, parameters: dict[str, Any], expected: list[str]) -> None:
    """Events can be lost, doubled, overtaken or delayed; delay alone keeps the order."""
    aws = FakeAws(EVERYTHING)
    with fargate(tmp_path, aws) as server:
        server.local.fault("", "events", **parameters)
        task = server.run(SHORT)
        until(lambda: server.local.deliveries(task["taskArn"]), lambda all_: len(all_) == 5 and _settled(all_))
    assert aws.statuses(task["taskArn"]) == expected


def test_scattered_copies_overtake_each_other(tmp_path: Path) -> None:
    """Each copy of each event is held back for another time: the order is arbitrary, and nothing is lost."""
    aws = FakeAws(EVERYTHING)
    with fargate(tmp_path, aws) as server:
        server.local.fault("", "events", duplicate=1, scatter_seconds=3, seed=1)
        task = server.run(SHORT)
        deliveries = until(
            lambda: server.local.deliveries(task["taskArn"]), lambda all_: len(all_) == 5 and _settled(all_)
        )
    assert sorted(aws.statuses(task["taskArn"])) == sorted(WHOLE_LIFE * 2)
    arrivals = [number for delivery in deliveries for number in delivery["arrivals"]]
    assert sorted(arrivals) == list(range(1, 11))
    assert arrivals != sorted(arrivals)


def _settled(deliveries: list[dict[str, Any]]) -> bool:
    return all(delivery["outcome"] != "pending" for delivery in deliveries)
