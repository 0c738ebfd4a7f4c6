"""Values for tests: one container, one task, one clock. Everything that a test does not name has a usual value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.launch.settings import Settings
from core.model.agent import Injection
from core.model.facts import (
    AgentAnswered,
    AgentSilent,
    Attachment,
    ContainerSeen,
    Interface,
    Source,
    TaskObserved,
    TimePassed,
)
from core.model.identity import Ref
from core.model.policy import Policy
from core.model.record import Record
from core.model.state import State

EVENTS = Path(__file__).parent.parent / "events"
CONTAINER_ID = "4f5c0e4a9b7d4c2e8a61f3d09b5e7c1a2d8f6b3e0c9a7541e2b4d6f8a0c1e3f5"
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/default"
TASK = "arn:aws:ecs:us-east-1:123456789012:task/default/0f6a1c52c0d94d8e9a7b3e5d1c2f4a68"
DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/sockerless-2f9c1d7e:1"
ADDRESS = "10.0.1.47:9111"
TOKEN = "ab" * 32
REF = Ref(CONTAINER_ID, 1)
POLICY = Policy()
SETTINGS = Settings(
    table_name="containers", cluster_arn=CLUSTER, task_subnets=("subnet-00000001",), agent_image="agent:1"
)
START = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after the container was recorded."""
    return START + timedelta(seconds=seconds)


def event(name: str) -> dict[str, Any]:
    """A document of `events/`."""
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return document


def pending(**changes: Any) -> Record:
    """A record as start_container saves it before RunTask."""
    values: dict[str, Any] = {
        "container_id": CONTAINER_ID,
        "state": State.PENDING,
        "generation": 1,
        "revision": 1,
        "created_at": START,
        "updated_at": START,
        "cluster_arn": CLUSTER,
        "image": "python:3.13-slim",
        "injection": Injection.EFS,
        "cmd": ("python", "-m", "http.server"),
        "agent_token": TOKEN,
        "watch": "shard-1",
        "check_at": at(60),
    }
    return Record(**(values | changes))


def eni(ip: str | None = "10.0.1.47", status: str = "ATTACHED", name: str = "att-1", **details: str) -> Attachment:
    """A network interface in the event's spelling."""
    shown = {"subnetId": "subnet-1", **({"privateIPv4Address": ip} if ip else {}), **details}
    raw = {"id": name, "type": "eni", "status": status, "details": [{"name": k, "value": v} for k, v in shown.items()]}
    return Attachment(name, "eni", status, shown, raw)


def main_container(**changes: Any) -> ContainerSeen:
    """The container that the agent runs in, RUNNING."""
    values: dict[str, Any] = {
        "name": "main",
        "last_status": "RUNNING",
        "interfaces": (Interface("att-1", "10.0.1.47"),),
    }
    return ContainerSeen(**(values | changes))


def observed(
    version: int, last_status: str = "RUNNING", desired_status: str = "RUNNING", generation: int = 1, **changes: Any
) -> TaskObserved:
    """A snapshot of the task; RUNNING with an address unless said otherwise."""
    values: dict[str, Any] = {
        "ref": Ref(CONTAINER_ID, generation),
        "at": at(version),
        "source": Source.EVENT,
        "task_arn": TASK,
        "version": version,
        "last_status": last_status,
        "desired_status": desired_status,
        "cluster_arn": CLUSTER,
        "task_definition_arn": DEFINITION,
        "containers": (main_container(),),
        "attachments": (eni(),),
        "created_at": at(0.5),
        "started_at": at(2.5) if last_status not in {"PROVISIONING", "PENDING", "ACTIVATING"} else None,
        "updated_at": at(version - 0.25),
    }
    return TaskObserved(**(values | changes))


def exited(
    version: int, last_status: str = "DEPROVISIONING", exit_code: int | None = 0, **changes: Any
) -> TaskObserved:
    """A snapshot of the task after its main container exited by itself."""
    values: dict[str, Any] = {
        "containers": (main_container(last_status="STOPPED", exit_code=exit_code),),
        "stop_code": "EssentialContainerExited",
        "stopped_reason": "Essential container in task exited",
        "stopping_at": at(40),
        "stopped_at": at(60) if last_status == "STOPPED" else None,
    }
    return observed(version, last_status, "STOPPED", **(values | changes))


def answered(seconds: float = 5, address: str = ADDRESS, generation: int = 1, attempts: int = 2) -> AgentAnswered:
    """The prober's good news."""
    return AgentAnswered(ref=Ref(CONTAINER_ID, generation), at=at(seconds), address=address, attempts=attempts)


def passed(seconds: float = 70) -> TimePassed:
    """The reconciler has asked ECS, and now the clock counts."""
    return TimePassed(ref=REF, at=at(seconds))


def silent(seconds: float = 70, address: str = ADDRESS, last_error: str = "connect timed out") -> AgentSilent:
    """The prober's bad news."""
    return AgentSilent(
        ref=REF,
        at=at(seconds),
        address=address,
        attempts=20,
        last_error=last_error,
        remedy="Check that the security group lets TCP 9111 in.",
    )
