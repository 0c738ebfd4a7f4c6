"""The life of one task on Fargate: a document that walks from PROVISIONING to STOPPED, an event for each version."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from core.model.agent import AgentFlavor, AgentVariable
from tests.exploration.world import World

ENI: Final = "Timeout waiting for network interface provisioning to complete."
NO_SPOT: Final = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_IMAGE: Final = "CannotPullContainerError: pull image manifest has been retried 1 time(s): python:none: not found"
NO_SECRET: Final = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters"
)

COMPLAINT: Final = "exec /sockerless-agent/sockerless-agent: exec format error"
"""What runc prints when the kernel refuses the agent."""

Changed = Callable[["Task"], None]


@dataclass(eq=False)
class Task:
    """A task in truth. `image` and `command` are what it runs, `token` is what its agent knows.

    ECS shows it from `shown_from` on to DescribeTasks and StopTask, from `listed_from` on to ListTasks.
    """

    world: World
    number: int
    generation: int
    attempt_token: str
    document: dict[str, Any]
    image: str
    command: tuple[str, ...]
    token: str | None
    secret: Callable[[], str | None] | None
    shown_from: float
    listed_from: float
    changed: Changed
    agent_up_at: float = float("inf")
    exited_with: int | None = None
    """Of the process whose agent stays."""
    on_exit: list[Callable[[int], None]] = field(default_factory=list)
    """What an attached backend does when it sees that exit."""
    stopped_at: float | None = None
    printed: str | None = None
    """The only line of the main container, in its log from `printed_at` on."""
    printed_at: float = float("inf")
    stopped_by: list[str] = field(default_factory=list)
    """The workers whose StopTask had an effect."""

    @property
    def arn(self) -> str:
        arn: str = self.document["taskArn"]
        return arn

    @property
    def address(self) -> str:
        return f"10.0.{self.number}.47"

    @property
    def provider(self) -> str | None:
        """Its capacity provider; None for one with a launch type."""
        provider: str | None = self.document.get("capacityProviderName")
        return provider

    @property
    def wanted(self) -> bool:
        """It is to run, as far as ECS knows."""
        return bool(self.document["desiredStatus"] == "RUNNING")

    @property
    def exit_code(self) -> int | None:
        code: int | None = self.document["containers"][0].get("exitCode")
        return code

    @property
    def answers(self) -> bool:
        """The agent accepts connections."""
        main = self.document["containers"][0]
        return bool(main["lastStatus"] == "RUNNING" and self.world.scheduler.now >= self.agent_up_at)

    @property
    def listened(self) -> bool:
        """The agent has accepted connections."""
        return "startedAt" in self.document and self.world.scheduler.now >= self.agent_up_at

    def __str__(self) -> str:
        return f"task-{self.number}"

    def begin(self) -> None:
        """Decides how it is going to live."""
        world = self.world
        world.scheduler.after(world.between(1, 5), self._pending)
        if self.provider == "FARGATE_SPOT" and world.happens(world.faults.no_spot):
            world.scheduler.after(world.between(0.5, 30), lambda: self._fail(NO_SPOT))
            return
        fate = world.chance.choices(("runs", "eni", "image", "stuck"), (70, 22, 5, 3))[0]
        if fate == "runs":
            world.scheduler.after(world.between(6, 50), self._running)
        elif fate in {"eni", "image"}:
            reason = ENI if fate == "eni" else NO_IMAGE
            world.scheduler.after(world.between(0.5, 30), lambda: self._fail(reason))

    def stop(self, reason: str, by: str) -> None:
        """StopTask. A second one changes nothing."""
        self.stopped_by.append(by)
        if not self.wanted:
            return
        self._walk(desiredStatus="STOPPED", stopCode="UserInitiated", stoppedReason=reason)
        self.world.scheduler.after(self.world.between(1, 30), lambda: self._over(143))

    def _pending(self) -> None:
        if not self.wanted:
            return
        if self.secret is not None:
            self.token = self.secret()
            if self.token is None:
                self._fail(NO_SECRET)
                return
        self._walk(lastStatus="PENDING", attachments=self._attachments())

    def _running(self) -> None:
        if not self.wanted:
            return
        world = self.world
        self.document["startedAt"] = world.now()
        # Where unreachable tasks are kept, there are to be some.
        if world.happens(0.6 if world.policy.keep_unreachable else 0.9):
            self.agent_up_at = world.scheduler.now + world.between(0.1, 5)
        lags = world.happens(0.1)
        self._walk(
            lastStatus="RUNNING", main={"lastStatus": "RUNNING"}, attachments=[] if lags else self._attachments()
        )
        self.document["attachments"] = self._attachments()
        if world.happens(0.15):
            self.agent_up_at = float("inf")
            world.scheduler.after(world.between(0.01, 2), lambda: self._exit(world.chance.choice((1, 255)), COMPLAINT))
        elif world.happens(0.4):
            code = world.chance.choice((0, 0, 1, 3))
            stays = world.settings.agent_flavor is AgentFlavor.SOCKERLESS
            end = partial(self._leave_agent, code) if stays else partial(self._exit, code, "disk full")
            world.scheduler.after(world.between(1, 600), end)
        if self.provider == "FARGATE_SPOT" and world.happens(0.3):
            world.scheduler.after(world.between(1, 600), self._interrupted)

    def _leave_agent(self, code: int) -> None:
        """The process exits and the agent stays: ECS sees nothing."""
        if self.wanted:
            self.world.note(f"the process of {self} exits with {code}")
            self.exited_with = code
            for seen in self.on_exit:
                seen(code)

    def _interrupted(self) -> None:
        """Spot's notice; the container ends within two minutes."""
        if self.wanted:
            reason = "Your Spot Task was interrupted."
            self._walk(desiredStatus="STOPPED", stopCode="SpotInterruption", stoppedReason=reason)
            self.world.scheduler.after(self.world.between(1, 120), lambda: self._over(143))

    def _exit(self, code: int, line: str) -> None:
        if self.wanted:
            self.printed, self.printed_at = line, self.world.scheduler.now + self.world.between(0, 15)
            how = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}
            self.document |= {**how, "desiredStatus": "STOPPED"}
            self._over(code)

    def _fail(self, reason: str) -> None:
        if self.wanted:
            self.document |= {"desiredStatus": "STOPPED", "stopCode": "TaskFailedToStart", "stoppedReason": reason}
            self._over(None)

    def _over(self, exit_code: int | None) -> None:
        """Out of service, then STOPPED; the exit code of a container that ran."""
        if self.document["lastStatus"] in {"DEPROVISIONING", "STOPPED"}:
            return
        ran = "startedAt" in self.document
        main = {"lastStatus": "STOPPED", **({"exitCode": exit_code} if ran else {})}
        # Secondary fields may lag (ecs.md 1).
        late = ran and self.world.happens(0.05)
        self.document["stoppingAt"] = self.world.now()
        self._walk(lastStatus="DEPROVISIONING", main={"lastStatus": "STOPPED"} if late else main)
        self.world.scheduler.after(self.world.between(5, 20), lambda: self._stopped(main))

    def _stopped(self, main: dict[str, Any]) -> None:
        self.stopped_at = self.world.scheduler.now
        self._walk(lastStatus="STOPPED", main=main, stoppedAt=self.world.now())

    def _attachments(self) -> list[dict[str, Any]]:
        details = [{"name": "privateIPv4Address", "value": self.address}]
        return [{"id": "a", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}]

    def _walk(self, *, main: dict[str, Any] | None = None, **changes: Any) -> None:
        self.document |= {"version": self.document["version"] + 1, **changes}
        if main is not None:
            self.document["containers"] = [{**self.document["containers"][0], **main}]
        self.changed(self)

    def copied(self) -> dict[str, Any]:
        """What ECS shows."""
        return copy.copy(self.document)


def born(arn: str, request: dict[str, Any], definition: str, at: datetime) -> dict[str, Any]:
    """The document of a task that RunTask has just made."""
    return {
        "taskArn": arn,
        "clusterArn": request["cluster"],
        "taskDefinitionArn": definition,
        "startedBy": request["startedBy"],
        "version": 1,
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "createdAt": at,
        "overrides": {"containerOverrides": [*request["overrides"]["containerOverrides"], {"name": "init"}]},
        "tags": request.get("tags", []),
        "containers": [{"name": "main", "lastStatus": "PENDING"}],
        "attachments": [],
        **({"capacityProviderName": provider} if (provider := provider_of(request)) else {}),
    }


def provider_of(request: dict[str, Any]) -> str | None:
    """The capacity provider that RunTask asks for; None with a launch type. ECS takes one of the two."""
    strategy = request.get("capacityProviderStrategy", ())
    assert bool(strategy) != ("launchType" in request)
    return strategy[0]["capacityProvider"] if strategy else None


def variable(request: dict[str, Any], name: AgentVariable) -> str | None:
    """One of the agent's variables in RunTask's overrides."""
    (main,) = request["overrides"]["containerOverrides"]
    return next((pair["value"] for pair in main["environment"] if pair["name"] == name), None)


def command_of(request: dict[str, Any]) -> tuple[str, ...]:
    """The container's own command, as the agent is told it."""
    parts = (variable(request, AgentVariable.ORIGINAL_ENTRYPOINT), variable(request, AgentVariable.ORIGINAL_CMD))
    return tuple(word for part in parts for word in json.loads(part or "[]"))
