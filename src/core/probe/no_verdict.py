"""The errors that end a probe without a verdict. The agent causes none of them.

So none of them may end a container: the agent is probed again, and the item names the prober's problem.
"""

from core.machine.messages import ROUTE
from core.model.errors import CallFailed, ReachError
from core.model.failure import Cause
from core.probe.answer import ProbeError
from core.probe.view import Target


class NoVerdict(ReachError):
    """The probe must continue in another worker."""

    def __init__(self, target: Target, text: str) -> None:
        super().__init__(text)
        self.target = target


class OutOfTime(NoVerdict):
    """This worker's time ends before the agent's deadline. This is no fault: the next delivery continues the probe.

    `failed_reads` counts the failed reads of the record, `last_read_error` is the newest one's error.
    """

    def __init__(
        self,
        target: Target,
        attempts: int,
        last_error: ProbeError | None,
        failed_reads: int,
        last_read_error: str | None,
    ) -> None:
        reads = f" {failed_reads} looks at the table failed, the last one: {last_read_error}" if failed_reads else ""
        super().__init__(
            target,
            f"The time of this worker ended after {attempts} tries at {target.address}, before the agent's deadline. "
            f"The probe goes on with the next delivery of its message.{reads}",
        )
        self.attempts = attempts
        self.last_error = last_error
        self.failed_reads = failed_reads
        self.last_read_error = last_read_error


class CannotProbe(NoVerdict):
    """The prober cannot read the table, write to it, or open a connection. The agent may be well.

    The item gets `last_error` and `remedy` (`core.model.facts.ProbeAborted`).
    """

    def __init__(self, target: Target, last_error: str, remedy: str) -> None:
        super().__init__(target, f"{last_error} {remedy}")
        self.last_error = last_error
        self.remedy = remedy


def table_unread(target: Target, failed: CallFailed) -> CannotProbe:
    """No read of the record succeeded, so the probe has no deadline and no token."""
    return CannotProbe(target, f"The containers table could not be read: {_sentence(failed)}", _remedy(failed))


def table_unwritten(target: Target, failed: CallFailed) -> CannotProbe:
    """There is a verdict, but no write of it succeeded."""
    return CannotProbe(target, f"The verdict could not be written to the table: {_sentence(failed)}", _remedy(failed))


def never_tried(target: Target, error: ProbeError) -> CannotProbe:
    """Every try failed in the prober, so the deadline passed without a try that reached the network."""
    return CannotProbe(target, f"The agent at {target.address} was never asked: {error.text}", error.remedy)


def _sentence(failed: CallFailed) -> str:
    return str(failed).rstrip(".") + "."


def _remedy(failed: CallFailed) -> str:
    """The route is at fault only without a connection: a refusal comes from DynamoDB itself."""
    if failed.unreached:
        return ROUTE
    if failed.transient or failed.cause is not Cause.UNKNOWN:
        return failed.remedy
    return "Check that the stack's table exists and that AgentHealthFunction's TABLE_NAME names it."
