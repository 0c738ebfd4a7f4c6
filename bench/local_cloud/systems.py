"""The two systems under comparison, driven alike: start a container, wait until its agent is reachable, stop it.

Both run the same task on the same local Fargate: `core.launch.plan` makes both requests, from the parameters of the
deployed stack. They differ in `startedBy`, so that the rule of the stack lets through the events of its own tasks only.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import boto3
from botocore.config import Config

from bench.polling_backend import PollingBackend, Time, answers
from bench.rows import CannotMeasure
from core.adapters.clients import reach_client
from core.launch.plan import plan_launch
from core.launch.request import StartRequest
from core.launch.settings import Settings
from core.model.parts import Instant
from local.cloud.environment import ACCOUNT, CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.client import ReachClient
    from local.cloud.cloud import LocalCloud

IMAGE: Final = "python:3.13-slim"
COMMAND: Final = ("sh", "-c", "exec sleep 3600")
PATIENCE: Final = 60.0
CLUSTER: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"


@dataclass(frozen=True, slots=True)
class Reached:
    """The backend knows since `at` that the agent at `address` answers. `instants`: what it learnt on the way.

    All instants are epoch seconds of this machine's one clock.
    """

    address: str
    at: float
    instants: Mapping[str, float] = field(default_factory=dict)


class System(Protocol):
    """One way to start containers. Safe to use from several threads."""

    name: str
    calls: Counter[str]
    """The calls that the backend itself made: `service.Operation`."""

    def start(self, container_id: str) -> str:
        """What to wait for and to stop. Raises `CannotMeasure`."""

    def wait(self, started: str) -> Reached:
        """Returns when the backend would tell its caller that the container runs."""

    def stop(self, started: str) -> None:
        """Asks for the end."""

    def follow(self, started: str) -> None:
        """What the backend does while the container lives. Returns when there is nothing more to do."""

    def inspect(self, started: str) -> None:
        """What it takes to tell how the container ended."""


class TaskRunner:
    """RunTask and StopTask, for a backend that starts its tasks itself. `prefix`: of `startedBy`."""

    def __init__(self, cloud: LocalCloud, prefix: str, calls: Counter[str]) -> None:
        self._ecs = client(cloud, "ecs", calls)
        self._settings = settings(cloud, prefix)
        self._definition: str | None = None

    def run(self, container_id: str) -> str:
        """The task's ARN. The first call registers the definition, which the seed does for every container."""
        request = StartRequest(container_id=container_id, image=IMAGE, cmd=COMMAND)
        plan = plan_launch(request, self._settings, token="0" * 64, generation=1)
        if self._definition is None:
            registered = self._ecs.register_task_definition(**plan.definition)
            self._definition = str(registered["taskDefinition"]["taskDefinitionArn"])
        answer = self._ecs.run_task(**plan.run, taskDefinition=self._definition)
        if not answer["tasks"]:
            raise CannotMeasure(f"RunTask started nothing: {answer['failures']}")
        return str(answer["tasks"][0]["taskArn"])

    def stop(self, task_arn: str) -> None:
        """StopTask."""
        self._ecs.stop_task(cluster=CLUSTER, task=task_arn, reason="the benchmark is done with it")

    def describe(self, task_arn: str) -> Any:
        """DescribeTasks."""
        return self._ecs.describe_tasks(cluster=CLUSTER, tasks=[task_arn])


class Polling:
    """The seed's backend: everything it knows, it asked ECS for."""

    name = "polling"

    def __init__(self, cloud: LocalCloud) -> None:
        self.calls: Counter[str] = Counter()
        self._tasks = TaskRunner(cloud, self.name, self.calls)
        self._backend = PollingBackend(self._tasks.describe, answers, Time(time.sleep, time.monotonic))

    def start(self, container_id: str) -> str:
        """RunTask."""
        return self._tasks.run(container_id)

    def wait(self, started: str) -> Reached:
        """The polling start."""
        found: list[float] = []
        address = self._backend.wait_until_healthy(started, resolved=lambda _: found.append(time.time()))
        return Reached(address, time.time(), {"resolved": found[0]})

    def stop(self, started: str) -> None:
        """StopTask."""
        self._tasks.stop(started)

    def follow(self, started: str) -> None:
        """The polling life, until STOPPED."""
        self._backend.follow(started)

    def inspect(self, started: str) -> None:
        """The last DescribeTasks has told it."""


class Reach:
    """The deployed stack, and a backend that reads items through `core.client`."""

    name = "reach"

    def __init__(self, cloud: LocalCloud) -> None:
        self.calls: Counter[str] = Counter()
        self._outputs = cloud.outputs
        self._functions = client(cloud, "lambda", self.calls)
        self._items = reach_client(cloud.outputs["ContainersTableName"], client(cloud, "dynamodb", self.calls))

    def start(self, container_id: str) -> str:
        """Through StartContainerFunction."""
        document = {"container_id": container_id, "image": IMAGE, "cmd": list(COMMAND)}
        self._invoke("StartContainerFunctionArn", document)
        return container_id

    def wait(self, started: str) -> Reached:
        """`wait_until_healthy`, as it comes: its own pauses between reads are part of what is measured."""
        return waited(self._items, started)

    def stop(self, started: str) -> None:
        """Through StopContainerFunction."""
        self._invoke("StopContainerFunctionArn", {"container_id": started, "reason": "the benchmark is done with it"})

    def follow(self, started: str) -> None:
        """Nothing: the stack keeps the item up to date."""

    def inspect(self, started: str) -> None:
        """One read of the item."""
        self._items.get(started)

    def _invoke(self, output: str, payload: Mapping[str, Any]) -> None:
        answer = self._functions.invoke(FunctionName=self._outputs[output], Payload=json.dumps(payload))
        document = json.load(answer["Payload"])
        if "FunctionError" in answer or "error" in document:
            raise CannotMeasure(f"{output} answered {document}")


def waited(items: ReachClient, container_id: str) -> Reached:
    """What `wait_until_healthy` gives, and when."""
    agent = items.wait_until_healthy(container_id, PATIENCE)
    at = time.time()
    timings = agent.record.timings
    kept = (Instant.STARTED, Instant.RESOLVED, Instant.HEALTHY)
    return Reached(agent.address, at, {name.value: timings[name].timestamp() for name in kept if name in timings})


def client(cloud: LocalCloud, service: str, calls: Counter[str] | None = None) -> Any:
    """A boto3 client for many threads; `calls` counts what it sends."""
    made = boto3.session.Session().client(
        service,  # type: ignore[call-overload]  # any service
        endpoint_url=cloud.ecs_endpoint if service == "ecs" else cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(max_pool_connections=64, retries={"mode": "standard", "total_max_attempts": 1}),
    )
    if calls is not None:

        def count(model: Any, **_: Any) -> None:
            calls[f"{service}.{model.name}"] += 1

        made.meta.events.register("before-call.*.*", count)
    return made


def settings(cloud: LocalCloud, prefix: str) -> Settings:
    """What the deployed functions are set to, as far as a launch shows it, but for the prefix."""
    parameters = cloud.parameters
    return Settings(
        table_name=cloud.outputs["ContainersTableName"],
        cluster_arn=CLUSTER,
        started_by_prefix=prefix,
        task_subnets=tuple(parameters["TaskSubnets"].split(",")),
        task_security_groups=tuple(parameters["TaskSecurityGroups"].split(",")),
        execution_role_arn=parameters["ExecutionRoleArn"],
        task_role_arn=parameters["TaskRoleArn"],
        efs_file_system_id=parameters["EfsFileSystemId"],
        efs_access_point_id=parameters["EfsAccessPointId"],
    )
