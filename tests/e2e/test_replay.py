"""A life that this stack lived: recorded from it, lived again offline, and brought to it once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.model.state import State
from local import __main__ as commands
from local.cloud.layout import Layout
from tests.e2e.stack import Stack


@pytest.fixture
def here(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """The commands find this test's cloud where they look for the user's."""
    monkeypatch.setattr(commands, "Layout", lambda: stack.cloud.layout)
    return stack.cloud.layout


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The document of a replay that understood everything."""
    capsys.readouterr()
    assert commands.main(["replay", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def _all_sent(stack: Stack, task: str | None) -> bool:
    return all(delivery["outcome"] != "pending" for delivery in stack.fargate.deliveries(task))


@pytest.mark.usefixtures("here")
def test_a_life_is_recorded_and_lived_again(
    stack: Stack, container_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Offline the recorded events lead to the state the stack is in; in the stack, each is known already."""
    stack.start(container_id, cmd=["sh", "-c", "exit 7"])
    stack.reaches(container_id, State.STOPPED)
    task = stack.until(container_id, lambda record: record.task_version == 5, "the last event is folded").task_arn
    stack.eventually(lambda: _all_sent(stack, task), lambda: f"the events of {task} are sent")
    out = tmp_path / "capture"
    assert commands.main(["record", "--out", str(out)]) == 0
    assert not [token for token in stack.tokens if any(token in file.read_text() for file in out.iterdir())]
    own = [str(file) for file in sorted(out.glob("0*.json")) if container_id in file.read_text()]
    assert len(own) == 5

    offline = replayed(capsys, *own, "--shuffle", "--duplicate", "0.5", "--seed", "4")["containers"][container_id]
    assert (offline["state"], offline["stop"]["exit_code"]) == ("stopped", 7)

    before = stack.item(container_id)
    again = replayed(capsys, *own, "--stack")
    assert [step["outcome"] for step in again["steps"]] == ["withheld", "withheld", "ignored", "ignored", "ignored"]
    assert stack.item(container_id) == before


@pytest.mark.usefixtures("here")
def test_a_foreign_task_is_adopted_by_the_stack(
    tmp_path: Path, container_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule and the function take it for one of ours: it gets an item, and the item its end."""
    foreign = json.loads((Path(__file__).parents[2] / "events" / "task-stopped.json").read_text())
    task = f"arn:aws:ecs:eu-west-1:123456789012:task/elsewhere/{container_id[:32]}"
    foreign["detail"] |= {"taskArn": task, "startedBy": "ecs-svc/1", "clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/x"}
    file = tmp_path / "foreign.json"
    file.write_text(json.dumps(foreign))
    document = replayed(capsys, str(file), "--stack", "--adopt")
    [step] = document["steps"]
    assert [one["trigger"] for one in step["transitions"]] == ["container-exited"]
    [item] = document["containers"].values()
    assert (item["state"], item["task_arn"]) == ("stopped", task)
