"""The states of a container, and what leads from one to another."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """`state` of the item."""

    PENDING = "pending"
    TASK_RUNNING = "task-running"
    ENI_RESOLVED = "eni-resolved"
    AGENT_HEALTHY = "agent-healthy"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def ended(self) -> bool:
        """This generation is over."""
        return self in ENDS


class Trigger(StrEnum):
    """What happened, in the past tense. `history` records it."""

    TASK_STARTED = "task-started"
    ADDRESS_RESOLVED = "address-resolved"
    AGENT_ANSWERED = "agent-answered"
    CONTAINER_EXITED = "container-exited"
    LAUNCH_FAILED = "launch-failed"
    START_TIMED_OUT = "start-timed-out"
    TASK_FAILED = "task-failed"
    ADDRESS_MISSING = "address-missing"
    AGENT_UNREACHABLE = "agent-unreachable"
    TASK_LOST = "task-lost"
    LAUNCH_RETRIED = "launch-retried"


ENDS: Final = frozenset({State.FAILED, State.STOPPED})
LIVE: Final = tuple(state for state in State if state not in ENDS)
