"""The fake ECS with tasks that live: each change has a new version and an event."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from core.model.agent import AgentVariable
from core.model.identity import Ref, parse_started_by
from core.ports import Described, Launched
from tests.exploration.tasks import ENI, command_of, variable
from tests.factories import SETTINGS
from tests.fakes import FakeEcs

IMAGE: Final = "python:3.13-slim"


class Change(StrEnum):
    """What a task may do next."""

    PENDING = "is PENDING"
    RUNNING = "is RUNNING"
    LAGGING = "is RUNNING, and its event shows no address"
    LISTENING = "listens"
    EXITS = "exits with 3"
    FAILS = "does not start"
    INTERRUPTED = "is interrupted by Spot"
    ENDS = "is DEPROVISIONING, then STOPPED"


class LivingTask:
    """`tests.exploration.ends.EndedTask` of a document in `LivingEcs.tasks`."""

    complained = False

    def __init__(self, number: int, document: dict[str, Any]) -> None:
        self.number, self.document = number, document
        self.listened = self.exited = False

    @property
    def arn(self) -> str:
        return str(self.document["taskArn"])

    @property
    def container_id(self) -> str:
        return self._ref().container_id

    @property
    def generation(self) -> int:
        return self._ref().generation

    @property
    def token(self) -> str | None:
        return variable(self.document, AgentVariable.TOKEN)

    @property
    def address(self) -> str:
        return f"10.0.{self.number}.47"

    @property
    def image(self) -> str:
        return IMAGE

    @property
    def command(self) -> tuple[str, ...]:
        return command_of(self.document)

    @property
    def wanted(self) -> bool:
        return bool(self.document["desiredStatus"] == "RUNNING")

    @property
    def status(self) -> str:
        return str(self.document["lastStatus"])

    @property
    def exit_code(self) -> int | None:
        code: int | None = self.document["containers"][0].get("exitCode")
        return code

    @property
    def answers(self) -> bool:
        """Its agent accepts connections now."""
        return self.listened and self.status == "RUNNING"

    def __str__(self) -> str:
        return f"task {self.number}"

    def _ref(self) -> Ref:
        ref = parse_started_by(SETTINGS.started_by_prefix, self.document["startedBy"])
        assert ref is not None
        return ref


class LivingEcs(FakeEcs):
    """`living` are the tasks in the order of their birth, `events` all events, `young` what it hides yet."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.living: list[LivingTask] = []
        self.events: list[dict[str, Any]] = []
        self.young: set[str] = set()
        self.hides = False
        """The next task is not shown for a while."""

    def run(self, request: dict[str, Any]) -> Launched:
        # Any definition is registered: other tests have starts that register.
        self.definitions.setdefault(
            request["taskDefinition"],
            f"arn:aws:ecs:us-east-1:123456789012:task-definition/{request['taskDefinition']}:1",
        )
        launched = super().run(request)
        if len(self.tasks) > len(self.living):
            document = self.tasks[launched.task_arn]
            # ECS shows no `init` that is not there.
            document["overrides"] = {"containerOverrides": request["overrides"]["containerOverrides"]}
            self.living.append(LivingTask(len(self.tasks), document))
            if self.hides:
                self.young.add(launched.task_arn)
                self.hides = False
        return launched

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        if task_arn in self.young or task_arn not in self.tasks:
            return False
        task = next(one for one in self.living if one.arn == task_arn)
        if task.wanted:
            self._change(task, desiredStatus="STOPPED", stopCode="UserInitiated", stoppedReason=reason)
        return True

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        shown = super().describe(cluster, [arn for arn in task_arns if arn not in self.young])
        return Described(shown.tasks, (*shown.missing, *(arn for arn in task_arns if arn in self.young)))

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        return tuple(arn for arn in super().find(cluster, started_by, stopped=stopped) if arn not in self.young)

    def change(self, task: LivingTask, what: Change) -> bool:
        """False where it cannot be."""
        early, alive = task.status in {"PROVISIONING", "PENDING"}, task.wanted
        match what:
            case Change.PENDING if alive and task.status == "PROVISIONING":
                self._change(task, "PENDING")
            case Change.RUNNING | Change.LAGGING if alive and early:
                self._change(task, "RUNNING", lags=what is Change.LAGGING, startedAt=self.clock.now())
            case Change.LISTENING if alive and task.status == "RUNNING" and not task.listened:
                task.listened = True
            case Change.EXITS if alive and task.status == "RUNNING":
                task.exited = True
                self._over(task, 3, "EssentialContainerExited", "Essential container in task exited")
            case Change.FAILS if alive and early:
                self._over(task, None, "TaskFailedToStart", ENI)
            case Change.INTERRUPTED if alive and task.status == "RUNNING":
                reason = "Your Spot Task was interrupted."
                self._change(task, desiredStatus="STOPPED", stopCode="SpotInterruption", stoppedReason=reason)
            case Change.ENDS if not alive and task.status != "STOPPED":
                if task.status != "DEPROVISIONING":
                    self._over(task, 143 if task.status == "RUNNING" else None)
                self._change(task, "STOPPED", stoppedAt=self.clock.now())
            case _:
                return False
        return True

    def _over(self, task: LivingTask, code: int | None, stop_code: str | None = None, reason: str = "") -> None:
        main = {"name": "main", "lastStatus": "STOPPED", **({} if code is None else {"exitCode": code})}
        if stop_code:
            task.document |= {"stopCode": stop_code, "stoppedReason": reason}
        now = self.clock.now()
        self._change(task, "DEPROVISIONING", desiredStatus="STOPPED", containers=[main], stoppingAt=now)

    def _change(self, task: LivingTask, status: str | None = None, *, lags: bool = False, **changes: Any) -> None:
        document = task.document
        if status == "RUNNING":
            changes["containers"] = [{"name": "main", "lastStatus": "RUNNING"}]
        details = [{"name": "privateIPv4Address", "value": task.address}]
        interface = {"id": "a", "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}
        document |= {
            "version": document["version"] + 1,
            "lastStatus": status or document["lastStatus"],
            "attachments": [interface],
            **changes,
        }
        event = copy.deepcopy(document)
        if lags:
            event["attachments"] = []
        self.events.append({"detail-type": "ECS Task State Change", "detail": event})
