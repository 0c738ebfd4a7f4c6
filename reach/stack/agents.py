"""The agent of a container."""

from __future__ import annotations

from core.model.record import Record
from core.model.state import State
from reach import Unreachable
from reach.showing.words import SHORT


def agent_of(record: Record) -> tuple[str, str]:
    """Address and token of an agent that has answered. Raises `Unreachable`."""
    if record.state is State.AGENT_HEALTHY and record.agent_address and record.agent_token:
        return record.agent_address, record.agent_token
    short = record.container_id[:SHORT]
    raise Unreachable(
        f"Container {short} is {record.state}: no agent of it can be reached. What to do: reach why {short}"
    )
