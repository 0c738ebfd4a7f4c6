"""The record: what is known of one container, the same facts as its DynamoDB item (contract.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.model.agent import AgentFlavor, Injection
from core.model.capacity import Capacity, Provider, provider_of
from core.model.facts import Fact
from core.model.failure import Failure
from core.model.identity import Ref
from core.model.parts import (
    AgentWarning,
    Ask,
    Instant,
    Launch,
    Launching,
    Logs,
    Probe,
    Step,
    Stop,
    UnexplainedEnd,
    UnwantedTask,
)
from core.model.state import State

SCHEMA: Final = 1
HISTORY_LIMIT: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One container. `revision` guards our writes, `task_version` orders ECS's events.

    `created_at` is when this generation was recorded; the start timeout runs from `launched_at`. `early_address` is
    what ECS shows while the task is PENDING: the prober tries it, and no reader relies on it. `health_timeout` and
    `start_timeout` (seconds) are the request's own, `max_lifetime` is its or the stack's, and `security_groups` are
    those that the request adds to the stack's. `token_parameter` names the SecureString that holds the token too (`ssm`
    delivery), until it is deleted. `unknown` is what a newer version wrote beside (`core.storage.item`).
    """

    container_id: str
    state: State
    generation: int
    revision: int
    created_at: datetime
    updated_at: datetime
    schema: int = SCHEMA
    task_version: int = 0
    cluster_arn: str | None = None
    task_arn: str | None = None
    task_definition_arn: str | None = None
    image: str | None = None
    injection: Injection | None = None
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    keep_alive: bool = False
    agent_flavor: AgentFlavor = AgentFlavor.SPEC
    capacity: Capacity = Capacity.ON_DEMAND
    capacity_provider: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    logs: Logs | None = None
    agent_address: str | None = None
    early_address: str | None = None
    agent_token: str | None = field(default=None, repr=False)
    timings: Mapping[Instant, datetime] = field(default_factory=dict)
    probe: Probe | None = None
    warning: AgentWarning | None = None
    error: Failure | None = None
    stop: Stop | None = None
    history: tuple[Step, ...] = ()
    launches: tuple[Launch, ...] = ()
    launching: Launching | None = None
    unwanted_tasks: tuple[UnwantedTask, ...] = ()
    unexplained: UnexplainedEnd | None = None
    health_timeout: int | None = None
    start_timeout: int | None = None
    security_groups: tuple[str, ...] = ()
    max_lifetime: int | None = None
    token_parameter: str | None = None
    watch: str | None = None
    check_at: datetime | None = None
    expires_at: int | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ref(self) -> Ref:
        """The container and the generation."""
        return Ref(self.container_id, self.generation)

    @property
    def attempt(self) -> int:
        """The number of the current launch of this generation, from 1 on."""
        return len(self.launches) + 1

    @property
    def launched_at(self) -> datetime:
        """Since when the current launch is awaited."""
        return self.launches[-1].at if self.launches else self.created_at

    @property
    def provider(self) -> Provider | None:
        """The capacity provider to ask for with the current launch."""
        return provider_of(self.capacity, (launch.failure for launch in self.launches))

    @property
    def asked(self) -> tuple[Ask, ...]:
        """The starts that may have started a task that is not known yet."""
        return self.launching.asked if self.launching else ()

    def asked_by_others(self, by: str) -> tuple[Ask, ...]:
        """`asked`, without those of the invocation `by`."""
        return tuple(ask for ask in self.asked if ask.by != by)

    @property
    def unlaunched(self) -> bool:
        """No task of the current launch is known, so a start may call RunTask."""
        return self.state is State.PENDING and self.task_arn is None and not self.stop_requested

    @property
    def last_asked_at(self) -> datetime:
        """From when on ECS can be expected to show a task of the current launch, if there is one."""
        created = self.timings.get(Instant.CREATED) if self.task_version == 0 else None
        return max((self.launched_at, created or self.launched_at, *(ask.at for ask in self.asked)))

    @property
    def stop_requested(self) -> bool:
        """The backend asked for the end."""
        return self.stop is not None and self.stop.requested

    @property
    def stop_wanted(self) -> bool:
        """The task is to be stopped: the backend asked for it, or the container's time is over."""
        return self.stop is not None and (self.stop.requested or self.stop.expired)

    @property
    def finished_at(self) -> datetime | None:
        """The container's own end; else when an exited container's task began to stop; else the task's end."""
        exited = self.stop is not None and self.stop.exit_code is not None
        known = (Instant.EXITED, Instant.EXECUTION_STOPPED, *((Instant.STOPPING,) if exited else ()), Instant.STOPPED)
        return next((self.timings[name] for name in known if name in self.timings), None)

    def expired(self, now: datetime) -> bool:
        """Its item is past its time to live: gone for readers, though DynamoDB removes it some days later."""
        return self.expires_at is not None and self.expires_at <= now.timestamp()

    @property
    def given_up_task(self) -> str | None:
        """The newest task of a launch that was given up: the next launch copies it."""
        return next((launch.task_arn for launch in reversed(self.launches) if launch.task_arn), None)

    def gave_up(self, task_arn: str) -> bool:
        """Whether this task belongs to a launch that was given up."""
        return any(launch.task_arn == task_arn for launch in self.launches)

    @property
    def exit_unseen(self) -> bool:
        """The container's process may exit without ECS's knowledge, because its agent stays."""
        return self.state is State.AGENT_HEALTHY and self.agent_flavor is AgentFlavor.SOCKERLESS

    @property
    def stopping(self) -> bool:
        """ECS is ending the task, has accepted our StopTask, or is about to be asked for it (`Stop.unconfirmed`)."""
        return Instant.STOPPING in self.timings or Instant.STOPPED in self.timings

    @property
    def stop_confirmed(self) -> bool:
        """The task is `stopping` as far as ECS is concerned: no StopTask is pending."""
        return self.stopping and not (self.stop is not None and self.stop.unconfirmed)


@dataclass(frozen=True, slots=True)
class Settled:
    """The saved record. `ignored` says why the first fact changed nothing; `steps` are the transitions made."""

    record: Record
    steps: tuple[Step, ...] = ()
    ignored: str | None = None
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact about a container that has no item. Nothing was written."""

    fact: Fact
    ignored: Final = "no such container is recorded"
