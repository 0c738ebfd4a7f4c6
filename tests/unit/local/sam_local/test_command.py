"""`sam-local`: what it refuses, and of which task it tells a function."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local import event_files
from local.__main__ import _parser
from local.cloud.layout import Layout
from local.cloud.processes import CloudError
from local.sam_local.command import _of_the_invocation, _retold, run

CONTAINER = event_files.container_id()
ARN = "arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef"
ADDRESS = "172.18.0.9"


def parsed(*arguments: str) -> argparse.Namespace:
    return _parser().parse_args(["sam-local", *arguments])


@pytest.mark.parametrize("arguments", [(), ("StopContainer", "--event", "events/stop-container.json")])
def test_missing_engine_is_told(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started, with what to do."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    layout = Layout(tmp_path / "cloud")
    layout.directory.mkdir()
    layout.env.write_text("export AWS_ENDPOINT_URL=http://127.0.0.1:1\n")
    with pytest.raises(CloudError, match=r"/no-engine does not answer \(No such file.*\)\. What to do: start it"):
        run(parsed(*arguments), layout)
    assert not layout.of_sam_local.directory.exists()


def test_what_is_no_event_is_told(tmp_path: Path) -> None:
    """By the name of its file."""
    file = tmp_path / "event.json"
    file.write_text("{")
    with pytest.raises(CloudError, match=rf"{file} cannot be read as JSON: .*What to do: "):
        run(parsed("TaskState", "--event", str(file)), Layout(tmp_path))


def test_log_ends_with_the_invocation() -> None:
    """What the runtime says when SAM takes its container away is no error of the function."""
    log = "START\nline\nREPORT RequestId: 1 Duration: 2 ms"
    after = "\n\n[ERROR] LAMBDA_RUNTIME Failed to get next invocation. No Response from endpoint\n"
    assert _of_the_invocation(log + after) == _of_the_invocation(log) == log
    assert _of_the_invocation("no report\nat all") == "no report\nat all"


class Tasks(BaseHTTPRequestHandler):
    """What a local Fargate says of its tasks: one that has ended, then the running one if there is one."""

    running = True

    def do_GET(self) -> None:
        first = {"arn": "arn:1", "address": "172.18.0.2", "started_by": f"s/{CONTAINER}/1", "last_status": "STOPPED"}
        second = {"arn": ARN, "address": ADDRESS, "started_by": f"s/{CONTAINER}/2", "last_status": "RUNNING"}
        other = {**second, "arn": "arn:3", "started_by": None}
        body = json.dumps({"tasks": [first, *([second] if self.running else []), other]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Says nothing."""


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """Of a cloud with these tasks."""
    with HTTPServer(("127.0.0.1", 0), Tasks) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield {"AWS_ENDPOINT_URL_ECS": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


def told(file: Path, environ: dict[str, str]) -> Any:
    return _retold(parsed("TaskState", "--event", str(file)), json.loads(file.read_text()), environ)


@pytest.mark.parametrize("name", ["task-running", "agent-health", "task-stopped"])
def test_file_is_about_the_task_that_runs(
    name: str, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the container of the files; and that is said where it does not disturb the answer."""
    event = told(event_files.EVENTS / f"{name}.json", environ)
    assert event == event_files.retold(name, container=CONTAINER, task_arn=ARN, address=ADDRESS)
    assert event != event_files.read(name)
    said = capsys.readouterr()
    assert (said.out, f"{name}.json is told of the task that runs, {ARN} at {ADDRESS}" in said.err) == ("", True)


def test_everything_else_stays_as_it_is(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that speaks of no task, a file of one's own, and any file when no task runs."""
    assert told(event_files.EVENTS / "start-container.json", environ) == event_files.read("start-container")
    own = tmp_path / "task-running.json"
    own.write_text(json.dumps(event_files.read("task-running")))
    assert told(own, environ) == event_files.read("task-running")
    monkeypatch.setattr(Tasks, "running", False)
    assert told(event_files.EVENTS / "task-running.json", environ) == event_files.read("task-running")
    assert capsys.readouterr().err == ""
