"""What can go wrong, each named by whose doing it is.

A container's failure (`core.model.failure`) and a late or duplicate fact (`core.machine.changes.Stale`) are values.
"""

from dataclasses import KW_ONLY, dataclass, replace
from typing import Self

from core.model.failure import Cause, ErrorCode, Failure


class ReachError(Exception):
    """The root of every error this package raises on purpose."""


class ConfigurationError(ReachError):
    """The operator's: an environment variable or stack parameter is missing or contradictory."""


class MalformedEvent(ReachError):
    """The sender's: a document that is not what its envelope claims. Kept in a dead-letter queue."""


class Refused(ReachError):
    """The caller's: a request that cannot be carried out as it stands. Nothing was started."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.message} {failure.remedy}".strip())
        self.failure = failure


class UnreadableRecord(ReachError):
    """An item that this version cannot interpret: an unknown state, a newer schema, a broken attribute.

    It is never overwritten: it may be right, and a guess of ours may not.
    """

    def __init__(self, container_id: str, why: str) -> None:
        super().__init__(f"The item of container {container_id} cannot be read: {why}. It is left as it is.")
        self.container_id = container_id


class ContendedRecord(ReachError):
    """Too many writers at once: every attempt met a newer revision. The platform's retry will come through."""


class RecordDeleted(ReachError):
    """An item vanished between a read and a write: its time to live passed, or another program deleted it."""

    def __init__(self, container_id: str) -> None:
        super().__init__(f"The item of container {container_id} was deleted meanwhile. Nothing was written.")


class RunStopped(ReachError):
    """This background run makes no more calls of this kind. No call was made; what is left is for the next run.

    `why` is `limit`, `time` or `throttled`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"No more calls in this run: {why}. What is left is for the next one.")
        self.why = why


@dataclass(eq=False, repr=False)
class CallFailed(ReachError):
    """An AWS call that did not succeed, translated where it was made (architecture.md 4).

    `code` is AWS's own error code; `transient` says whether the same call may succeed later; `uncertain` that it may
    have taken effect all the same (no answer came), so that nothing may be concluded from it; `unreached` that no
    connection came about: the route is missing, or a name does not resolve.
    """

    operation: str
    code: str
    message: str
    _: KW_ONLY
    cause: Cause = Cause.UNKNOWN
    remedy: str = ""
    transient: bool = False
    uncertain: bool = False
    unreached: bool = False

    def __str__(self) -> str:
        return f"{self.operation} failed with {self.code}: {self.message}"

    @property
    def already_launched(self) -> bool:
        """RunTask has started a task with this client token before (API Reference, RunTask, ConflictException)."""
        return self.code == "ConflictException"

    def but(self, *, uncertain: bool) -> Self:
        """The same error, when more is known than the call itself says."""
        return replace(self, uncertain=uncertain)

    def as_launch_failure(self) -> Failure:
        """What the item says of a launch that this call ended."""
        return Failure(ErrorCode.LAUNCH_FAILED, str(self), self.remedy, self.cause, transient=self.transient)


class DefinitionGone(CallFailed):
    """RunTask found no ACTIVE task definition: it was never registered, or is retired by now. Nothing was started."""


class IllegalTransition(ReachError):
    """A bug of ours: a trigger was fired in a state whose row the table does not have."""


class ContainerNotFound(ReachError):
    """The caller's: no item of this container exists, or its time to live has passed."""

    def __init__(self, container_id: str) -> None:
        super().__init__(f"No container {container_id} is recorded. Start it, or check the id and the table name.")
        self.container_id = container_id


class ContainerFailed(ReachError):
    """The container became `failed` while a caller waited for it. `failure` is the item's `error`, whole."""

    def __init__(self, container_id: str, failure: Failure) -> None:
        super().__init__(f"Container {container_id} failed with {failure.code}: {failure.message} {failure.remedy}")
        self.container_id = container_id
        self.failure = failure


class ContainerExited(ReachError):
    """The container ran and ended before its agent was reached: `stopped`. For a short command that is success.

    `exit_code` is the main container's, `reason` is ECS's text; each None where the item does not have it.
    """

    def __init__(self, container_id: str, exit_code: int | None, reason: str | None) -> None:
        code = "an unknown code" if exit_code is None else f"code {exit_code}"
        super().__init__(f"Container {container_id} exited with {code}: {reason or 'ECS gave no reason'}.")
        self.container_id = container_id
        self.exit_code = exit_code
        self.reason = reason


class ContainerRestarted(ReachError):
    """Another start has replaced the generation that a caller waited for, and with it how that one ended."""

    def __init__(self, container_id: str, generation: int, now: int) -> None:
        super().__init__(
            f"Container {container_id} was started again, as generation {now}, before the end of generation "
            f"{generation} was read, and its item does not show that end any more. Wait for an end before the next "
            "start."
        )
        self.container_id = container_id
        self.generation = generation


class WaitTimeout(ReachError):
    """The caller's patience ended first. The container goes on, so waiting again is safe.

    `waited` is in seconds; `hint` says what the state it hangs in usually means, and what to check.
    """

    def __init__(self, container_id: str, state: str, waited: float, hint: str) -> None:
        super().__init__(f"Container {container_id} was still {state} after {waited:.1f} s. {hint}")
        self.container_id = container_id
        self.state = state
        self.waited = waited
        self.hint = hint
