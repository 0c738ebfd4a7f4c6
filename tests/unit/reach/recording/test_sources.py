from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from reach.app import main
from reach.commands.record import run
from reach.options import Format
from reach.recording.capture import Capture
from reach.recording.sources import Deliveries, Queue
from tests.factories import event
from tests.unit.local.fargate.harness import LocalServer, container, definition, environment
from tests.unit.local.ports import free_port

NAMES = ("task-running", "task-deprovisioning", "task-stopped")


class FakeSqs:
    """A queue of SQS: what was received is hidden until it is released; a receipt is for one receive."""

    def __init__(self, bodies: Iterable[str]) -> None:
        self.messages = {f"m{number}": body for number, body in enumerate(bodies)}
        self.hidden: dict[str, str] = {}
        self.receives = 0

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self.receives += 1
        visible = [one for one in self.messages if one not in self.hidden][: request["MaxNumberOfMessages"]]
        self.hidden |= {one: f"{one}-{self.receives}" for one in visible}
        messages = [
            {"MessageId": one, "ReceiptHandle": self.hidden[one], "Body": self.messages[one]} for one in visible
        ]
        return {"Messages": messages} if messages else {}

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            del self.messages[self._released(entry)]
        return {"Successful": request["Entries"]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        assert {entry["VisibilityTimeout"] for entry in request["Entries"]} == {0}
        assert len(request["Entries"]) <= 10
        for entry in request["Entries"]:
            self._released(entry)
        return {"Successful": request["Entries"]}

    def _released(self, entry: dict[str, Any]) -> str:
        [found] = [one for one, receipt in self.hidden.items() if receipt == entry["ReceiptHandle"]]
        del self.hidden[found]
        return found


def bodies(*more: str) -> list[str]:
    return [json.dumps(event(name)) for name in NAMES] + list(more)


def taken(sqs: FakeSqs, directory: Path, **options: Any) -> tuple[list[str], list[str]]:
    """The files, and the warnings."""
    warned: list[str] = []
    source, capture = Queue(sqs, "https://queue", warned.append, **options), Capture(directory)
    source.take(capture, patience=0)
    source.close()
    return sorted(file.name for file in directory.glob("0*.json")), warned


def test_a_queue_is_read_and_left_as_it_was(tmp_path: Path) -> None:
    """Nothing is deleted, and the next receiver gets everything at once."""
    sqs = FakeSqs(bodies())
    files, warned = taken(sqs, tmp_path)
    assert files == ["00001-RUNNING-v3.json", "00002-DEPROVISIONING-v4.json", "00003-STOPPED-v5.json"]
    assert (len(sqs.messages), sqs.hidden, warned) == (3, {}, [])


def test_consuming_deletes_what_is_on_disk(tmp_path: Path) -> None:
    """A message goes when its event is kept; what is no event of a task stays in the queue, with a warning."""
    sqs = FakeSqs(bodies("not JSON", '{"detail": {}}'))
    files, warned = taken(sqs, tmp_path, consume=True)
    assert len(files) == 3
    assert sorted(sqs.messages.values()) == ["not JSON", '{"detail": {}}']
    assert sqs.hidden == {}
    assert ["no JSON" in warned[0], "no id" in warned[1], len(warned)] == [True, True, 2]


def test_a_long_queue_is_read_to_its_end(tmp_path: Path) -> None:
    """A queue is read in batches of ten to its end; a message that comes twice is one event."""
    sqs = FakeSqs(bodies() * 9)
    files, _ = taken(sqs, tmp_path)
    assert len(files) == 3
    assert (len(sqs.messages), sqs.hidden) == (27, {})


def test_sns_in_between_is_unwrapped(tmp_path: Path) -> None:
    """A rule may send to a topic, and the topic to the queue."""
    sqs = FakeSqs([json.dumps({"Type": "Notification", "Message": text}) for text in bodies()])
    assert len(taken(sqs, tmp_path)[0]) == 3


def test_the_local_fargate_s_events_are_captured(fargate: LocalServer, tmp_path: Path) -> None:
    """A whole life in its order, without the values that the task was started with; once, however often it is taken."""
    overrides = {"containerOverrides": [{"name": "main", "environment": environment(COLOUR="hush-hush")}]}
    task = fargate.run(definition(container("true")), overrides=overrides)
    fargate.task_when(task["taskArn"], "STOPPED")
    out = tmp_path / "out"
    deliveries, capture = Deliveries(fargate.endpoint, pytest.fail), Capture(out)
    deliveries.take(capture, patience=0)
    deliveries.take(capture, patience=0)
    deliveries.close()
    files = sorted(out.glob("0*.json"))
    assert [file.stem.split("-")[1] for file in files][:3] == ["PROVISIONING", "PENDING", "RUNNING"]
    assert len(files) == len(capture) <= 5
    assert "hush-hush" not in "".join(file.read_text() for file in out.iterdir())


def test_following_ends_with_ctrl_c(
    fargate: LocalServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It takes again and again; Ctrl-C ends it with success, and no event is lost."""
    tasks = [fargate.run(definition(container("true")))]

    def pause(_: float) -> None:
        fargate.task_when(tasks[-1]["taskArn"], "STOPPED")
        if len(tasks) == 3:
            raise KeyboardInterrupt
        tasks.append(fargate.run(definition(container("true"))))

    out = tmp_path / "out"
    deliveries = Deliveries(fargate.endpoint, pytest.fail)
    run(deliveries, out, follow=True, output=Format.TEXT, sleep=pause)
    entries = json.loads((out / "index.json").read_text())["events"]
    assert {tasks[0]["taskArn"], tasks[1]["taskArn"]} <= {entry["task"] for entry in entries}
    assert f"{len(entries)} new events" in capsys.readouterr().out


def test_without_a_source_nothing_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a local Fargate and without a queue there is nothing to capture: exit code 2, and what to do."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECS", raising=False)
    assert main(["events", "record", "--out", str(tmp_path / "out")]) == 2
    assert "give --queue. For the laptop cloud: make up" in capsys.readouterr().err
    assert main(["events", "record", "--out", str(tmp_path / "out"), "--consume"]) == 2
    assert "give --queue too" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["--queue", "--fargate"])
def test_a_source_that_does_not_answer_is_2(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, and the error names the endpoint; a queue's region is that of --region."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    for name, value in {
        "ENDPOINT_URL": endpoint,
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    out = tmp_path / "out"
    assert (
        main(
            ["events", "record", "--out", str(out), source, f"{endpoint}/000000000000/events", "--region", "eu-west-1"]
        )
        == 2
    )
    assert "Nothing can be captured: " in capsys.readouterr().err
    assert not out.exists()


def test_a_program_reads_what_was_recorded(
    fargate: LocalServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--output json` counts the events; the local Fargate is found in the variable that `.local/env` exports."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECS", fargate.endpoint)
    task = fargate.run(definition(container("true")))
    fargate.task_when(task["taskArn"], "STOPPED")
    before = 0
    for _ in range(2):
        assert main(["events", "record", "--out", str(tmp_path), "--output", "json"]) == 0
        files = len(list(tmp_path.glob("0*.json")))
        counted = json.loads(capsys.readouterr().out)
        assert counted == {"directory": str(tmp_path), "new": files - before, "events": files}
        before = files
    assert before


def test_help_says_what_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    """The help says that messages are deleted with --consume only."""
    assert main(["events", "record", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--consume" in shown
    assert "exit codes" in shown
