"""What a newest record says to a backend that waits: the answer, an error, or that there is hope."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.model.errors import ContainerExited, ContainerFailed, ContainerRestarted, UnreadableRecord
from core.model.parts import Stop
from core.model.record import Record
from core.model.state import State


@dataclass(frozen=True, slots=True)
class Reachable:
    """An agent that answered: connect to `ws://{address}/ws` with `Authorization: Bearer {token}`.

    `address` is `host:port`, an IPv6 host in brackets. The token is in no `repr`.
    """

    address: str
    token: str = field(repr=False)
    record: Record

    @property
    def stopping(self) -> bool:
        """The task is on its way out (a stop, Spot's notice): the agent answers for two minutes at most."""
        return self.record.stopping


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that ran and ended: `stopped`. `exit_code` is its own process's, `reason` is ECS's text.

    Each is None where the item does not have it. ECS may add the reason and `record.stop.oom_killed` seconds later.
    """

    exit_code: int | None
    reason: str | None
    record: Record


def reachable(record: Record, _first: Record) -> Reachable | None:
    """The agent, or None while there is hope; raises when there is none."""
    if record.state is State.AGENT_HEALTHY:
        if not record.agent_address or not record.agent_token:
            raise UnreadableRecord(record.container_id, "it is agent-healthy without agent_address and agent_token")
        return Reachable(record.agent_address, record.agent_token, record)
    if end := _end(record):
        raise ContainerExited(record.container_id, end.exit_code, end.reason)
    return None


def ended(record: Record, first: Record) -> Ended | None:
    """How the start that `first` shows ended, or None while it lives; raises when it failed or is not shown any more.

    `created_at` tells starts apart, too: the generations of a container whose item was deleted begin again.
    """
    if (record.generation, record.created_at) != (first.generation, first.created_at):
        raise ContainerRestarted(record.container_id, first.generation, record.generation)
    return _end(record)


def hint(record: Record) -> str:
    """What the state usually waits for, and where to look."""
    match record.state:
        case State.PENDING:
            return (
                "ECS has not reported its task as running yet: pulling the image and placing the task take 20 to 60 s, "
                "sometimes minutes. Wait longer; the record fails with the reason when the start timeout passes."
            )
        case State.TASK_RUNNING:
            return (
                "Its task runs, and no address is recorded: look at the log of TaskStateFunction. "
                "ReconcileFunction asks ECS again within minutes."
            )
        case State.AGENT_HEALTHY:
            return "Its agent has answered, and its end is not recorded. ECS shows an exit about 10 s late."
        case _:
            probe = record.probe
            if probe is not None and probe.last_error and probe.remedy:
                return f"Its agent at {record.agent_address} has given no answer. {probe.last_error} {probe.remedy}"
            tried = f"{probe.attempts} tries, last error: {probe.last_error or 'none'}" if probe else "no try recorded"
            return (
                f"Its agent has not answered at {record.agent_address} ({tried}): check that the task's security group "
                "lets the agent's TCP port in from the prober, and the log of AgentHealthFunction."
            )


def _end(record: Record) -> Ended | None:
    """Raises `ContainerFailed`."""
    if record.state is State.FAILED:
        if record.error is None:
            raise UnreadableRecord(record.container_id, "it is failed without error")
        raise ContainerFailed(record.container_id, record.error)
    if record.state is not State.STOPPED:
        return None
    stop = record.stop or Stop()
    return Ended(stop.exit_code, stop.reason, record)
