"""The documents of `events/` as they would be on the stack under test."""

from __future__ import annotations

import uuid
from typing import Any, Final

from local.cloud.environment import ACCOUNT, REGION
from tests import event_files

CLUSTER_HERE: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"
ADDRESS: Final = "127.0.255.7"
"""Of no task, and nobody listens there: the local Fargate gives out 127.0.1.1 to 127.0.254.253."""


def task_arn() -> str:
    """Of a task that was never started."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/{uuid.uuid4().hex}"


def of(name: str, container_id: str, task: str | None = None, address: str = ADDRESS) -> dict[str, Any]:
    """`events/<name>.json` about another container, its task and address, in the stack's account and cluster."""
    return event_files.for_task(name, container=container_id, task_arn=task or task_arn(), address=address)
