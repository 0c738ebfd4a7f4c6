"""A record as a frontend's inspect and an operator's command show it: JSON values."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from core.model.instants import format_instant
from core.model.parts import Instant, Stop
from core.model.record import Record
from core.model.state import State

DOCKER_STATUS: Final = {
    State.PENDING: "created",
    State.TASK_RUNNING: "created",
    State.ENI_RESOLVED: "created",
    State.AGENT_HEALTHY: "running",
    State.STOPPED: "exited",
    State.FAILED: "dead",
}


def inspected(record: Record) -> dict[str, Any]:
    """What `ReachClient.inspect` says of a record, `agent_token` in clear text. Every key is always there."""
    stop, error = record.stop or Stop(), record.error
    timings = {name.value: _spelt(record.timings.get(name)) for name in Instant}
    return {
        "id": record.container_id,
        "agent_address": record.agent_address,
        "agent_token": record.agent_token,
        "status": DOCKER_STATUS[record.state],
        "state": record.state.value,
        "entrypoint": list(record.entrypoint) or None,
        "cmd": list(record.cmd) or None,
        "exit_code": stop.exit_code,
        "error": error and error.as_document(),
        "started_at": timings[Instant.STARTED],
        "finished_at": _spelt(record.finished_at),
        "oom_killed": stop.oom_killed,
        "image": record.image,
        "injection": record.injection.value if record.injection else None,
        "keep_alive": record.keep_alive,
        "agent_flavor": record.agent_flavor.value,
        "warning": record.warning and {"message": record.warning.message, "remedy": record.warning.remedy},
        "capacity": record.capacity.value,
        "capacity_provider": record.capacity_provider,
        "max_lifetime": record.max_lifetime,
        "labels": dict(record.labels),
        "logs": record.logs and {"group": record.logs.group, "stream": record.logs.stream},
        "generation": record.generation,
        "created_at": _spelt(record.created_at),
        "updated_at": _spelt(record.updated_at),
        "timings": timings,
        "stop_code": stop.code,
        "stop_reason": stop.reason,
        "stop_cause": stop.cause.value if stop.cause else None,
        "cluster_arn": record.cluster_arn,
        "task_arn": record.task_arn,
        "task_definition_arn": record.task_definition_arn,
    }


def _spelt(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None
