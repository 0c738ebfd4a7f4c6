"""The local Fargate against real captures: its events and its DescribeTasks answers have their shape."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.local.fargate.harness import LocalServer, container, definition, environment, statuses
from tests.unit.local.shapes import SHAPES, Difference, differences, excepted, fraction_digits

EVENTS: Final = Path(__file__).parents[3] / "events"
DETAILS: Final = ("subnetId", "networkInterfaceId", "macAddress", "privateDnsName", "privateIPv4Address")
"""In the order of every capture."""
OVERRIDE: Final = {"name": "main", "command": ["sh", "-c", "exit 7"], "environment": environment(COLOUR="blue")}
OVERRIDES: Final = {"containerOverrides": [OVERRIDE]}
STARTED_BY = f"sockerless/{'0a' * 32}/1"


@dataclass(frozen=True)
class Shown:
    """What a local Fargate showed: the events of each task, and the Tasks of its API's answers."""

    lives: list[list[dict[str, Any]]]
    tasks: list[dict[str, Any]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Two whole lives: a task with overrides and an init container that ends by itself, and one that is stopped."""
    with LocalServer(tmp_path_factory.mktemp("fargate")) as server:
        init = container("true", name="init", essential=False)
        main = container("true", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}])
        ends = server.run(definition(init, main), startedBy=STARTED_BY, overrides=OVERRIDES)
        runs = server.run(definition(container("sleep", "60"), family="sleeper"), startedBy=STARTED_BY)
        arns = [ends["taskArn"], runs["taskArn"]]
        server.task_when(runs["taskArn"], "RUNNING")
        running = server.ecs.describe_tasks(tasks=[runs["taskArn"]], include=["TAGS"])["tasks"]
        stopping = server.ecs.stop_task(task=runs["taskArn"], reason="enough")["task"]
        for arn in arns:
            server.task_when(arn, "STOPPED")
        stopped = server.ecs.describe_tasks(tasks=arns, include=["TAGS"])["tasks"]
        lives = [server.local.events(arn) for arn in arns]
    return Shown(lives, [ends, runs, *running, stopping, *stopped])


def all_differences(shown: Shown) -> list[Difference]:
    events = [difference for life in shown.lives for event in life for difference in differences("event", event)]
    return events + [difference for task in shown.tasks for difference in differences("api", task)]


def test_nothing_differs_without_a_reason(shown: Shown) -> None:
    """No member that no capture has, every member that all captures of the status have, and the captured types."""
    assert [one for one in all_differences(shown) if excepted(one) is None] == []


def test_every_exception_is_needed_and_justified(shown: Shown) -> None:
    """An exception that covers nothing any more goes; one without a reason never was one."""
    used = [excepted(one) for one in all_differences(shown)]
    assert [one for one in SHAPES["exceptions"] if one not in used] == []
    assert all(one["reason"].endswith(".") for one in SHAPES["exceptions"])


def test_both_lives_show_what_is_compared(shown: Shown) -> None:
    """The comparison is not empty: each status of a plain task, in events and, as far as it stays, in the API."""
    ends, stops = (statuses(life) for life in shown.lives)
    assert ends == ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"]
    assert stops == ["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    assert [task["lastStatus"] for task in shown.tasks] == [
        "PROVISIONING", "PROVISIONING", "RUNNING", "STOPPING", "STOPPED", "STOPPED",
    ]  # fmt: skip


def test_statuses_come_in_the_captured_order(shown: Shown) -> None:
    """A life goes forward only, with versions that rise and a last change that is never earlier."""
    order = SHAPES["statuses"]
    for life in shown.lives:
        details = [event["detail"] for event in life]
        ranks = [order.index(detail["lastStatus"]) for detail in details]
        versions = [detail["version"] for detail in details]
        changes = [datetime.fromisoformat(detail["updatedAt"]) for detail in details]
        assert ranks == sorted(set(ranks))
        assert versions == list(range(1, len(versions) + 1))
        assert changes == sorted(changes)


def test_desired_status_turns_once(shown: Shown) -> None:
    """RUNNING until the task is to end, STOPPED from then on, and never anything else."""
    for life in shown.lives:
        desired = [event["detail"]["desiredStatus"] for event in life]
        assert set(desired) == {"RUNNING", "STOPPED"}
        assert desired == sorted(desired)


def test_instants_have_captured_forms(shown: Shown) -> None:
    """Fractions of a second have as many digits as captured ones; the envelope's time has none."""
    allowed = {*SHAPES["fraction_digits"], SHAPES["fraction_digits_excepted"]["digits"]}
    for event in (event for life in shown.lives for event in life):
        assert fraction_digits(event["detail"]) <= allowed
        assert fraction_digits({"time": event["time"]}) == {0}
        assert event["time"][:19] == event["detail"]["updatedAt"][:19]


@pytest.mark.parametrize("kind", ["event", "api"])
def test_interface_is_spelt_as_captured(shown: Shown, kind: str) -> None:
    """The type of the attachment, its status, and the names and order of its details, by lastStatus."""
    captured = SHAPES["interfaces"][kind]
    documents = [event["detail"] for life in shown.lives for event in life] if kind == "event" else shown.tasks
    compared = set()
    for document in documents:
        [attachment] = document["attachments"]
        assert attachment["type"] == captured["type"]
        if (expected := captured["by_status"].get(document["lastStatus"])) is None:
            continue
        compared.add(document["lastStatus"])
        names = [pair["name"] for pair in attachment["details"]]
        assert attachment["status"] in expected["statuses"]
        assert set(expected["always"]) <= set(names) <= {*expected["always"], *expected["sometimes"]}
        assert names == [name for name in DETAILS if name in names]
    assert {"PROVISIONING", "RUNNING"} <= compared


@pytest.mark.parametrize(
    ("damage", "path", "what"),
    [
        (lambda detail: detail.update(healthStatus="UNKNOWN"), "event.detail.healthStatus", "unknown"),
        (lambda detail: detail.pop("connectivityAt"), "event.detail.connectivityAt", "missing"),
        (lambda detail: detail.update(cpu=256), "event.detail.cpu", "integer, not digits"),
        (lambda detail: detail.update(startedAt="2026-11-23 10:00"), "event.detail.startedAt", "string, not instant"),
        (lambda detail: detail.update(stoppedReason=None), "event.detail.stoppedReason", "unknown"),
        (
            lambda detail: detail["containers"][0].update(healthStatus="UNKNOWN"),
            "event.detail.containers[].healthStatus",
            "unknown",
        ),
    ],
)
def test_a_difference_is_found(shown: Shown, damage: Callable[[dict[str, Any]], Any], path: str, what: str) -> None:
    """What ECS would not show is found, wherever it is: in a RUNNING event that was right before."""
    event = copy.deepcopy(next(one for one in shown.lives[1] if one["detail"]["lastStatus"] == "RUNNING"))
    assert differences("event", event) == []
    damage(event["detail"])
    assert Difference("event", "RUNNING", path, what) in differences("event", event)


def test_event_files_have_the_shape() -> None:
    """events/ shows what ECS could send: the plain files differ from captures no more than the local Fargate does."""
    for name in ("task-running", "task-deprovisioning", "task-stopped", "ignored-provisioning", "ignored-pending"):
        document = json.loads((EVENTS / f"{name}.json").read_text())
        assert [one for one in differences("event", document) if excepted(one) is None] == [], name
