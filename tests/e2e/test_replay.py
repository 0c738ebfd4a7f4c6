"""A life that this stack lived: recorded from it, and lived again offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.model.state import State
from reach.app import main
from tests.e2e.stack import Stack


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The document of a replay that understood everything."""
    capsys.readouterr()
    assert main(["events", "replay", "--output", "json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def _all_sent(stack: Stack, task: str | None) -> bool:
    return all(delivery["outcome"] != "pending" for delivery in stack.fargate.deliveries(task))


def test_a_life_is_recorded_and_lived_again(
    stack: Stack, container_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recorded events lead to the state the stack is in, in their own order and in any other."""
    with stack.queues.prober_off():  # an agent that reports the exit before ECS does has its task stopped
        stack.start(container_id, cmd=["sh", "-c", "exit 7"])
        task = stack.reaches(container_id, State.STOPPED).task_arn
        stack.shown(task, "STOPPED")
    stack.eventually(lambda: _all_sent(stack, task), lambda: f"the events of {task} are sent")
    out = tmp_path / "capture"
    assert main(["events", "record", "--out", str(out), "--fargate", stack.cloud.ecs_endpoint]) == 0
    assert not [token for token in stack.tokens if any(token in file.read_text() for file in out.iterdir())]
    own = [str(file) for file in sorted(out.glob("0*.json")) if container_id in file.read_text()]
    assert len(own) == 5

    offline = replayed(capsys, *own, "--shuffle", "--duplicate", "0.5", "--seed", "4")["containers"][container_id]
    assert (offline["state"], offline["stop"]["exit_code"]) == ("stopped", 7)

    in_order = replayed(capsys, *own)
    assert [step["outcome"] for step in in_order["steps"]] == ["withheld", "withheld", "moved", "moved", "learnt"]
    deployed = stack.item(container_id)
    assert deployed is not None
    item = in_order["containers"][container_id]
    assert (item["state"], item["stop"], item["task_version"]) == ("stopped", deployed["stop"], 5)
