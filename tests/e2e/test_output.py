"""What containers print: it goes to the stack's log group, and tells why an agent never ran."""

from __future__ import annotations

import pytest

from core.model.errors import ContainerExited, ContainerFailed
from core.model.failure import Cause, ErrorCode
from core.model.state import State
from local.cloud.cloud import TASK_LOG_GROUP
from tests.e2e.stack import PATIENCE, Stack
from tests.e2e.wrong_agents import PATH, STRATEGIES, another_agent, foreign_program


def printed(stack: Stack, task_arn: str | None) -> list[str]:
    """What `main` of a task has printed, as far as it has arrived."""
    stream = f"sockerless/main/{(task_arn or '').rpartition('/')[2]}"
    logs = stack.cloud.client("logs")
    found = logs.get_log_events(logGroupName=TASK_LOG_GROUP, logStreamName=stream, startFromHead=True)
    return [event["message"] for event in found["events"]]


def test_output_arrives_while_the_container_runs(stack: Stack, container_id: str) -> None:
    """Line by line, in a stream of its own."""
    stack.start(container_id, cmd=["sh", "-c", "echo first; echo second >&2; exec sleep 3600"])
    record = stack.reaches(container_id, State.AGENT_HEALTHY)
    stack.eventually(lambda: {"first", "second"} <= set(printed(stack, record.task_arn)), lambda: "both lines arrive")
    stack.stop(container_id)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_agent_of_another_architecture_is_diagnosed(stack: Stack, container_id: str, strategy: str) -> None:
    """The kernel refuses it after the container has started; its output, read with the function's own role, says why.

    AWS Knowledge Center, "exec format error": stopped reason "Essential container in task exited", exit code 1.
    """
    with another_agent(stack, strategy, foreign_program(), 0o755):
        stack.start(container_id, injection=strategy)
        with pytest.raises(ContainerFailed) as failed:
            stack.client.wait_until_healthy(container_id, PATIENCE)
    failure = failed.value.failure
    assert (failure.code, failure.cause) == (ErrorCode.TASK_FAILED_TO_START, Cause.AGENT_WRONG_ARCHITECTURE)
    assert failure.message.startswith("The agent binary is for another CPU architecture than the task.")
    assert "Essential container in task exited" in failure.message
    assert f"container main (STOPPED): exit code 1, output: exec {PATH}: exec format error" in failure.message
    assert "runtimePlatform" in failure.remedy


def test_a_job_that_failed_is_the_users_business(stack: Stack, container_id: str) -> None:
    """Whatever it printed: it has stopped with its exit code, and nothing of its output is in the item."""
    stack.start(container_id, cmd=["sh", "-c", "echo 'exec /opt/tool: exec format error'; exit 1"])
    record = stack.until(container_id, lambda seen: seen.state.ended, "the job has ended")
    assert (record.state, record.error) == (State.STOPPED, None)
    assert "/opt/tool" not in str({**(stack.item(container_id) or {}), "cmd": None})


def test_a_group_of_the_requests_own_is_not_read(stack: Stack, container_id: str) -> None:
    """It is in no role of the stack's: the end is what ECS tells, some seconds later."""
    stack.cloud.client("logs").create_log_group(logGroupName="/of/the/request")
    with another_agent(stack, "efs", foreign_program(), 0o755):
        stack.start(container_id, injection="efs", log={"group": "/of/the/request"})
        with pytest.raises(ContainerExited) as exited:
            stack.client.wait_until_healthy(container_id, PATIENCE)
    assert exited.value.exit_code == 1
