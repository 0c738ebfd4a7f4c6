"""The last lines that a container printed, as `reach why` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.errors import CallFailed
from core.model.failure import Cause
from core.model.record import Record
from core.model.state import State

MOST: Final = 10
NO_GROUP: Final = (
    "No log group has its output. What to do: set the stack parameter TaskLogGroup, or log.group of the request."
)


@dataclass(frozen=True, slots=True)
class LastLines:
    """`lines`, the newest last; or `unread`: why they could not be read, and what to do."""

    lines: tuple[str, ...] = ()
    unread: str | None = None


def are_wanted(record: Record) -> bool:
    """Whether they may say why: of a container that failed, exited with an error or does not answer."""
    match record.state:
        case State.FAILED | State.ENI_RESOLVED:
            return True
        case State.STOPPED:
            return record.stop is None or record.stop.exit_code != 0
        case _:
            return False


def unread(failed: CallFailed, group: str) -> str:
    """One line."""
    allow = f"allow logs:GetLogEvents on the log group {group}" if failed.cause is Cause.PERMISSION else "try again"
    return f"Its output could not be read: {failed}. What to do: {allow}, or leave it out with --no-logs."
