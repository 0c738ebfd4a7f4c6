"""The agent staged by `reach stage-agent` on the deployed stack: containers run the version that is in use."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.model.state import State
from local.cloud.environment import isolated_environment, read_environment
from local.cloud.layout import ROOT
from local.cloud.staging import agent_directory, place_agent, stage_image
from reach.app import main
from reach.staging.access import ROLE_TAG
from reach.staging.task import FAMILY
from tests.e2e.stack import IMAGE, Stack

STORAGES = ["efs", "s3-files"]
START = b"#!/bin/sh\n"


@pytest.fixture
def shell(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`. .local/env`."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in read_environment(stack.cloud.layout.env).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def staged(
    stack: Stack, shell: None, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs `reach stage-agent` to a storage. Afterwards the agent of the other tests is in use again."""
    storage: str = request.param

    def run(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["stage-agent", "--to", storage, *arguments, "--output", "json"]) == 0, capsys.readouterr().err
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    own = run("--list")["current"]
    yield run
    run("--switch", own)


def built(stack: Stack, storage: str, build: int, directory: Path) -> tuple[str, str]:
    """The option and its value that name an agent which says `build` to all that it starts."""
    flavor = stack.cloud.parameters["AgentFlavor"]
    agent = place_agent(directory / "agent", flavor).read_bytes()
    assert agent.startswith(START)
    file = directory / f"agent-{build}"
    # A zip archive may have anything before it (`local.agent.package`).
    file.write_bytes(START + f"export AGENT_BUILD={build}\n".encode() + agent.removeprefix(START))
    file.chmod(0o755)
    if storage == "s3-files":
        return "--file", str(file)
    image = f"sockerless/agent-build-{build}:latest"
    shutil.copy2(file, stage_image(stack.cloud.layout, image) / "sockerless-agent")
    return "--image", image


def started(stack: Stack, container_id: str, number: int, storage: str) -> str:
    """Another container of this test, whose agent has answered."""
    own = f"{number:02}{container_id[2:]}"
    stack.start(own, injection=storage)
    stack.reaches(own, State.AGENT_HEALTHY)
    return own


def build_of(container_id: str) -> int:
    """What the agent of a running container says."""
    return main(["exec", container_id, "--", "sh", "-c", "exit $AGENT_BUILD"])


@pytest.mark.parametrize(("staged", "storage"), [(one, one) for one in STORAGES], indirect=["staged"], ids=STORAGES)
def test_the_next_container_runs_the_version_in_use(
    stack: Stack, container_id: str, staged: Callable[..., dict[str, Any]], storage: str, tmp_path: Path
) -> None:
    """A first version, a second one while a container runs, and back. A container keeps the agent it began with."""
    first = built(stack, storage, 1, tmp_path)
    found = staged("--unchecked", "--version", f"{storage}-1", *first)
    assert (found["version"], found["current"], found["new"]) == (f"{storage}-1", f"{storage}-1", True)
    running = started(stack, container_id, 1, storage)
    assert build_of(running) == 1

    staged("--unchecked", "--version", f"{storage}-2", *built(stack, storage, 2, tmp_path))
    assert build_of(started(stack, container_id, 2, storage)) == 2
    assert build_of(running) == 1

    back = staged("--switch", f"{storage}-1")
    assert (back["before"], back["current"]) == (f"{storage}-2", f"{storage}-1")
    assert build_of(started(stack, container_id, 3, storage)) == 1

    again = staged("--unchecked", "--version", f"{storage}-1", *first)
    assert (again["new"], again["before"], again["current"]) == (False, f"{storage}-1", f"{storage}-1")


def left(stack: Stack) -> tuple[list[str], list[str], set[str]]:
    """What the one-off task may leave: tasks that run, definitions that may be run, access points."""
    points = stack.cloud.client("efs").describe_access_points(FileSystemId=stack.cloud.parameters["EfsFileSystemId"])
    return (
        [task["arn"] for task in running(stack)],
        stack.ecs.list_task_definitions(familyPrefix=FAMILY, status="ACTIVE")["taskDefinitionArns"],
        {one["AccessPointId"] for one in points["AccessPoints"]},
    )


def running(stack: Stack) -> list[dict[str, Any]]:
    """One-off tasks that are not on their way out."""
    ours = [task for task in stack.fargate.tasks() if (task["started_by"] or "").startswith("reach-stage-agent")]
    return [task for task in ours if task["desired_status"] == "RUNNING"]


@pytest.fixture
def untagged(stack: Stack) -> Iterator[None]:
    """The file system has no access point for staging, so that one is made for the run."""
    efs = stack.cloud.client("efs")
    points = efs.describe_access_points(FileSystemId=stack.cloud.parameters["EfsFileSystemId"])["AccessPoints"]
    tagged = [(one["AccessPointId"], [tag for tag in one["Tags"] if tag["Key"] == ROLE_TAG]) for one in points]
    [(point, tags)] = [one for one in tagged if one[1]]
    efs.untag_resource(ResourceId=point, TagKeys=[ROLE_TAG])
    yield
    efs.tag_resource(ResourceId=point, Tags=tags)


@pytest.mark.usefixtures("untagged")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_in_the_middle_leaves_nothing(stack: Stack, number: signal.Signals) -> None:
    """Ctrl-C while the copy command runs: no task, no definition that is ACTIVE, no access point, and no version."""
    before = left(stack)
    directory = agent_directory(stack.cloud.layout, stack.cloud.parameters)
    files = set(directory.rglob("*"))
    environment = isolated_environment({**read_environment(stack.cloud.layout.env), "PYTHONPATH": "src:."})
    command = [sys.executable, "-m", "reach", "stage-agent", "--to", "efs", "--copy-command", "sleep,600"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        stack.eventually(lambda: [task for task in running(stack) if task["pids"]], lambda: "the copy command runs")
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted: what was made is removed" in said
    assert re.search(r"access point fsap-\w+ of fs-", said)
    assert left(stack) == before
    assert set(directory.rglob("*")) == files


@pytest.mark.usefixtures("shell")
def test_the_foundation_has_what_staging_needs(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Its access point and its role are found by the tag, also before a main stack: none is made."""
    before = left(stack)
    assert main(["stage-agent", "--stack", "sockerless-foundation", "--list", "--tools-image", IMAGE]) == 0
    assert "access point" not in capsys.readouterr().err
    assert stack.eventually(lambda: left(stack) == before, lambda: f"{left(stack)} is {before}")
    [task] = [one for one in stack.fargate.tasks() if (one["started_by"] or "").startswith("reach-stage-agent")][-1:]
    definition = stack.ecs.describe_tasks(tasks=[task["arn"]])["tasks"][0]["taskDefinitionArn"]
    described = stack.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    assert described["taskRoleArn"] == stack.cloud.parameters["StagingRoleArn"]
