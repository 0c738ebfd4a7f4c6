"""The errors that end a probe without a verdict. The agent causes none of them, so it is probed again."""

from core.machine.messages import ROUTE
from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause
from core.probe.answer import ProbeError
from core.probe.view import Target


class OutOfTime(ReachError):
    """This worker's time ends before the agent's deadline. This is no fault: the next delivery continues the probe."""

    def __init__(self, target: Target, attempts: int, last_error: ProbeError | None, failed_reads: str) -> None:
        super().__init__(
            f"The time of this worker ended after {attempts} tries at {target.address}, before the agent's deadline. "
            f"The probe goes on with the next delivery of its message.{failed_reads}",
        )
        self.target = target
        self.last_error = last_error


class CannotProbe(ReachError):
    """The prober cannot read the table, write to it, or open a connection: the item says so (`ProbeAborted`)."""

    def __init__(self, target: Target, last_error: str, remedy: str) -> None:
        super().__init__(f"{last_error} {remedy}")
        self.target = target
        self.last_error = last_error
        self.remedy = remedy


def table_failed(target: Target, what: str, failed: CallFailed) -> CannotProbe:
    """`what` could not be done. The route is the remedy only without a connection: DynamoDB itself refuses a call."""
    if failed.unreached:
        remedy = ROUTE
    elif failed.transient or failed.cause is not Cause.UNKNOWN:
        remedy = failed.remedy
    else:
        remedy = "Check that the stack's table exists and that AgentHealthFunction's TABLE_NAME names it."
    return CannotProbe(target, f"{what}: {str(failed).rstrip('.')}.", remedy)
