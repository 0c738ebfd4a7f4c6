"""How a probe ends: with a verdict for the record, without one, or in another worker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from core.model.errors import ReachError
from core.model.facts import AgentAnswered, AgentSilent, ProcessExited
from core.probe.answer import ProbeError
from core.probe.view import Target


class Outcome(StrEnum):
    """How a probe ended."""

    HEALTHY = "healthy"
    EXITED = "exited"
    SILENT = "silent"
    OVER = "over"


Verdict: TypeAlias = AgentAnswered | ProcessExited | AgentSilent
OUTCOMES: Final = {AgentAnswered: Outcome.HEALTHY, ProcessExited: Outcome.EXITED, AgentSilent: Outcome.SILENT}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """For the log and the metrics. `attempts` are this worker's; `why` is set if the record ended the probe.

    `last_read_error` is the error of the newest of the `failed_reads`.
    """

    outcome: Outcome
    attempts: int
    last_error: ProbeError | None = None
    failed_reads: int = 0
    last_read_error: str | None = None
    why: str | None = None


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
