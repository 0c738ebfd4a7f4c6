from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.unit.local.fargate.harness import (
    LocalServer,
    address_of,
    container,
    definition,
    environment,
    request,
    until,
)

SLEEPER = definition(container("sleep", "60"))


def life_of(server: LocalServer, task: dict[str, Any]) -> list[dict[str, Any]]:
    """The details of all events of a task that has stopped."""
    server.task_when(task["taskArn"], "STOPPED")
    return [event["detail"] for event in server.local.events(task["taskArn"])]


def test_exit_walks_without_stopping(server: LocalServer) -> None:
    """An essential exit goes RUNNING, DEPROVISIONING, STOPPED with consecutive versions, as plain RunTask tasks do."""
    life = life_of(server, server.run(definition(container("sh", "-c", "exit 7"))))
    assert [(detail["lastStatus"], detail["desiredStatus"], detail["version"]) for detail in life] == [
        ("PROVISIONING", "RUNNING", 1),
        ("PENDING", "RUNNING", 2),
        ("RUNNING", "RUNNING", 3),
        ("DEPROVISIONING", "STOPPED", 4),
        ("STOPPED", "STOPPED", 5),
    ]
    end = life[-1]
    assert (end["stopCode"], end["stoppedReason"]) == ("EssentialContainerExited", "Essential container in task exited")
    assert end["containers"][0]["exitCode"] == 7
    assert "exitCode" not in life[2]["containers"][0]


def test_stop_walks_through_stopping(server: LocalServer) -> None:
    """StopTask shows STOPPING at once, then the exit; SIGTERM is 143 and the reason is the caller's."""
    task = server.run(SLEEPER)
    server.task_when(task["taskArn"], "RUNNING")
    answer = server.ecs.stop_task(task=task["taskArn"], reason="enough")["task"]
    assert (answer["lastStatus"], answer["desiredStatus"], answer["stopCode"]) == (
        "STOPPING",
        "STOPPED",
        "UserInitiated",
    )
    life = life_of(server, task)
    assert [detail["lastStatus"] for detail in life][2:] == ["RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    assert life[-1]["stoppedReason"] == "enough"
    assert life[-1]["containers"][0]["exitCode"] == 143
    assert [detail["stoppingAt"] for detail in life[3:]] == [life[3]["updatedAt"]] * 3


def test_stop_before_running_never_starts(server: LocalServer) -> None:
    """A task that is stopped while PROVISIONING starts no container and has no exit code."""
    task = server.run(SLEEPER)
    server.ecs.stop_task(task=task["taskArn"])
    end = life_of(server, task)[-1]
    assert end["stoppedReason"] == "Task stopped by user"
    assert "exitCode" not in end["containers"][0]
    assert not {"startedAt", "executionStoppedAt"} & set(end)


def test_address_appears_at_pending_and_stays(server: LocalServer) -> None:
    """The interface is PRECREATED with a subnet only, ATTACHED with the address, DELETED and still printed."""
    life = life_of(server, server.run(definition(container("true"))))
    shown = [(detail["attachments"][0]["status"], len(detail["attachments"][0]["details"])) for detail in life]
    assert shown == [("PRECREATED", 1), ("ATTACHED", 5), ("ATTACHED", 5), ("ATTACHED", 5), ("DELETED", 5)]
    names = [pair["name"] for pair in life[1]["attachments"][0]["details"]]
    assert names == ["subnetId", "networkInterfaceId", "macAddress", "privateDnsName", "privateIPv4Address"]
    assert life[0]["containers"][0]["networkInterfaces"] == []
    interface = life[1]["containers"][0]["networkInterfaces"][0]
    assert interface["privateIpv4Address"] == life[1]["attachments"][0]["details"][4]["value"]
    assert re.fullmatch(r"127\.0\.\d+\.\d+", interface["privateIpv4Address"])


def test_instants_appear_when_their_time_comes(server: LocalServer) -> None:
    """Each instant is absent before its status and stays the same after it; the last change is updatedAt."""
    life = life_of(server, server.run(definition(container("true"))))
    instants = ["pullStartedAt", "pullStoppedAt", "startedAt", "executionStoppedAt", "stoppingAt", "stoppedAt"]
    present = [[name for name in instants if name in detail] for detail in life]
    assert present == [[], [], instants[:3], instants[:5], instants]
    end = life[-1]
    order = ["createdAt", "connectivityAt", *instants]
    moments = [datetime.fromisoformat(end[name]) for name in order]
    assert moments == sorted(moments)
    assert life[2]["startedAt"] == life[2]["updatedAt"]
    assert end["stoppedAt"] == end["updatedAt"]


def test_killed_main_is_137(server: LocalServer) -> None:
    """A main process that dies by SIGKILL ends the task like any exit, with 128 + 9."""
    task = server.run(SLEEPER)
    server.task_when(task["taskArn"], "RUNNING")
    server.local.kill(task["taskArn"])
    end = life_of(server, task)[-1]
    assert (end["stopCode"], end["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)


def test_spot_interruption_first_shows_running(server: LocalServer) -> None:
    """The two-minute warning is a RUNNING event whose desiredStatus is STOPPED."""
    task = server.run(SLEEPER)
    server.task_when(task["taskArn"], "RUNNING")
    server.local.interrupt(task["taskArn"])
    life = life_of(server, task)
    assert (life[3]["lastStatus"], life[3]["desiredStatus"]) == ("RUNNING", "STOPPED")
    assert (life[3]["stopCode"], life[3]["stoppedReason"]) == ("SpotInterruption", "Your Spot Task was interrupted.")
    assert [detail["lastStatus"] for detail in life][4:] == ["DEPROVISIONING", "STOPPED"]


def test_sigkill_follows_the_stop_timeout(server: LocalServer) -> None:
    """A process that ignores SIGTERM is killed after its stopTimeout: 137."""
    stubborn = container("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    task = server.run(definition(stubborn))
    until(lambda: server.log(task, "main"), lambda text: "deaf" in text)
    server.task_when(task["taskArn"], "RUNNING")
    server.ecs.stop_task(task=task["taskArn"])
    assert life_of(server, task)[-1]["containers"][0]["exitCode"] == 137


def test_both_spellings_tell_the_same(server: LocalServer) -> None:
    """DescribeTasks and the event of one version differ in spelling alone."""
    task = server.run(SLEEPER, tags=[{"key": "team", "value": "blue"}], startedBy="sockerless/abc/1")
    described = server.task_when(task["taskArn"], "RUNNING")
    detail = server.local.events(task["taskArn"])[-1]["detail"]
    assert described["version"] == detail["version"]
    assert described["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert detail["attachments"][0]["type"] == "eni"
    assert described["attachments"][0]["details"] == detail["attachments"][0]["details"]
    assert described["startedAt"] == datetime.fromisoformat(detail["startedAt"])
    assert described["startedBy"] == detail["startedBy"] == "sockerless/abc/1"
    assert described["healthStatus"] == "UNKNOWN"
    assert not {"tags", "healthStatus", "platformFamily"} & set(detail)
    assert "updatedAt" not in described


def test_envelope(server: LocalServer) -> None:
    """The envelope is EventBridge's: the task as resource, and a time that has lost its fraction."""
    task = server.run(definition(container("true")))
    event = server.local.events(task["taskArn"])[0]
    assert list(event) == ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]
    assert (event["detail-type"], event["source"], event["version"]) == ("ECS Task State Change", "aws.ecs", "0")
    assert event["resources"] == [task["taskArn"]]
    assert event["time"] == event["detail"]["updatedAt"][:19] + "Z"


def test_overrides_are_echoed_and_redacted_in_the_record(server: LocalServer) -> None:
    """Events echo override values as AWS does; `/_local/events` redacts them."""
    override = {"name": "main", "command": ["sleep", "61"], "environment": environment(SECRET="hush-hush")}
    task = server.run(SLEEPER, overrides={"containerOverrides": [override]})
    assert task["overrides"]["containerOverrides"][0]["environment"] == environment(SECRET="hush-hush")
    shown = server.local.events(task["taskArn"])[0]["detail"]["overrides"]["containerOverrides"]
    assert shown == [{"command": ["sleep", "61"], "environment": environment(SECRET="***"), "name": "main"}]


def test_addresses_are_not_reused_while_others_are_free(server: LocalServer) -> None:
    """A later task does not get the address of one that has just ended."""
    first = server.run(definition(container("true")))
    ended = server.task_when(first["taskArn"], "STOPPED")
    second = server.ecs.run_task(**request("tests"))["tasks"][0]
    assert address_of(server.task_when(second["taskArn"], "PENDING", "RUNNING")) != address_of(ended)


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING"])
def test_connectivity_is_shown_late(server: LocalServer, status: str) -> None:
    """`connectivity` is absent from the first two versions, although its instant is before the second."""
    life = life_of(server, server.run(definition(container("true"))))
    by_status = {detail["lastStatus"]: detail for detail in life}
    assert "connectivity" not in by_status[status]
    connected = datetime.fromisoformat(by_status["RUNNING"]["connectivityAt"])
    assert connected < datetime.fromisoformat(by_status["PENDING"]["updatedAt"])
