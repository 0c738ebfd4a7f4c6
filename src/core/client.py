"""The backend's side: wait for a container's agent, and inspect a container, by reading its item.

For backends in Python; one in another language reads the same item (contract.md 3). Needs `GetItem` alone.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from core.model.errors import ContainerExited, ContainerFailed, ContainerNotFound, UnreadableRecord, WaitTimeout
from core.model.instants import format_instant
from core.model.record import Instant, Record, Stop
from core.model.state import State
from core.ports import Clock

PAUSE: Final = 0.1
LATE: Final = 60.0
LATE_PAUSE: Final = 1.0
"""Seconds: between two polls; since the last change of state; and from then on between two polls.

A caller waits for one write, and a person does not notice a tenth of a second. Fargate takes 20 to 60 s to RUNNING
(ecs.md 10), and what takes longer is not in a hurry.
"""

DOCKER_STATUS: Final = {
    State.PENDING: "created",
    State.TASK_RUNNING: "created",
    State.ENI_RESOLVED: "created",
    State.AGENT_HEALTHY: "running",
    State.STOPPED: "exited",
    State.FAILED: "dead",
}


class Reader(Protocol):
    """All that the client needs of a `core.ports.Store`."""

    def load(self, container_id: str) -> Record | None:
        """The newest record, by a strongly consistent read."""


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


class ReachClient:
    """Reads containers out of a store; it cannot write. `core.adapters.clients.reach_client` makes one on DynamoDB."""

    def __init__(self, store: Reader, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, container_id: str) -> Record:
        """The newest record. Raises `ContainerNotFound`, `UnreadableRecord`, `CallFailed`.

        An item past its time to live counts as gone: DynamoDB may take two days to remove it (ecs.md 8).
        """
        record = self._store.load(container_id)
        if record is None or (record.expires_at is not None and record.expires_at <= self._clock.now().timestamp()):
            raise ContainerNotFound(container_id)
        return record

    def wait_until_healthy(self, container_id: str, timeout: float) -> Reachable:
        """Polls the item until the agent has answered, for at most `timeout` seconds; 0 reads it once.

        The record itself fails when the stack's time-outs pass: for start, once per launch attempt, and for health.
        A `timeout` above that (2 x 300 s + 60 s by default) ends with the reason rather than with `WaitTimeout`.

        Raises `ContainerFailed` (with the item's `error`), `ContainerExited`, `WaitTimeout`, `ContainerNotFound`,
        `UnreadableRecord`, and `CallFailed` when a read fails after the client's own retries.

        Generations: the item holds the newest one only, and the wait follows it. When the container is started
        again meanwhile, the answer is that start's, and the timeout goes on counting from the call. A start that
        was recorded before the call is always seen, so an earlier generation's end is never reported for it.

        Cost: a poll is one strongly consistent GetItem, 1 RRU for an item up to 4 KB, which nearly all are. So
        a start of 40 s costs about 400 RRU, $0.00005. Eventually consistent reads would cost half, but may show the
        address of a task that is gone, which may be a stranger's.
        """
        begun = self._clock.monotonic()
        seen: tuple[int, State] | None = None
        since = 0.0
        while True:
            record = self.get(container_id)
            if reachable := _verdict(record):
                return reachable
            waited = self._clock.monotonic() - begun
            if waited >= timeout:
                raise WaitTimeout(container_id, record.state, waited, _hint(record))
            if seen != (record.generation, record.state):
                seen, since = (record.generation, record.state), waited
            self._clock.sleep(min(PAUSE if waited - since < LATE else LATE_PAUSE, timeout - waited))

    def inspect(self, container_id: str) -> dict[str, Any]:
        """The container as the frontend's inspect wants it (contract.md 3, last paragraph): JSON values.

        Every key is always there; what is not known is None. `status` is Docker's word, `state` is ours.
        `agent_token` is in clear text: the frontend connects with it, a log must not hold it.
        Raises as `get` does.
        """
        record = self.get(container_id)
        stop, error = record.stop or Stop(), record.error
        timings = {name.value: _spelt(record.timings.get(name)) for name in Instant}
        return {
            "id": record.container_id,
            "agent_address": record.agent_address,
            "agent_token": record.agent_token,
            "status": DOCKER_STATUS[record.state],
            "state": record.state.value,
            "entrypoint": list(record.entrypoint) or None,
            "cmd": list(record.cmd) or None,
            "exit_code": stop.exit_code,
            "error": error and error.as_document(),
            "started_at": timings[Instant.STARTED],
            "finished_at": _spelt(record.finished_at),
            "oom_killed": stop.oom_killed,
            "image": record.image,
            "injection": record.injection.value if record.injection else None,
            "keep_alive": record.keep_alive,
            "capacity": record.capacity.value,
            "capacity_provider": record.capacity_provider,
            "max_lifetime": record.max_lifetime,
            "generation": record.generation,
            "created_at": _spelt(record.created_at),
            "updated_at": _spelt(record.updated_at),
            "timings": timings,
            "stop_code": stop.code,
            "stop_reason": stop.reason,
            "stop_cause": stop.cause.value if stop.cause else None,
            "cluster_arn": record.cluster_arn,
            "task_arn": record.task_arn,
            "task_definition_arn": record.task_definition_arn,
        }


def _verdict(record: Record) -> Reachable | None:
    """The agent, or None while there is hope; raises when there is none."""
    match record.state:
        case State.AGENT_HEALTHY:
            if not record.agent_address or not record.agent_token:
                raise UnreadableRecord(record.container_id, "it is agent-healthy without agent_address and agent_token")
            return Reachable(record.agent_address, record.agent_token, record)
        case State.FAILED:
            if record.error is None:
                raise UnreadableRecord(record.container_id, "it is failed without error")
            raise ContainerFailed(record.container_id, record.error)
        case State.STOPPED:
            stop = record.stop or Stop()
            raise ContainerExited(record.container_id, stop.exit_code, stop.reason)
        case _:
            return None


def _hint(record: Record) -> str:
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
        case _:
            probe = record.probe
            if probe is not None and probe.last_error and probe.remedy:
                return f"Its agent at {record.agent_address} has given no answer. {probe.last_error} {probe.remedy}"
            tried = f"{probe.attempts} tries, last error: {probe.last_error or 'none'}" if probe else "no try recorded"
            return (
                f"Its agent has not answered at {record.agent_address} ({tried}): check that the task's security group "
                "lets the agent's TCP port in from the prober, and the log of AgentHealthFunction."
            )


def _spelt(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None
