from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.fargate.harness import LocalServer, container, definition, refused, request, statuses

SLEEPER = definition(container("sleep", "60"))


def raw(server: LocalServer, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer to a request that boto3 would not send."""
    http = urllib.request.Request(  # noqa: S310 - the server of this test
        server.endpoint,
        data=body,
        headers={"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"},
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(http, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as exc:
        return exc.code, json.load(exc)


TARGET = "AmazonEC2ContainerServiceV20141113"


def test_registered_definition_is_described_with_defaults(server: LocalServer) -> None:
    """Registering answers with ARN, revision and ECS's defaults; the bare family finds the latest ACTIVE one."""
    first = server.ecs.register_task_definition(**SLEEPER)["taskDefinition"]
    second = server.ecs.register_task_definition(**SLEEPER, tags=[{"key": "a", "value": "b"}])["taskDefinition"]
    assert first["taskDefinitionArn"] == "arn:aws:ecs:us-east-1:000000000000:task-definition/tests:1"
    assert first["containerDefinitions"][0]["essential"] is True
    assert (second["revision"], second["status"]) == (2, "ACTIVE")
    described = server.ecs.describe_task_definition(taskDefinition="tests", include=["TAGS"])
    assert described["taskDefinition"] == second
    assert described["tags"] == [{"key": "a", "value": "b"}]
    for identifier in ("tests:1", first["taskDefinitionArn"]):
        assert server.ecs.describe_task_definition(taskDefinition=identifier)["taskDefinition"] == first


def test_deregistered_definition_is_not_the_latest(server: LocalServer) -> None:
    """A deregistered revision is INACTIVE, described by number, never the answer to the family, and runs nothing."""
    server.ecs.register_task_definition(**SLEEPER)
    gone = server.ecs.deregister_task_definition(taskDefinition="tests:1")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    assert server.ecs.describe_task_definition(taskDefinition="tests:1")["taskDefinition"]["status"] == "INACTIVE"
    unable = ("ClientException", "Unable to describe task definition.")
    assert refused(server.ecs.describe_task_definition, taskDefinition="tests") == unable
    assert refused(server.ecs.run_task, **request("tests:1")) == ("ClientException", "TaskDefinition is inactive")
    assert refused(server.ecs.run_task, **request("tests")) == ("ClientException", "TaskDefinition not found.")


def test_deleting_needs_inactive_and_frees_no_number(server: LocalServer) -> None:
    """DeleteTaskDefinitions refuses an ACTIVE one; a deleted revision is gone and its number is not used again."""
    server.ecs.register_task_definition(**SLEEPER)
    code, message = refused(server.ecs.delete_task_definitions, taskDefinitions=["tests:1"])
    assert (code, "still in ACTIVE status" in message) == ("ClientException", True)
    server.ecs.deregister_task_definition(taskDefinition="tests:1")
    answer = server.ecs.delete_task_definitions(taskDefinitions=["tests:1", "tests:9"])
    assert [one["status"] for one in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert [one["arn"] for one in answer["failures"]] == ["tests:9"]
    assert server.ecs.register_task_definition(**SLEEPER)["taskDefinition"]["revision"] == 2


def test_definitions_are_listed_in_pages(server: LocalServer) -> None:
    """ListTaskDefinitions filters by exact family and status, sorts, and pages with a token."""
    for family in ("tests", "tests", "tests-other"):
        server.ecs.register_task_definition(**{**SLEEPER, "family": family})
    server.ecs.deregister_task_definition(taskDefinition="tests:1")
    listed = server.ecs.list_task_definitions(familyPrefix="tests")["taskDefinitionArns"]
    assert [arn.rpartition("/")[2] for arn in listed] == ["tests:2"]
    inactive = server.ecs.list_task_definitions(status="INACTIVE")["taskDefinitionArns"]
    assert [arn.rpartition("/")[2] for arn in inactive] == ["tests:1"]
    pages = server.ecs.get_paginator("list_task_definitions").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["taskDefinitionArns"]) for page in pages] == [1, 1]


def test_families_are_listed_by_the_beginning_of_their_name(server: LocalServer) -> None:
    """ListTaskDefinitionFamilies: ACTIVE are those with an ACTIVE revision, INACTIVE all others, both by default."""
    for family in ("tests-b", "tests-b", "tests-a", "other"):
        server.ecs.register_task_definition(**{**SLEEPER, "family": family})
    server.ecs.deregister_task_definition(taskDefinition="tests-b:1")
    server.ecs.deregister_task_definition(taskDefinition="tests-a:1")

    def families(**parameters: Any) -> list[str]:
        listed: list[str] = server.ecs.list_task_definition_families(**parameters)["families"]
        return listed

    assert families() == families(status="ALL") == ["other", "tests-a", "tests-b"]
    assert families(familyPrefix="tests-") == ["tests-a", "tests-b"]
    assert families(familyPrefix="tests-", status="ACTIVE") == ["tests-b"]
    assert families(familyPrefix="tests-", status="INACTIVE") == ["tests-a"]
    pages = server.ecs.get_paginator("list_task_definition_families").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["families"]) for page in pages] == [2, 1]
    server.ecs.delete_task_definitions(taskDefinitions=["tests-a:1"])
    assert families(familyPrefix="tests-a") == []


def test_run_task_answers_provisioning(server: LocalServer) -> None:
    """RunTask answers version 1 with every container PENDING, the tags, and the default group."""
    server.ecs.register_task_definition(**SLEEPER)
    answer = server.ecs.run_task(**request("tests", count=2, tags=[{"key": "team", "value": "blue"}]))
    assert len({task["taskArn"] for task in answer["tasks"]}) == 2
    task = answer["tasks"][0]
    assert (task["lastStatus"], task["desiredStatus"], task["version"]) == ("PROVISIONING", "RUNNING", 1)
    assert (task["group"], task["launchType"]) == ("family:tests", "FARGATE")
    assert task["tags"] == [{"key": "team", "value": "blue"}]
    assert task["containers"][0]["lastStatus"] == "PENDING"
    assert datetime.now(UTC) - task["createdAt"] < timedelta(seconds=30)


def test_capacity_provider_is_shown(server: LocalServer) -> None:
    """A Spot task has the launch type FARGATE; only capacityProviderName shows Spot."""
    server.ecs.register_task_definition(**SLEEPER)
    run = request("tests", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    del run["launchType"]
    task = server.ecs.run_task(**run)["tasks"][0]
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")


def test_bad_run_task_is_refused(server: LocalServer) -> None:
    """RunTask refuses a request as AWS does, with InvalidParameterException, and starts nothing."""
    server.ecs.register_task_definition(**SLEEPER)
    bad = request("tests", overrides={"containerOverrides": [{"name": "sidecar"}]})
    assert refused(server.ecs.run_task, **bad) == (
        "InvalidParameterException",
        "Override for container named sidecar is not a container in the TaskDefinition.",
    )
    assert server.ecs.list_tasks()["taskArns"] == []


def test_unknown_cluster(server: LocalServer, tmp_path: Path) -> None:
    """A cluster that does not exist is ClusterNotFoundException; each cluster has its own tasks."""
    server.ecs.register_task_definition(**SLEEPER)
    run = request("tests", cluster="blue")
    assert refused(server.ecs.run_task, **run) == ("ClusterNotFoundException", "Cluster not found.")
    with LocalServer(tmp_path / "two", clusters=("default", "blue")) as two:
        two.ecs.register_task_definition(**SLEEPER)
        arn = "arn:aws:ecs:us-east-1:000000000000:cluster/blue"
        task = two.ecs.run_task(**{**run, "cluster": arn})["tasks"][0]
        assert two.ecs.list_tasks(cluster="blue")["taskArns"] == [task["taskArn"]]
        assert two.ecs.list_tasks()["taskArns"] == []
        code, message = refused(two.ecs.describe_tasks, tasks=[task["taskArn"]])
    assert (code, message) == (
        "InvalidParameterException",
        "Invalid identifier: Identifier is for cluster blue. Your cluster is default",
    )


def test_describe_tasks_reports_missing_and_limits(server: LocalServer) -> None:
    """Unknown tasks are failures with reason MISSING; none and more than a hundred are refused."""
    task = server.run(SLEEPER)
    unknown = "f" * 32
    answer = server.ecs.describe_tasks(tasks=[task["taskArn"].rpartition("/")[2], unknown])
    assert [one["taskArn"] for one in answer["tasks"]] == [task["taskArn"]]
    assert answer["failures"] == [
        {"arn": f"arn:aws:ecs:us-east-1:000000000000:task/default/{unknown}", "reason": "MISSING"}
    ]
    assert refused(server.ecs.describe_tasks, tasks=[]) == ("InvalidParameterException", "Tasks cannot be empty.")
    assert refused(server.ecs.describe_tasks, tasks=["f"] * 101)[0] == "InvalidParameterException"
    assert refused(server.ecs.describe_tasks, tasks=["x" * 37])[0] == "InvalidParameterException"


def test_tags_are_shown_on_request_and_lost_by_stop(server: LocalServer) -> None:
    """DescribeTasks shows tags only with include TAGS, and StopTask deletes them."""
    task = server.run(SLEEPER, tags=[{"key": "team", "value": "blue"}])
    arn = task["taskArn"]
    assert server.task(arn)["tags"] == []
    assert server.ecs.describe_tasks(tasks=[arn], include=["TAGS"])["tasks"][0]["tags"][0]["value"] == "blue"
    server.ecs.stop_task(task=arn)
    assert server.ecs.describe_tasks(tasks=[arn], include=["TAGS"])["tasks"][0]["tags"] == []


def test_clusters_are_described(server: LocalServer) -> None:
    """Each is ACTIVE with Fargate's capacity providers; one that does not exist is MISSING, as in ECS."""
    answer = server.ecs.describe_clusters(clusters=["default", "no-such"])
    [found] = answer["clusters"]
    assert (found["clusterName"], found["status"]) == ("default", "ACTIVE")
    assert found["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    [missing] = answer["failures"]
    assert (missing["arn"].rpartition("/")[2], missing["reason"]) == ("no-such", "MISSING")
    assert [one["clusterName"] for one in server.ecs.describe_clusters()["clusters"]] == ["default"]


def test_list_tasks_filters(server: LocalServer) -> None:
    """ListTasks shows desiredStatus RUNNING by default, and startedBy goes with no other filter but that."""
    server.ecs.register_task_definition(**SLEEPER)
    mine = server.ecs.run_task(**request("tests", startedBy="sockerless/abc/1"))["tasks"][0]["taskArn"]
    other = server.ecs.run_task(**request("tests"))["tasks"][0]["taskArn"]
    assert server.ecs.list_tasks()["taskArns"] == [mine, other]
    assert server.ecs.list_tasks(startedBy="sockerless/abc/1")["taskArns"] == [mine]
    assert server.ecs.list_tasks(family="none")["taskArns"] == []
    server.ecs.stop_task(task=mine)
    assert server.ecs.list_tasks(startedBy="sockerless/abc/1")["taskArns"] == []
    assert server.ecs.list_tasks(startedBy="sockerless/abc/1", desiredStatus="STOPPED")["taskArns"] == [mine]
    assert server.ecs.list_tasks(desiredStatus="PENDING")["taskArns"] == []
    assert refused(server.ecs.list_tasks, startedBy="a", family="b")[0] == "InvalidParameterException"
    assert refused(server.ecs.list_tasks, nextToken="???")[0] == "InvalidParameterException"


def test_stop_task_unknown_and_repeated(server: LocalServer) -> None:
    """StopTask refuses a task it does not know; repeated, it changes nothing."""
    unknown = ("InvalidParameterException", "The referenced task was not found.")
    assert refused(server.ecs.stop_task, task="f" * 32) == unknown
    task = server.run(SLEEPER)
    server.ecs.stop_task(task=task["taskArn"], reason="one")
    server.ecs.stop_task(task=task["taskArn"], reason="two")
    stopped = server.task_when(task["taskArn"], "STOPPED")
    assert stopped["stoppedReason"] == "one"
    assert statuses(server.local.events(task["taskArn"])).count("STOPPING") == 1
    assert server.ecs.stop_task(task=task["taskArn"])["task"]["version"] == stopped["version"]


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        (f"{TARGET}.RunTask", b"{", "SerializationException"),
        (f"{TARGET}.RunTask", b"[]", "SerializationException"),
        (f"{TARGET}.RunTask", b"{}", "InvalidParameterException"),
        (f"{TARGET}.RunTask", b'{"taskDefinition": 5}', "InvalidParameterException"),
        (f"{TARGET}.RunTask", b'{"taskDefinition": "a", "launchType": "MOON"}', "InvalidParameterException"),
        (f"{TARGET}.RegisterTaskDefinition", b'{"family": "a"}', "ClientException"),
        (f"{TARGET}.CreateService", b'{"serviceName": "a"}', "UnsupportedFeatureException"),
        (f"{TARGET}.Nonsense", b"{}", "UnknownOperationException"),
        ("Elsewhere.RunTask", b"{}", "UnknownOperationException"),
    ],
)
def test_requests_that_boto3_would_not_send(server: LocalServer, target: str, body: bytes, code: str) -> None:
    """A malformed request is answered with HTTP 400 and the name of an AWS exception."""
    status, answer = raw(server, target, body)
    assert (status, answer["__type"]) == (400, code)
    assert answer["message"]


def test_calls_are_counted(server: LocalServer) -> None:
    """Every call counts, refused ones too, until the count is reset."""
    server.ecs.register_task_definition(**SLEEPER)
    refused(server.ecs.stop_task, task="f" * 32)
    assert server.local.calls() == {"RegisterTaskDefinition": 1, "StopTask": 1}
    server.local.reset_calls()
    assert server.local.calls() == {}


def test_local_tasks_tell_what_runs(server: LocalServer) -> None:
    """`/_local/tasks` names the address and the process of each task."""
    task = server.run(SLEEPER, startedBy="sockerless/abc/1")
    server.task_when(task["taskArn"], "RUNNING")
    (shown,) = server.local.tasks()
    assert (shown["arn"], shown["started_by"], shown["last_status"]) == (
        task["taskArn"],
        "sockerless/abc/1",
        "RUNNING",
    )
    assert shown["address"].startswith("127.0.")
    assert list(shown["pids"]) == ["main"]
