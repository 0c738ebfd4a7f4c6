"""The operators' command line against the stack: as a person types it, in a process that knows its environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.cloud.environment import isolated_environment, published_environment
from tests.e2e.stack import IMAGE, Stack

ROOT = Path(__file__).parents[2]
SECONDS = 120
"""No command takes so long, also where the machine is busy."""
SERVE = ("sh", "-c", "echo serving; exec sleep 3600")


@pytest.fixture(scope="module")
def environment(stack: Stack) -> dict[str, str]:
    """As after `. .local/env`."""
    cloud = stack.cloud
    published = published_environment(cloud.endpoint, cloud.ecs_endpoint, cloud.outputs)
    return isolated_environment({**published, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"})


@contextmanager
def running(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`reach` with these arguments, ended when it is left."""
    command = [sys.executable, "-m", "reach", *arguments]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=dict(environment), cwd=ROOT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def reach(environment: Mapping[str, str], code: int, *arguments: str) -> tuple[str, str]:
    """Both outputs of a command that ends so."""
    with running(environment, *arguments) as process:
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == code, err
    return out, err


def document(environment: Mapping[str, str], *arguments: str) -> Any:
    return json.loads(reach(environment, 0, *arguments, "--output", "json")[0])


def test_a_container_from_its_start_to_its_end(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """It is started, its output is followed while it runs, a command runs in it, and it is stopped."""
    out, err = reach(environment, 0, "start", "--id", container_id, "-e", "WHO=me", IMAGE, *SERVE)
    address = out.split()[1]
    assert out == f"{container_id}  {address}\n"
    assert err.startswith(f"{container_id}  {IMAGE}\nRunTask: ")
    assert reach(environment, 0, "exec", container_id, "--", "sh", "-c", "echo $WHO")[0] == "me\n"
    with running(environment, "logs", container_id, "--follow") as following:
        reach(environment, 0, "stop", container_id, "--wait")
        assert following.communicate(timeout=SECONDS) == ("serving\n", "")
    assert reach(environment, 0, "logs", container_id, "--tail", "1")[0] == "serving\n"


def test_a_job(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """Its exit code is what was awaited; why it is that one is in its last line.

    Both lines are of one output: no log driver keeps the order of stdout and stderr, which are two pipes.
    """
    job = ("sh", "-c", "exec >&2; echo working; echo 'no such table'; exit 3")
    out, _ = reach(environment, 0, "start", "--id", container_id, "--for", "ended", IMAGE, *job)
    assert out == f"{container_id}  exit code 3\n"
    shown = document(environment, "why", container_id)
    assert (shown["state"], shown["stop"]["exit_code"]) == ("stopped", 3)
    said = ["working", "no such table"]  # the log driver may be later than the prober
    stack.eventually(lambda: document(environment, "why", container_id)["last_lines"] == said, lambda: "both are shown")
    lines = reach(environment, 0, "logs", container_id, "--output", "json")[0].splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["working", "no such table"]


def test_a_container_without_its_agent(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """The start ends with 1, and with what `reach why` says: the cause and what to do."""
    stack.fargate.fault(container_id, "agent-missing")
    out, err = reach(environment, 1, "start", "--id", container_id, IMAGE, *SERVE)
    assert out == ""
    assert "TaskFailedToStart (agent-binary-missing)\nBecause: There is no agent binary" in err
    *_, explained = reach(environment, 0, "why", container_id)[0].partition("\n\nTaskFailedToStart")
    assert explained in err
    assert document(environment, "why", container_id)["error"]["cause"] == "agent-binary-missing"


def test_a_container_that_nobody_reaches(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """Its process ran: what it printed is there, beside the security group that is to be checked."""
    stack.fargate.fault(container_id, "port-blocked")
    _, err = reach(environment, 1, "start", "--id", container_id, "--health-timeout", "2", IMAGE, *SERVE)
    assert "AgentUnreachable" in err
    assert "security group" in err
    stack.eventually(
        lambda: document(environment, "why", container_id)["last_lines"] == ["serving"], lambda: "its line is shown"
    )


def test_a_request_that_is_refused_starts_nothing(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """Before AWS is called, with the member's path."""
    wrong = ("start", "--id", container_id, "-e", "SOCKERLESS_AGENT_TOKEN=x", IMAGE, "true")
    assert "environment.SOCKERLESS_AGENT_TOKEN: is set for the agent" in reach(environment, 2, *wrong)[1]
    assert stack.record(container_id) is None


def test_a_start_that_is_repeated(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """The dry run's document is a start request; a second start of a container that has started is refused."""
    arguments = ("start", "--request", "events/start-container.json", "--id", container_id, "--output", "json")
    request = json.loads(reach(environment, 0, *arguments, "--dry-run")[0])
    assert request["container_id"] == container_id
    assert json.loads(reach(environment, 0, *arguments, "--detach")[0])["container_id"] == container_id
    reach(environment, 0, "wait", container_id)
    assert "Stop it first" in reach(environment, 1, *arguments)[1]
    assert len(stack.tasks(container_id)) == 1
    stack.stop(container_id)


def test_ctrl_c_leaves_the_container(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """The id is on the screen from the beginning, and how to stop it at the end."""
    with running(environment, "start", "--id", container_id, "--for", "ended", IMAGE, *SERVE) as waiting:
        stack.until(container_id, lambda record: record.agent_address is not None, "it is started")
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=SECONDS)
    assert waiting.returncode == 130
    assert err.startswith(f"{container_id}  {IMAGE}\n")
    assert f"Interrupted: {container_id} goes on. What to do: reach wait {container_id[:12]}" in err
    record = stack.record(container_id)
    assert record is not None
    assert not record.state.ended
    stack.stop(container_id)


def test_ids_are_completed(stack: Stack, environment: dict[str, str], container_id: str) -> None:
    """By the shell, while the container lives."""
    stack.start(container_id)
    line = {"_REACH_COMPLETE": "complete_bash", "COMP_WORDS": f"reach why {container_id[:4]}", "COMP_CWORD": "2"}
    assert container_id[:12] in reach({**environment, **line}, 0)[0].split()
    stack.stop(container_id)
