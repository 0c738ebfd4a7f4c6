"""`up`: what it promises about the requests in `events/`, and how it says what containers are."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import __main__ as commands
from local.cloud.command import IMAGES_OF_EVENTS, choose_runtime, up
from local.cloud.environment import write_environment
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import CloudError, Command, spawn
from local.fargate.runtime import RuntimeName


def test_every_image_of_the_event_files_is_known() -> None:
    """In Docker mode the base image stands in for what they name: they work without a registry."""
    requests = [json.loads(file.read_text()) for file in (ROOT / "events").glob("start-container*.json")]
    named = {request.get("image") or request["docker"]["Image"] for request in requests}
    assert named <= set(IMAGES_OF_EVENTS)


def test_runtime_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what containers will be, and why."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    said: list[str] = []
    assert choose_runtime(RuntimeName.AUTO, said.append) is RuntimeName.PROCESS
    [line] = said
    assert line.startswith("Tasks run as processes of this machine: The container engine at unix://")


def test_docker_without_an_engine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine, `--runtime docker` is an error that names `--runtime process`."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine")
    with pytest.raises(
        CloudError, match=r"/no-engine does not answer \(No such file.*\)\. What to do: .* Or: --runtime process$"
    ):
        choose_runtime(RuntimeName.DOCKER, print)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Layout]:
    """A cloud that `up` left running."""
    layout = Layout(tmp_path)
    sleeping = Command([sys.executable, "-c", "import signal; signal.pause()"], {}, ROOT, layout.logs / "log")
    daemon = spawn("ministack", sleeping, layout.run)
    layout.options.write_text(
        json.dumps({"port": 4566, "speed": "fast", "seed": 7, "runtime": "docker", "agent_flavor": "spec"})
    )
    values = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS", "CONTAINERS_TABLE_NAME")
    write_environment(layout.env, dict.fromkeys(values, "value"))
    yield layout
    daemon.stop()


def options_of(layout: Layout, *options: str) -> argparse.Namespace:
    return commands._parser().parse_args(["up", "--directory", str(layout.directory), *options])


@pytest.mark.parametrize("options", ["", "--runtime auto", "--runtime docker --speed fast --seed 7 --port 4566"])
def test_options_of_what_runs_are_printed(running: Layout, options: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A second `up` with the same options prints them."""
    assert up(options_of(running, *options.split()), running) == 0
    assert "runs already" in (said := capsys.readouterr().out)
    assert "--port 4566 --speed fast --seed 7 --runtime docker" in said


@pytest.mark.parametrize(
    "option", ["--runtime process", "--speed real", "--agent-flavor sockerless", "--seed 8", "--port 4600"]
)
def test_other_options_are_refused(running: Layout, option: str) -> None:
    """A second `up` with other options is an error that says how to get them."""
    where = f"--directory {running.directory}"
    with pytest.raises(
        CloudError, match=rf'not with {option}\. What to do: make down ARGS="{where}", then make up ARGS'
    ):
        up(options_of(running, *option.split()), running)
