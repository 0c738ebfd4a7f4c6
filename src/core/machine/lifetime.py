"""How long a container may run: `max_lifetime` of its record. ECS has none: the reconciler stops the task."""

from datetime import datetime, timedelta

from core.model.parts import Instant
from core.model.record import Record
from core.model.state import State

_RUNS = frozenset({State.TASK_RUNNING, State.ENI_RESOLVED, State.AGENT_HEALTHY})


def lifetime_ends_at(record: Record) -> datetime | None:
    """When the stop becomes pending; None without a limit, before the container runs, and when it is to stop anyway.

    It counts from ECS's `startedAt`, or from the address: an agent may answer before ECS's event comes.
    """
    begun = record.timings.get(Instant.STARTED) or record.timings.get(Instant.RESOLVED)
    if record.max_lifetime is None or begun is None or record.state not in _RUNS:
        return None
    return None if record.stopping or record.stop_wanted else begun + timedelta(seconds=record.max_lifetime)
