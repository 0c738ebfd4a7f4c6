"""The ECS API: client tokens are remembered, answers are late and get lost, new tasks show late."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from core.model.agent import AgentVariable
from core.model.errors import CallFailed, DefinitionGone
from core.model.identity import parse_started_by, token_parameter
from core.ports import Described, Launched, TaskPage
from tests.exploration.faults import Fault, error_of
from tests.exploration.tasks import Changed, Task, born, command_of, provider_of, variable
from tests.exploration.world import World

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

FORGETS: Final = 3600.0
"""Seconds for which ECS still shows a stopped task and remembers its client token."""


class SimulatedEcs:
    """`core.ports.Ecs`. `tasks` is the truth, by ARN. `tried` are the client tokens of every RunTask."""

    def __init__(self, world: World, secrets: Callable[[str], str | None], changed: Changed) -> None:
        self.world = world
        self.tasks: dict[str, Task] = {}
        self.tried: set[str] = set()
        self.found: dict[str, set[str]] = {}
        """What ListTasks has shown to each worker, by its name."""
        self._secrets = secrets
        self._changed = changed
        self._definitions: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, tuple[str, Task]] = {}

    def register(self, definition: dict[str, Any]) -> None:
        """As the port says."""
        self.world.call("RegisterTaskDefinition", lambda: self._definitions.update({definition["family"]: definition}))

    def run(self, request: dict[str, Any]) -> Launched:
        """As the port says. ECS remembers no client token of what it refused."""
        token = request["clientToken"]
        self.tried.add(token)
        return self.world.call("RunTask", lambda: self._run(request), f"with token {token[:6]}")

    def stop(self, cluster: str, task_arn: str, reason: str) -> bool:
        """As the port says."""

        def stop() -> bool:
            task = self._shown(task_arn)
            if task is not None:
                task.stop(reason, self.world.worker.name)
            return task is not None

        return self.world.call("StopTask", stop, self._name(task_arn), f"because {reason[:60]}")

    def describe(self, cluster: str, task_arns: Sequence[str]) -> Described:
        """As the port says."""

        def describe() -> Described:
            found = [(arn, self._shown(arn)) for arn in task_arns]
            return _Told(
                tuple(cast("TaskTypeDef", task.copied()) for _, task in found if task is not None),
                tuple(arn for arn, task in found if task is None),
            )

        return self.world.call("DescribeTasks", describe, *map(self._name, task_arns))

    def find(self, cluster: str, started_by: str, *, stopped: bool = False) -> tuple[str, ...]:
        """As the port says."""

        def find() -> tuple[str, ...]:
            listed = [task for task in self._listed() if task.document["startedBy"] == started_by]
            arns = tuple(task.arn for task in listed if task.wanted is not stopped)
            self.found.setdefault(self.world.worker.name, set()).update(arns)
            return arns

        return self.world.call("ListTasks", find, "of generation", started_by.rpartition("/")[2])

    def running(self, cluster: str, *, after: str | None = None) -> TaskPage:
        """As the port says; one page holds all."""
        return self.world.call(
            "ListTasks", lambda: TaskPage(tuple(task.arn for task in self._listed() if task.wanted)), quiet=True
        )

    def _run(self, request: dict[str, Any]) -> Launched:
        token, digest = request["clientToken"], json.dumps(request, sort_keys=True, default=str)
        known = self._requests.get(token)
        if known is not None and not self._forgotten(known[1]):
            if known[0] != digest:
                raise CallFailed(
                    "RunTask",
                    "ConflictException",
                    "The client token was used before with other parameters. The resourceIds are the existing task "
                    f"ARNs: [{known[1].arn}]",
                )
            return _launched(known[1])
        spot = provider_of(request) == "FARGATE_SPOT"
        if self.world.happens(self.world.faults.refused) or (spot and self.world.happens(self.world.faults.no_spot)):
            # No capacity for a new task; one that the token has already is not refused.
            raise error_of(Fault.REFUSED, "RunTask")
        family = request["taskDefinition"]
        if family not in self._definitions:
            raise DefinitionGone("RunTask", "ClientException", "TaskDefinition not found.", transient=True)
        task = self._made(request, family)
        self._requests[token] = (digest, task)
        self.tasks[task.arn] = task
        task.begin()
        return _launched(task)

    def _made(self, request: dict[str, Any], family: str) -> Task:
        world, number = self.world, len(self.tasks) + 1
        arn = f"arn:aws:ecs:us-east-1:123456789012:task/default/{number:032x}"
        definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:1"
        correlated = parse_started_by(world.settings.started_by_prefix, request["startedBy"])
        assert correlated is not None
        main = next(one for one in self._definitions[family]["containerDefinitions"] if one["name"] == "main")
        name = token_parameter(world.settings.started_by_prefix, correlated)
        return Task(
            world=world,
            number=number,
            generation=correlated.generation,
            attempt_token=request["clientToken"],
            document=born(arn, request, definition, world.now()),
            image=main["image"],
            command=command_of(request),
            token=variable(request, AgentVariable.TOKEN),
            secret=(lambda: self._secrets(name)) if main.get("secrets") else None,
            shown_from=world.scheduler.now + self._lag(),
            listed_from=world.scheduler.now + self._lag(),
            changed=self._changed,
        )

    def _lag(self) -> float:
        """Each of ECS's views may be behind by itself."""
        return self.world.chance.choice((0.0, self.world.between(0, self.world.faults.hidden)))

    def _shown(self, arn: str) -> Task | None:
        task = self.tasks.get(arn)
        hidden = task is None or self.world.scheduler.now < task.shown_from or self._forgotten(task)
        return None if hidden else task

    def _listed(self) -> list[Task]:
        now = self.world.scheduler.now
        return [task for task in self.tasks.values() if now >= task.listed_from and not self._forgotten(task)]

    def _forgotten(self, task: Task) -> bool:
        return task.stopped_at is not None and self.world.scheduler.now > task.stopped_at + FORGETS

    def _name(self, arn: str) -> str:
        return str(self.tasks.get(arn, arn))


class _Told(Described):
    """For the trace: what was shown, in short."""

    def __str__(self) -> str:
        shown = [f"{int(task['taskArn'][-8:], 16)} v{task['version']} {task['lastStatus']}" for task in self.tasks]
        return f"{shown or ''} missing: {len(self.missing)}"


def _launched(task: Task) -> Launched:
    document = task.document
    return Launched(task.arn, document["taskDefinitionArn"], document["clusterArn"], task.provider)
