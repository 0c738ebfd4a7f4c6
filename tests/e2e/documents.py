"""The documents of `events/` as they would be on the stack under test."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from local.cloud.environment import ACCOUNT, REGION
from tests.factories import CLUSTER, CONTAINER_ID, TASK, event

CLUSTER_HERE: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"
ADDRESS: Final = "127.0.255.7"
"""Of no task, and nobody listens there: the local Fargate gives out 127.0.1.1 to 127.0.254.253."""

_FILES_ACCOUNT: Final = CLUSTER.split(":")[4]
_FILES_TASK: Final = TASK.rpartition("/")[2]
_FILES_ADDRESS: Final = "10.0.1.47"


def task_arn() -> str:
    """Of a task that was never started."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/{uuid.uuid4().hex}"


def of(name: str, container_id: str, task: str | None = None, address: str = ADDRESS) -> dict[str, Any]:
    """`events/<name>.json` about another container, its task and address, in the stack's account and cluster."""
    return moved(
        event(name),
        {
            _FILES_ACCOUNT: ACCOUNT,
            CONTAINER_ID: container_id,
            _FILES_TASK: (task or task_arn()).rpartition("/")[2],
            _FILES_ADDRESS: address,
        },
    )


def moved(document: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The document with each name replaced wherever it stands."""
    text = json.dumps(document)
    for old, new in names.items():
        text = text.replace(old, new)
    result: dict[str, Any] = json.loads(text)
    return result
