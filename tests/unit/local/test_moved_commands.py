from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.__main__ import main
from local.cloud.environment import write_environment
from local.cloud.layout import Layout
from tests.factories import CONTAINER_ID, EVENTS
from tests.unit.local.fargate.harness import LocalServer, container, definition

RUNNING = str(EVENTS / "task-running.json")


@pytest.mark.parametrize("command", ["replay", "record"])
def test_the_old_name_says_the_new_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help is that of `reach`, and above it stands that `python -m local` goes."""
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr()
    assert f"the same as `reach events {command}`" in shown.err
    assert f"Usage: reach events {command}" in shown.out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert command in capsys.readouterr().out


def test_replay_takes_the_old_options(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the same document, and nothing else on standard output; `--directory` is accepted."""
    assert main(["replay", "--json", RUNNING, "--directory", "second"]) == 0
    assert json.loads(capsys.readouterr().out)["containers"][CONTAINER_ID]["state"] == "eni-resolved"


def test_record_finds_the_laptop_cloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the variables of `.local/env`, the events of the local Fargate of `--directory` are recorded."""
    with LocalServer(tmp_path / "fargate") as fargate:
        write_environment(Layout(tmp_path).env, {"AWS_ENDPOINT_URL_ECS": fargate.endpoint})
        task = fargate.run(definition(container("true")))
        fargate.task_when(task["taskArn"], "STOPPED")
        assert main(["record", "--out", str(tmp_path / "out"), "--directory", str(tmp_path)]) == 0
    assert "new events" in capsys.readouterr().out
    assert list((tmp_path / "out").glob("*-RUNNING-*.json"))
