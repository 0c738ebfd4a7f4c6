"""The whole local cloud, started and stopped as one."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final, Self

from local.cloud.build import built
from local.cloud.daemons import AWS_READY, FARGATE_READY, start_aws, start_fargate
from local.cloud.environment import aws_client, published_environment, write_environment
from local.cloud.foundation import deploy_foundation, let_prober_in, storage_group
from local.cloud.functions import variables_of_functions
from local.cloud.layout import Layout
from local.cloud.lock import AlreadyUp, locked
from local.cloud.processes import LOOPBACK, free_port
from local.cloud.sam import deploy
from local.cloud.staging import stage_agent, stage_bucket, stage_efs, stage_image
from local.cloud.stopping import end_processes, left_running
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName

AWS_PORT: Final = 4566
"""Where people expect a local AWS; another port is taken when this one is not free."""

AGENT_IMAGE: Final = "sockerless/agent:latest"
IMAGE_WITH_AGENT: Final = "sockerless/with-agent:latest"
"""An image that already has the agent, for the strategy `image`."""
TASK_LOG_GROUP: Final = "/sockerless/tasks"
"""foundation.yaml's default."""

PARAMETERS: Final[Mapping[str, str]] = {
    "ClusterName": "default",
    "AgentImage": AGENT_IMAGE,
    # Tasks are processes with loopback addresses, or containers in Docker's networks.
    "AgentNetworks": "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    "HealthTimeoutSeconds": "20",
    # This machine has no quota of concurrent executions.
    "ProberMaximumConcurrency": "50",
}
"""The stack's parameters that are neither the template's defaults nor outputs of the foundation.

Agents start in seconds here, so less is late.
"""

_START_SECONDS: Final = 60
_REAL_START_SECONDS: Final = 300
"""The template's default of StartTimeoutSeconds, for tasks that take their time as on Fargate."""


class LocalCloud:
    """The local AWS with the stack deployed to it, and the local Fargate. As a context, it stops what it started.

    `parameters` go over `PARAMETERS`; AgentFlavor also says which agent is staged, and `agent_flavor` is its default.
    Both listen on `host`, the local AWS on `port` if that is free. `speed` is the pace of the local Fargate, `seed`
    makes it repeatable, `runtime` is what its containers are. `images` need no registry in Docker mode: each is the
    base image. `say` gets one line for each step.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        layout: Layout | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        agent_flavor: str = "spec",
        host: str = LOOPBACK,
        port: int | None = None,
        speed: str = "fast",
        seed: int | None = None,
        runtime: RuntimeName = RuntimeName.PROCESS,
        images: Iterable[str] = (),
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.layout = layout or Layout()
        # Tasks start in seconds here, unless they are to take their time.
        start_timeout = max(_START_SECONDS, round(_REAL_START_SECONDS * parse_speed(speed)))
        own = {"StartTimeoutSeconds": str(start_timeout), "AgentFlavor": agent_flavor}
        self.parameters = {**PARAMETERS, **own, **(parameters or {})}
        self.outputs: dict[str, str] = {}
        self.endpoint = ""
        """The local AWS. Known from the start on, as the next."""
        self.ecs_endpoint = ""
        self._host = host
        self._port = port
        self._start_fargate = partial(start_fargate, speed=speed, seed=seed, runtime=runtime)
        self._images = tuple(images)
        self._say = say or (lambda _: None)
        self._context = ExitStack()

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        return aws_client(service, self.ecs_endpoint if service == "ecs" else self.endpoint)

    def start(self) -> None:
        """Starts everything and returns when it is usable. The caller has the directory's lock.

        What an earlier cloud of this directory has left is stopped. Raises `CloudError`; nothing runs then.
        """
        try:
            if left := end_processes(self.layout):
                self._say(f"stopped what was left of the one before: {', '.join(left)}")
            shutil.rmtree(self.layout.fargate, ignore_errors=True)
            self._start()
        except BaseException:
            end_processes(self.layout)
            raise

    def __enter__(self) -> Self:
        """Takes the directory's lock, too. Raises `AlreadyUp`."""
        with ExitStack() as context:
            context.enter_context(locked(self.layout, "a demo or a test"))
            if left_running(self.layout) is not None:
                raise AlreadyUp(f"The local cloud of {self.layout.directory} runs already. What to do: make down")
            self.start()
            context.callback(end_processes, self.layout)
            self._context = context.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def _start(self) -> None:
        port = free_port(self._port, self._host)
        if self._port not in (None, port):
            self._say(f"port {self._port} is taken: the AWS endpoint is on {port}")
        ecs_port = free_port(host=self._host)
        self.endpoint, self.ecs_endpoint = f"http://{self._host}:{port}", f"http://{self._host}:{ecs_port}"
        # Each of the two knows the other's address, and neither needs the other to start; the build needs none.
        aws = start_aws(self.layout, self._host, port, self.ecs_endpoint)
        ecs = self._start_fargate(self.layout, self._host, ecs_port, self.endpoint)
        with built(self.layout, self._say) as template:
            with self._step("agent packed"):
                images = (self.parameters["AgentImage"], IMAGE_WITH_AGENT)
                agent = stage_agent(self.layout, self.parameters["AgentFlavor"], images)
                for image in self._images:
                    stage_image(self.layout, image)
            with self._step("local AWS and local Fargate ready"):
                aws.wait_until_ready(self._host, port, *AWS_READY)
                ecs.wait_until_ready(self._host, ecs_port, *FARGATE_READY)
            with self._step("foundation.yaml deployed"):
                founded = deploy_foundation(self.client, {"ClusterName": self.parameters["ClusterName"]})
            with self._step("agent staged on EFS and in a bucket"):
                stage_efs(self.layout, founded, agent)
                subnets = founded["TaskSubnets"].split(",")
                bucket = stage_bucket(self.client, agent, subnets, storage_group(self.client))
                self.parameters = {**founded, **bucket, **self.parameters}
            with self._step("sam deploy"):
                self.outputs = deploy(self.layout, template, self.endpoint, self.parameters)
                let_prober_in(self.client, self.parameters, self.outputs["ProberSecurityGroupId"])
        endpoints = self.endpoint, self.ecs_endpoint
        variables = variables_of_functions(self.client("lambda"), self.outputs, endpoints)
        self.layout.function_variables.write_text(json.dumps(variables, indent=2) + "\n")
        write_environment(self.layout.env, published_environment(*endpoints, self.outputs))

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._say(f"{name} ({time.monotonic() - begun:.1f} s)")
