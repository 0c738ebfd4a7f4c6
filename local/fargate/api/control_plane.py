"""The operations of the ECS API, and the tasks that they start."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from local.fargate import reasons
from local.fargate.api.definitions import Definitions
from local.fargate.api.errors import AwsError, refuse, throttled
from local.fargate.api.idempotency import ClientTokens
from local.fargate.api.naming import Names, cluster_name, task_id
from local.fargate.api.rates import Rates
from local.fargate.api.wire import page
from local.fargate.faults import OF_A_CALL, OF_A_TASK, FaultName, Faults, met_on
from local.fargate.life import Life, World
from local.fargate.rules import override_violations
from local.fargate.rules.capacity import NOT_ASSOCIATED, PROVIDERS, provider_of
from local.fargate.task import Container, NetworkInterface, Task, now

log: Final = logging.getLogger("local.fargate")
_DESCRIBED_AT_ONCE: Final = 100
_STAYS: Final = timedelta(hours=1)
"""A stopped task can be described for at least so long; here exactly."""

Operation = Callable[[dict[str, Any]], dict[str, Any]]


class ControlPlane:
    """Answers operations. Requests have passed `wire.read_request`; refusals are `AwsError`."""

    def __init__(
        self, names: Names, clusters: Sequence[str], faults: Faults, world: World, rates: Rates | None = None
    ) -> None:
        """Without `rates` no call is throttled."""
        self._names = names
        self._clusters = frozenset(clusters)
        self._faults = faults
        self._world = world
        self._rates = rates
        self._definitions = Definitions(names)
        self._tokens = ClientTokens()
        self._lives: dict[str, Life] = {}
        self._courses: dict[str, asyncio.Task[None]] = {}
        self._operations: dict[str, Operation] = {
            "RegisterTaskDefinition": self._definitions.register,
            "DescribeTaskDefinition": self._definitions.describe,
            "ListTaskDefinitions": self._definitions.list,
            "ListTaskDefinitionFamilies": self._definitions.list_families,
            "DeregisterTaskDefinition": self._definitions.deregister,
            "DeleteTaskDefinitions": self._definitions.delete,
            "DescribeClusters": self.describe_clusters,
            "RunTask": self.run_task,
            "DescribeTasks": self.describe_tasks,
            "ListTasks": self.list_tasks,
            "StopTask": self.stop_task,
        }

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Performs one operation. Raises `AwsError`, also for an operation that only AWS has."""
        perform = self._operations.get(operation)
        if perform is None:
            raise AwsError("UnsupportedFeatureException", f"The local Fargate does not implement {operation}.")
        if self._rates is not None:
            self._rates.take(operation)
        return perform(request)

    def lives(self) -> list[Life]:
        """All that can still be described, oldest first."""
        self._lives = {identity: life for identity, life in self._lives.items() if not _gone(life.task)}
        return list(self._lives.values())

    def life(self, identifier: str) -> Life | None:
        """The life of a task id or ARN."""
        return self._lives.get(identifier.rpartition("/")[2])

    async def close(self) -> None:
        """Ends every task without an event."""
        for course in self._courses.values():
            course.cancel()
        await asyncio.gather(*self._courses.values(), return_exceptions=True)
        await asyncio.gather(*(life.abandon() for life in self._lives.values()))
        await self._world.runtime.close()

    def describe_clusters(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeClusters: each is ACTIVE and has Fargate's capacity providers; the others are MISSING."""
        wanted = [cluster_name(one) for one in request.get("clusters") or [None]]
        found = [
            {
                "clusterArn": self._names.cluster(name),
                "clusterName": name,
                "status": "ACTIVE",
                "capacityProviders": list(PROVIDERS),
            }
            for name in wanted
            if name in self._clusters
        ]
        missing = [name for name in wanted if name not in self._clusters]
        failures = [{"arn": self._names.cluster(name), "reason": "MISSING"} for name in missing]
        return {"clusters": found, "failures": failures}

    def run_task(self, request: dict[str, Any]) -> dict[str, Any]:
        """RunTask: 200 with `failures` when there is no capacity; the same tasks for the same client token."""
        cluster = self._cluster(request)
        definition = self._definitions.runnable(request["taskDefinition"])
        refuse("InvalidParameterException", override_violations(request, definition))
        subjects = [request.get("startedBy"), *(container["image"] for container in definition["containerDefinitions"])]
        at = now()
        known = self._tokens.recall(cluster, request, at)
        if known is not None:
            return {"tasks": [self._document(task) for task in known.tasks], "failures": list(known.failures)}
        provider = provider_of(request)
        met = self._faults.take(met_on(provider, OF_A_CALL), subjects)
        if FaultName.THROTTLE in met:
            raise throttled()
        if FaultName.CAPACITY_PROVIDER in met:
            raise AwsError("InvalidParameterException", NOT_ASSOCIATED)
        tasks, failures = [], []
        full = met.get(FaultName.CAPACITY) or met.get(FaultName.SPOT_CAPACITY)
        for _ in range(request.get("count", 1)):
            if full is not None:
                failures.append({"reason": full.parameters.get("reason", reasons.NO_CAPACITY)})
            else:
                tasks.append(self._launch(cluster, definition, request, subjects))
        self._tokens.remember(cluster, request, at, tasks, failures)
        return {"tasks": [self._document(task) for task in tasks], "failures": failures}

    def describe_tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeTasks: up to 100; those that are not known (any more) are MISSING."""
        cluster = self._cluster(request)
        if not request["tasks"]:
            raise AwsError("InvalidParameterException", "Tasks cannot be empty.")
        if len(request["tasks"]) > _DESCRIBED_AT_ONCE:
            raise AwsError("InvalidParameterException", f"Tasks cannot be longer than {_DESCRIBED_AT_ONCE}.")
        found, failures = [], []
        for wanted in (task_id(identifier, cluster) for identifier in request["tasks"]):
            task = self._task(cluster, wanted)
            if task is None:
                failures.append({"arn": self._names.task(cluster, wanted), "reason": "MISSING"})
            else:
                found.append(self._document(task, tags="TAGS" in request.get("include", ())))
        return {"tasks": found, "failures": failures}

    def list_tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTasks: RUNNING by default. `startedBy` goes with no other filter but desiredStatus."""
        cluster = self._cluster(request)
        others = {"family", "serviceName", "containerInstance"} & set(request)
        if "startedBy" in request and others:
            raise AwsError("InvalidParameterException", "cannot specify startedBy with other arguments")
        if "serviceName" in request or "containerInstance" in request:
            return page("taskArns", [], request)
        arns = [
            life.task.arn
            for life in self.lives()
            if life.task.cluster == cluster
            and life.task.desired_status == request.get("desiredStatus", "RUNNING")
            and request.get("startedBy") in (None, life.task.started_by)
            and request.get("family") in (None, life.task.family)
            and request.get("launchType", "FARGATE") == "FARGATE"
        ]
        return page("taskArns", arns, request)

    def stop_task(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopTask: answers at once, also for a task that has stopped. The task loses its tags."""
        cluster = self._cluster(request)
        life = self.life(request["task"])
        if life is None or self._task(cluster, task_id(request["task"], cluster)) is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        life.stop("UserInitiated", request.get("reason") or reasons.STOPPED_BY_USER)
        life.task.tags.clear()
        return {"task": self._document(life.task)}

    def _launch(
        self, cluster: str, definition: dict[str, Any], request: dict[str, Any], subjects: Sequence[str | None]
    ) -> Task:
        identity = uuid.uuid4().hex  # 32 hexadecimal characters, the form since 2018
        arn = self._names.task(cluster, identity)
        overrides = request.get("overrides", {})
        by_name = {override["name"]: override for override in overrides.get("containerOverrides", ())}
        network = request["networkConfiguration"]["awsvpcConfiguration"]
        tags = list(request.get("tags", ()))
        if request.get("propagateTags") == "TASK_DEFINITION":
            tags = [*self._definitions.tags_of(definition), *tags]
        provider = provider_of(request)
        task = Task(
            id=identity,
            arn=arn,
            cluster_arn=self._names.cluster(cluster),
            definition=definition,
            containers=[
                Container(container, by_name.get(container["name"], {}), self._names.container(cluster, identity))
                for container in definition["containerDefinitions"]
            ],
            interface=NetworkInterface(network["subnets"][0], self._names.region),
            availability_zone=f"{self._names.region}a",
            overrides={key: value for key, value in overrides.items() if key != "containerOverrides"},
            started_by=request.get("startedBy"),
            group=request.get("group", f"family:{definition['family']}"),
            tags=tags,
            faults=self._faults.take(met_on(provider, OF_A_TASK), [*subjects, arn]),
            capacity_provider=provider,
            enable_execute_command=request.get("enableExecuteCommand", False),
        )
        life = self._lives[identity] = Life(task, self._world)
        course = self._courses[identity] = asyncio.get_running_loop().create_task(life.run())
        course.add_done_callback(lambda done: self._course_over(identity, done))
        return task

    def _course_over(self, identity: str, course: asyncio.Task[None]) -> None:
        del self._courses[identity]
        if not course.cancelled() and course.exception() is not None:
            log.error("task %s: its life broke off, a bug", identity, exc_info=course.exception())

    def _cluster(self, request: dict[str, Any]) -> str:
        name = cluster_name(request.get("cluster"))
        if name not in self._clusters:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def _task(self, cluster: str, identity: str) -> Task | None:
        life = self._lives.get(identity)
        if life is None or life.task.cluster != cluster or _gone(life.task):
            return None
        return life.task

    @staticmethod
    def _document(task: Task, *, tags: bool = True) -> dict[str, Any]:
        return {**task.document, "tags": list(task.tags) if tags else []}


def _gone(task: Task) -> bool:
    return task.stopped_at is not None and now() - task.stopped_at > _STAYS
