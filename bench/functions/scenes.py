"""One ordinary event for each function, and what AWS answers to the calls that it makes for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from bench.functions.double import ADDRESS, ID
from core.model.parts import Probe
from core.model.record import Record
from core.storage.item import to_item
from tests.factories import CLUSTER, CONTAINER_ID, DEFINITION, TASK, event, pending
from tests.records import healthy, resolved

TABLE: Final = "containers"
_FAR: Final = datetime(2999, 1, 1, tzinfo=UTC)
_SENT: Final = {"MessageId": "1"}


@dataclass(frozen=True, slots=True)
class Scene:
    """`module`: the function's, below `handlers`. `answers` by operation; one that is not here is not called.

    Its event and its answers have `double.ID` for the container's id.
    """

    function: str
    module: str
    event: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Any]]


def _item(record: Record) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    document = {name: serialize(value) for name, value in to_item(record).items()}
    return dict(json.loads(json.dumps(document).replace(CONTAINER_ID, ID)))


def _event(name: str) -> dict[str, Any]:
    return dict(json.loads(json.dumps(event(name)).replace(CONTAINER_ID, ID)))


def _probe() -> dict[str, Any]:
    """A message whose agent is the double."""
    message = _event("agent-health")
    body = {**json.loads(message["Records"][0]["body"]), "address": ADDRESS}
    message["Records"][0]["body"] = json.dumps(body)
    return message


_RESOLVED: Final = _item(resolved(agent_address=ADDRESS, probe=Probe(deadline=_FAR)))
_TASK: Final = {
    "taskArn": TASK,
    "taskDefinitionArn": DEFINITION,
    "clusterArn": CLUSTER,
    "lastStatus": "PROVISIONING",
    "desiredStatus": "RUNNING",
}

SCENES: Final = {
    "task-running": Scene(
        "TaskStateFunction",
        "task_state",
        _event("task-running"),
        {"GetItem": {"Item": _item(pending())}, "PutItem": {}, "SendMessage": _SENT},
    ),
    "agent-answers": Scene(
        "AgentHealthFunction",
        "agent_health",
        _probe(),
        {
            "BatchGetItem": {"Responses": {TABLE: [_RESOLVED]}, "UnprocessedKeys": {}},
            "GetItem": {"Item": _RESOLVED},
            "PutItem": {},
        },
    ),
    "start": Scene(
        "StartContainerFunction",
        "start_container",
        _event("start-container"),
        {"GetItem": {}, "PutItem": {}, "RunTask": {"tasks": [_TASK], "failures": []}},
    ),
    "stop": Scene(
        "StopContainerFunction",
        "stop_container",
        _event("stop-container"),
        {"GetItem": {"Item": _item(healthy())}, "PutItem": {}, "StopTask": {"task": _TASK}},
    ),
    "nothing-due": Scene("ReconcileFunction", "reconcile", _event("reconcile"), {"Query": {"Items": [], "Count": 0}}),
}
"""By name."""


def answers() -> dict[str, Mapping[str, Any]]:
    """For `double.double`; a bare function reads an item in every scene."""
    return {name: {"GetItem": {}, **scene.answers} for name, scene in SCENES.items()}


def event_of(scene: str, container_id: str, address: str) -> str:
    """The event of a scene as JSON, for one container, with an agent at `host:port`."""
    return json.dumps(SCENES[scene].event).replace(ID, container_id).replace(ADDRESS, address)
