"""Lives of containers on the deployed stack, as a backend sees them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.model.errors import ContainerExited
from core.model.state import State
from local.cloud.cloud import IMAGE_WITH_AGENT
from reach.agent import client as agent_client
from tests.e2e.stack import PATIENCE, Stack

STRATEGIES: dict[str, dict[str, Any]] = {
    "efs": {},
    "s3-files": {"injection": "s3-files"},
    "init-container": {"injection": "init-container"},
    "image": {"injection": "image", "image": IMAGE_WITH_AGENT},
    "keep-alive": {"entrypoint": ["tail"], "cmd": ["-f", "/dev/null"]},
}
LIFE = [State.TASK_RUNNING, State.ENI_RESOLVED, State.AGENT_HEALTHY]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_agent_is_found_and_runs_commands(stack: Stack, container_id: str, strategy: str) -> None:
    """Address and token of the item are all it takes to run a command in the container, and no other token does."""
    answer = stack.start(container_id, environment={"GREETING": "hello"}, **STRATEGIES[strategy])
    assert answer["state"] == State.PENDING
    agent = stack.client.wait_until_healthy(container_id, PATIENCE)
    assert [step.to for step in agent.record.history] == LIFE
    assert agent.record.keep_alive is (strategy == "keep-alive")

    ran = agent_client.run(agent.address, agent.token, ["sh", "-c", "echo $GREETING; echo $SOCKERLESS_CONTAINER_ID"])
    assert (ran.exit_code, ran.stdout.decode().split()) == (0, ["hello", container_id])
    with pytest.raises(agent_client.AgentUnauthorized):
        agent_client.run(agent.address, "f" * 64, ["true"])


def test_a_token_can_travel_in_a_parameter(stack: Stack, container_id: str) -> None:
    """With `ssm` the task gets its token from a SecureString, which is gone when the container has ended."""
    stack.start(container_id, token_delivery="ssm")
    agent = stack.client.wait_until_healthy(container_id, PATIENCE)
    assert agent_client.run(agent.address, agent.token, ["true"]).exit_code == 0
    described = stack.ecs.describe_tasks(tasks=[agent.record.task_arn])["tasks"]
    definition = stack.ecs.describe_task_definition(taskDefinition=agent.record.task_definition_arn)["taskDefinition"]
    assert agent.token not in json.dumps([described, definition], default=str)
    assert parameters_of(stack, container_id)

    stack.stop(container_id)
    stack.reaches(container_id, State.STOPPED)
    stack.eventually(lambda: not parameters_of(stack, container_id), lambda: "the parameter is deleted")


def parameters_of(stack: Stack, container_id: str) -> list[str]:
    """The names of a container's parameters."""
    pages = stack.cloud.client("ssm").get_paginator("describe_parameters").paginate()
    return [one["Name"] for page in pages for one in page["Parameters"] if container_id in one["Name"]]


def test_a_job_ends_with_its_exit_code(stack: Stack, container_id: str) -> None:
    """A short command that exits by itself is `stopped`, also when its agent was never reached."""
    stack.start(container_id, cmd=["sh", "-c", "exit 7"])
    stack.reaches(container_id, State.STOPPED)  # the agent may be healthy for the moment in which its command ends
    with pytest.raises(ContainerExited) as exited:
        stack.client.wait_until_healthy(container_id, PATIENCE)
    assert exited.value.exit_code == 7
    assert_nothing_is_left(stack, container_id)


def test_a_job_whose_start_is_repeated_runs_once(stack: Stack, container_id: str) -> None:
    """A start that names its generation, sent again when the job is over: the answer is its end, and no task."""
    request = {"cmd": ["sh", "-c", "exit 3"], "generation": 1}
    stack.start(container_id, **request)
    stack.reaches(container_id, State.STOPPED)
    again = stack.start(container_id, **request)
    assert (again["generation"], again["state"]) == (1, "stopped")
    assert [task["arn"] for task in stack.tasks(container_id)] == [again["task_arn"]]


def test_a_killed_container_is_stopped(stack: Stack, container_id: str) -> None:
    """Its process ran and ended: that is `stopped` with the exit code of SIGKILL, and no failure of ours."""
    stack.start(container_id)
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    stack.fargate.kill(str(record.task_arn))
    record = stack.reaches(container_id, State.STOPPED)
    assert record.error is None
    assert stack.client.inspect(container_id)["exit_code"] == 128 + 9


def test_dockers_members_count(stack: Stack, container_id: str, agent_flavor: str) -> None:
    """Null and empty members are absent ones; limits are the request's; who is deaf to the stop signal is killed.

    The flavor `sockerless` passes no signal on: the agent ends with it, and the container with the agent.
    """
    stack.start(
        container_id,
        entrypoint=[""],
        cmd=["sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
        user="",
        working_dir=None,
        limits=None,
        stop_timeout=0,
        ulimits=[{"name": "nofile", "soft": 256, "hard": 512}],
    )
    agent = stack.client.wait_until_healthy(container_id, PATIENCE)
    ran = agent_client.run(agent.address, agent.token, ["sh", "-c", "ulimit -Sn; ulimit -Hn"])
    assert ran.stdout.decode().split() == ["256", "512"]

    stack.stop(container_id)
    stack.reaches(container_id, State.STOPPED)
    shown = stack.client.inspect(container_id)
    exit_code = {"spec": 128 + 9, "sockerless": 128 + 15}[agent_flavor]
    assert (shown["exit_code"], shown["stop_cause"], shown["oom_killed"]) == (exit_code, "user-stopped", False)
    assert shown["started_at"] < shown["finished_at"] == shown["timings"]["execution_stopped"]


def test_a_container_is_stopped_and_started_again(stack: Stack, container_id: str) -> None:
    """Stopping is idempotent; starting again is a new generation with a new token, a new task and a new address."""
    stack.start(container_id)
    first = stack.client.wait_until_healthy(container_id, PATIENCE)
    for _ in range(2):
        assert stack.stop(container_id) | {"state": ""} == {
            "container_id": container_id,
            "generation": 1,
            "state": "",
        }
    ended = stack.reaches(container_id, State.STOPPED)
    assert ended.stop is not None
    assert ended.stop.code == "UserInitiated"
    assert stack.stop(container_id)["state"] == State.STOPPED
    with pytest.raises(agent_client.AgentError):
        agent_client.run(first.address, first.token, ["true"])
    assert_nothing_is_left(stack, container_id)

    assert stack.start(container_id)["generation"] == 2
    second = stack.client.wait_until_healthy(container_id, PATIENCE)
    assert second.record.generation == 2
    assert second.record.task_arn != first.record.task_arn
    assert second.token != first.token
    assert agent_client.run(second.address, second.token, ["true"]).exit_code == 0
    with pytest.raises(agent_client.AgentUnauthorized):
        agent_client.run(second.address, first.token, ["true"])


def test_an_older_generation_is_over(stack: Stack, container_id: str) -> None:
    """Late events of the first start change nothing in the second."""
    stack.start(container_id, cmd=["true"])
    first = stack.reaches(container_id, State.STOPPED)
    late = [stack.shown(first.task_arn, status) for status in ("RUNNING", "DEPROVISIONING", "STOPPED")]
    stack.start(container_id)
    stack.reaches(container_id, State.AGENT_HEALTHY)
    before = stack.item(container_id)
    for event in late:
        assert "generation 1" in stack.invoke("TaskState", event)["ignored"]
    assert stack.item(container_id) == before


def test_a_running_container_is_not_started_again(stack: Stack, container_id: str) -> None:
    """A second start is refused, writes nothing and starts nothing."""
    stack.start(container_id)
    stack.reaches(container_id, State.AGENT_HEALTHY)
    before = stack.item(container_id)
    assert stack.start(container_id)["error"]["code"] == "AlreadyRunning"
    assert stack.item(container_id) == before
    assert len(stack.tasks(container_id)) == 1


def test_simultaneous_starts_are_one_start(stack: Stack, container_id: str) -> None:
    """Two backends that start the same container at once get the same task, or are told that it runs."""
    with ThreadPoolExecutor(2) as pool:
        answers = [starting.result() for starting in [pool.submit(stack.start, container_id) for _ in range(2)]]
    started = {answer["task_arn"] for answer in answers if "error" not in answer}
    assert {answer["error"]["code"] for answer in answers if "error" in answer} <= {"AlreadyRunning"}
    assert [task["arn"] for task in stack.tasks(container_id)] == list(started)
    assert stack.reaches(container_id, State.AGENT_HEALTHY).task_arn in started


def test_an_unknown_container_is_not_stopped(stack: Stack, container_id: str) -> None:
    """Stopping what is not recorded is refused, and records nothing."""
    assert stack.stop(container_id)["error"]["code"] == "NotFound"
    assert stack.item(container_id) is None


def assert_nothing_is_left(stack: Stack, container_id: str) -> None:
    """An ended container shows no address and no token, and will be forgotten; until then it can be inspected."""
    shown = stack.client.inspect(container_id)
    assert (shown["status"], shown["agent_address"], shown["agent_token"]) == ("exited", None, None)
    record = stack.until(container_id, lambda seen: seen.expires_at is not None, "expires_at is set")
    assert record.expires_at is not None
    assert record.expires_at > record.updated_at.timestamp()
