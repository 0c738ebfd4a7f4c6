"""Why a probe ended without a verdict although its record waits for one. None of it is the agent's doing.

So none of it may end a container: the agent is asked again, and the item says what keeps the prober from asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.machine.messages import ROUTE
from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause

if TYPE_CHECKING:
    from core.probe.answer import ProbeError
    from core.probe.view import Target


class NoVerdict(ReachError):
    """A probe that has to go on, in another worker."""

    def __init__(self, target: Target, text: str) -> None:
        super().__init__(text)
        self.target = target


class OutOfTime(NoVerdict):
    """This worker's time ends before the agent's deadline. No fault: the next delivery goes on.

    `failed_looks` at the table were made good by later ones, or there was no time left to; `last_look` is the last
    one's error.
    """

    def __init__(
        self, target: Target, attempts: int, last_error: ProbeError | None, failed_looks: int, last_look: str | None
    ) -> None:
        looks = f" {failed_looks} looks at the table failed, the last one: {last_look}" if failed_looks else ""
        super().__init__(
            target,
            f"The time of this worker ended after {attempts} tries at {target.address}, before the agent's deadline. "
            f"The probe goes on with the next delivery of its message.{looks}",
        )
        self.attempts = attempts
        self.last_error = last_error
        self.failed_looks = failed_looks
        self.last_look = last_look


class CannotProbe(NoVerdict):
    """The prober cannot do its work: read the table, write to it, or open a connection. It says nothing of the agent.

    `last_error` and `remedy` are what the item is to say (`core.model.facts.ProbeAborted`).
    """

    def __init__(self, target: Target, last_error: str, remedy: str) -> None:
        super().__init__(target, f"{last_error} {remedy}")
        self.last_error = last_error
        self.remedy = remedy


def table_unread(target: Target, failed: CallFailed) -> CannotProbe:
    """No look at the record succeeded, so it is not known whether, how and until when to ask."""
    return CannotProbe(target, f"The containers table could not be read: {_told(failed)}", _remedy(failed))


def table_unwritten(target: Target, failed: CallFailed) -> CannotProbe:
    """There is a verdict, and the record does not have it."""
    return CannotProbe(target, f"The verdict could not be written to the table: {_told(failed)}", _remedy(failed))


def never_tried(target: Target, error: ProbeError) -> CannotProbe:
    """Every try failed in the prober itself, so the deadline passed without one that reached for the agent."""
    return CannotProbe(target, f"The agent at {target.address} was never asked: {error.text}", error.remedy)


def _told(failed: CallFailed) -> str:
    return str(failed).rstrip(".") + "."


def _remedy(failed: CallFailed) -> str:
    """Only a connection that did not come about is the route's fault: whoever was refused has reached DynamoDB."""
    if failed.unreached:
        return ROUTE
    if failed.transient or failed.cause is not Cause.UNKNOWN:
        return failed.remedy
    return "Check that the stack's table exists and that AgentHealthFunction's TABLE_NAME names it."
