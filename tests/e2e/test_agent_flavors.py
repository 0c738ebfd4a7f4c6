"""A job, a keep-alive container and a server with each agent: the same ends, though one agent outlives its process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from core.model.agent import AgentFlavor
from core.model.instants import truncate
from core.model.record import Record
from core.model.state import State
from local.agent.package import build
from local.fargate.runtime import RuntimeName
from reach.agent import client as agent_client
from tests.e2e.deployed import deployed
from tests.e2e.stack import HEALTH_TIMEOUT, PATIENCE, Stack
from tests.e2e.wrong_agents import another_agent

FETCH: Final = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:' + open('/tmp/port-%s').read()).status)"
SERVE: Final = (
    "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
    "open('/tmp/port-%s', 'w').write(str(s.server_port)); s.serve_forever()"
)


@pytest.fixture(scope="module")
def stacks(
    stack: Stack, agent_flavor: str, runtime: RuntimeName, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Stack]]:
    """The stack of the package, and one with the other agent."""
    [other] = {flavor.value for flavor in AgentFlavor} - {agent_flavor}
    directory = tmp_path_factory.mktemp("other")
    with deployed(directory, runtime=runtime, HealthTimeoutSeconds=HEALTH_TIMEOUT, AgentFlavor=other) as second:
        yield {agent_flavor: stack, other: second}


@pytest.fixture(params=[flavor.value for flavor in AgentFlavor])
def flavored(request: pytest.FixtureRequest, stacks: dict[str, Stack]) -> Stack:
    return stacks[request.param]


def noticed_end(stack: Stack, container_id: str) -> int | None:
    """The exit code, when ECS's event, an answer of the agent, or the reconciler's next check has told it."""

    def ended() -> bool:
        record = stack.record(container_id)
        if record is not None and record.exit_unseen:
            due(stack, container_id)
        return record is not None and record.state.ended

    stack.eventually(ended, lambda: "the end is noticed")
    return stack.client.wait_until_ended(container_id, PATIENCE).exit_code


def test_a_job_that_is_over_at_once_is_stopped_with_its_code(flavored: Stack, container_id: str) -> None:
    """The first answer of its agent, ECS's event, or the next check says so."""
    flavored.start(container_id, cmd=["sh", "-c", "exit 7"])
    assert noticed_end(flavored, container_id) == 7
    assert_nothing_runs(flavored, container_id)


def test_a_job_that_ends_later_is_stopped_with_its_code(flavored: Stack, container_id: str) -> None:
    """ECS reports it, or the reconciler's next check of the healthy agent finds it."""
    name = f"/tmp/{container_id}-{os.getpid()}"  # noqa: S108 - processes share it with earlier runs
    flavored.start(container_id, cmd=["sh", "-c", f"while [ ! -e {name} ]; do sleep 0.1; done; exit 7"])
    agent = flavored.client.wait_until_healthy(container_id, PATIENCE)
    agent_client.run(agent.address, agent.token, ["touch", name])
    assert noticed_end(flavored, container_id) == 7
    assert_nothing_runs(flavored, container_id)


def test_an_exit_that_the_backend_saw_counts_at_once(flavored: Stack, container_id: str) -> None:
    """The attached backend reports the code; the code of the agent, which StopTask ends, is not taken."""
    flavored.start(container_id)
    flavored.client.wait_until_healthy(container_id, PATIENCE)
    report = {"container_id": container_id, "exit_code": 3, "generation": 1}
    assert flavored.invoke("StopContainer", report)["state"] == State.STOPPED
    assert_nothing_runs(flavored, container_id)
    assert flavored.client.inspect(container_id)["exit_code"] == 3


def test_a_keep_alive_container_serves_exec_until_it_is_stopped(flavored: Stack, container_id: str) -> None:
    """Also where the idle command is a child of the agent."""
    flavored.start(container_id, cmd=["tail", "-f", "/dev/null"])
    agent = flavored.client.wait_until_healthy(container_id, PATIENCE)
    assert (agent.record.keep_alive, agent.record.warning) == (True, None)
    assert agent_client.run(agent.address, agent.token, ["echo", "hello"]).stdout == b"hello\n"
    flavored.stop(container_id)
    assert flavored.reaches(container_id, State.STOPPED).stop_requested
    assert_nothing_runs(flavored, container_id)


def test_a_server_runs_as_the_agents_child(flavored: Stack, container_id: str) -> None:
    """Its command runs, and is reached from inside the container."""
    flavored.start(container_id, cmd=["python3", "-c", SERVE % container_id])
    agent = flavored.client.wait_until_healthy(container_id, PATIENCE)
    fetch = ["python3", "-c", FETCH % container_id]

    def served() -> bool:
        return agent_client.run(agent.address, agent.token, fetch).stdout == b"200\n"

    flavored.eventually(served, lambda: "the server answers")
    flavored.stop(container_id)
    flavored.reaches(container_id, State.STOPPED)
    assert_nothing_runs(flavored, container_id)


def test_the_public_agent_under_the_wrong_flavor_is_a_warning(
    stacks: dict[str, Stack], container_id: str, tmp_path: Path
) -> None:
    """Started as the specification says, it ignores the command: the item says so, and what to set."""
    stack = stacks[AgentFlavor.SPEC]
    build(tmp_path / "agent", AgentFlavor.SOCKERLESS)
    with another_agent(stack, "efs", (tmp_path / "agent").read_bytes(), 0o755):
        stack.start(container_id)
        agent = stack.client.wait_until_healthy(container_id, PATIENCE)
    assert agent.record.warning is not None
    assert "command does not run" in agent.record.warning.message
    assert "AgentFlavor" in agent.record.warning.remedy
    stack.stop(container_id)
    stack.reaches(container_id, State.STOPPED)


def due(stack: Stack, container_id: str) -> Record:
    """Brings the next check forward, and makes it."""
    record = stack.change(container_id, check_at=truncate(datetime.now(UTC)))
    stack.reconcile()
    return record


def assert_nothing_runs(stack: Stack, container_id: str) -> None:
    """The task, too, has ended."""
    stack.eventually(
        lambda: all(task["last_status"] == "STOPPED" for task in stack.tasks(container_id)),
        lambda: f"the task has stopped: {stack.tasks(container_id)}",
    )
