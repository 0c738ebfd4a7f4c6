from __future__ import annotations

import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.fargate.client import LocalFargateError
from tests.unit.local.fargate.harness import (
    LocalServer,
    address_of,
    agent_definition,
    container,
    definition,
    efs_definition,
    init_definition,
    refused,
    request,
)


def test_blocked_port_times_out(agents: LocalServer, port: int) -> None:
    """A blocked port does not answer: connecting ends at the caller's time-out."""
    agents.local.fault("blocked", "port-blocked")
    task = agents.run(agent_definition(port), startedBy="blocked/1")
    running = agents.task_when(task["taskArn"], "RUNNING")
    with pytest.raises(TimeoutError):
        socket.create_connection((address_of(running), port), timeout=1.5)
    agents.ecs.stop_task(task=task["taskArn"])
    assert agents.task_when(task["taskArn"], "STOPPED")["containers"][0]["exitCode"] == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address_of(running), port), timeout=1.5)


def test_refused_port_refuses(agents: LocalServer, port: int) -> None:
    """The task and its agent run, but the agent is not bound to the task's address."""
    agents.local.fault("agent/baked", "port-refused")
    task = agents.run(agent_definition(port))
    running = agents.task_when(task["taskArn"], "RUNNING")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address_of(running), port), timeout=2)


@pytest.mark.parametrize("strategy", ["image", "efs", "init-container"])
def test_missing_agent_fails_in_every_strategy(agents: LocalServer, port: int, strategy: str) -> None:
    """`agent-missing` takes the binary away, and the start fails at the execution."""
    agents.local.fault("", "agent-missing")
    build = {"image": agent_definition, "efs": efs_definition, "init-container": init_definition}[strategy]
    ended = agents.task_when(agents.run(build(port))["taskArn"], "STOPPED")
    assert (ended["stopCode"], ended["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    main = next(one for one in ended["containers"] if one["name"] == "main")
    assert main["reason"].endswith("no such file or directory: unknown")


def test_image_pull_failure(server: LocalServer) -> None:
    """A failed pull is the reason of the task and of the container; no container ran."""
    server.local.fault("debian", "image-pull", times=1)
    sleeper = definition(container("sleep", "60"))
    ended = server.task_when(server.run(sleeper)["taskArn"], "STOPPED")
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("CannotPullContainerError: ")
    assert ended["containers"][0]["reason"] == ended["stoppedReason"]
    assert "pullStartedAt" in ended
    assert "pullStoppedAt" not in ended
    again = server.ecs.run_task(**request("tests"))["tasks"][0]
    assert server.task_when(again["taskArn"], "RUNNING", "STOPPED")["lastStatus"] == "RUNNING"


@pytest.mark.parametrize(
    ("fault", "text"),
    [("efs-mount", "mount.nfs4: Connection timed out"), ("eni-provisioning", "failed to configure ENI")],
)
def test_initialization_failures(agents: LocalServer, port: int, fault: str, text: str) -> None:
    """EFS and network failures are a ResourceInitializationError in the task's stoppedReason."""
    agents.local.fault("sockerless/", fault)
    task = agents.run(efs_definition(port), startedBy="sockerless/abc/1")
    ended = agents.task_when(task["taskArn"], "STOPPED")
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("ResourceInitializationError: ")
    assert text in ended["stoppedReason"]


def test_reason_can_be_chosen(server: LocalServer) -> None:
    """A fault's `reason` replaces the default text: AWS has many for one failure."""
    server.local.fault("", "image-pull", reason="CannotPullImageManifestError: manifest unknown")
    ended = server.task_when(server.run(definition(container("sleep", "60")))["taskArn"], "STOPPED")
    assert ended["stoppedReason"] == "CannotPullImageManifestError: manifest unknown"


def spot_request(provider: str = "FARGATE_SPOT") -> dict[str, Any]:
    """A RunTask request for a capacity provider."""
    run = request("tests", capacityProviderStrategy=[{"capacityProvider": provider, "weight": 1}])
    del run["launchType"]
    return run


def test_no_spot_capacity_leaves_on_demand(server: LocalServer) -> None:
    """RunTask answers as it does without any capacity, but for Spot alone; or a task of Spot fails to start."""
    server.ecs.register_task_definition(**definition(container("sleep", "60")))
    server.local.fault("", "spot-capacity", times=1)
    for run in (request("tests"), spot_request("FARGATE")):
        assert server.ecs.run_task(**run)["failures"] == []
    answer = server.ecs.run_task(**spot_request())
    assert answer["tasks"] == []
    assert answer["failures"][0]["reason"].startswith("Capacity is unavailable at this time.")

    server.local.fault("", "spot-capacity-late")
    [task] = server.ecs.run_task(**spot_request())["tasks"]
    ended = server.task_when(task["taskArn"], "STOPPED")
    assert (ended["stopCode"], ended["capacityProviderName"]) == ("TaskFailedToStart", "FARGATE_SPOT")
    assert ended["stoppedReason"].startswith("Capacity is unavailable at this time.")
    [task] = server.ecs.run_task(**spot_request("FARGATE"))["tasks"]
    assert server.task_when(task["taskArn"], "RUNNING", "STOPPED")["lastStatus"] == "RUNNING"


def test_spot_is_interrupted(server: LocalServer) -> None:
    """Some time after RUNNING: a notice, then the end with SIGTERM's exit code. On-Demand runs on."""
    server.ecs.register_task_definition(**definition(container("sleep", "60")))
    server.local.fault("", "spot-interruption", after_seconds=0.05)
    [spot] = server.ecs.run_task(**spot_request())["tasks"]
    [other] = server.ecs.run_task(**spot_request("FARGATE"))["tasks"]
    ended = server.task_when(spot["taskArn"], "STOPPED")
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("SpotInterruption", 143)
    shown = [
        (one["detail"]["lastStatus"], one["detail"]["desiredStatus"]) for one in server.local.events(spot["taskArn"])
    ]
    assert ("RUNNING", "STOPPED") in shown
    assert server.task(other["taskArn"])["desiredStatus"] == "RUNNING"


def test_a_cluster_may_lack_the_capacity_provider(server: LocalServer) -> None:
    """ECS refuses the strategy in its own words; a launch type needs no provider."""
    server.ecs.register_task_definition(**definition(container("sleep", "60")))
    server.local.fault("", "capacity-provider")
    code, message = refused(server.ecs.run_task, **spot_request())
    assert (code, "not associated with the cluster" in message) == ("InvalidParameterException", True)
    assert server.ecs.run_task(**request("tests"))["failures"] == []


def test_no_capacity_is_a_200_without_tasks(server: LocalServer) -> None:
    """Without capacity RunTask succeeds with failures and no task; the same token gets the same answer."""
    server.ecs.register_task_definition(**definition(container("sleep", "60")))
    server.local.fault("sockerless/", "capacity", times=1)
    run = request("tests", startedBy="sockerless/abc/1", clientToken="token-1")
    answer = server.ecs.run_task(**run)
    assert answer["tasks"] == []
    assert answer["failures"][0]["reason"].startswith("Capacity is unavailable at this time.")
    assert server.ecs.run_task(**run)["failures"] == answer["failures"]
    assert len(server.ecs.run_task(**{**run, "clientToken": "token-2"})["tasks"]) == 1


def test_throttling(server: LocalServer) -> None:
    """A throttled call is ThrottlingException, HTTP 400, as often as the fault says."""
    server.ecs.register_task_definition(**definition(container("sleep", "60")))
    server.local.fault("", "throttle", times=2)
    for _ in range(2):
        with pytest.raises(ClientError, match="Rate exceeded") as caught:
            server.ecs.run_task(**request("tests"))
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(server.ecs.run_task(**request("tests"))["tasks"]) == 1
    assert server.local.faults()[0]["applied"] == 2


@pytest.mark.parametrize(
    ("name", "parameters", "complaint"),
    [
        ("nonsense", {}, "fault must be one of: image-pull, "),
        ("events", {"drop": 2}, "drop of events is out of range"),
        ("events", {"lose": 1}, "events takes delay_seconds, drop, "),
        ("throttle", {"times": 0}, "times must be a positive number"),
        ("port-blocked", {"reason": "x"}, "port-blocked takes no parameters, not reason"),
    ],
)
def test_bad_faults_are_refused(server: LocalServer, name: str, parameters: dict[str, int], complaint: str) -> None:
    """A fault that would do nothing is refused, and the answer says what is allowed."""
    with pytest.raises(LocalFargateError, match=complaint):
        server.local.fault("", name, **parameters)


def test_faults_can_be_taken_back(server: LocalServer) -> None:
    """After DELETE no fault is in force."""
    server.local.fault("", "throttle")
    server.local.clear_faults()
    server.ecs.register_task_definition(**definition(container("true")))
    assert len(server.ecs.run_task(**request("tests"))["tasks"]) == 1


def test_kill_needs_something_that_runs(server: LocalServer) -> None:
    """Killing a task without a running main process, or no task, says so."""
    task = server.run(definition(container("sleep", "60")))
    with pytest.raises(LocalFargateError, match="no essential container"):
        server.local.kill(task["taskArn"])
    with pytest.raises(LocalFargateError, match="no such task"):
        server.local.kill("f" * 32)
