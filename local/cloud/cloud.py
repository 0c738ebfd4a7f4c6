"""The whole local cloud, started and stopped as one."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, Self

from local.cloud import fargate, ministack
from local.cloud.build import built
from local.cloud.clients import aws_client
from local.cloud.deploy import deploy
from local.cloud.environment import ACCOUNT, published_environment, write_environment
from local.cloud.fargate import Manner, stage_agent, stage_images, start_fargate
from local.cloud.hold import Hold
from local.cloud.layout import Layout
from local.cloud.ministack import start_ministack
from local.cloud.ports import Port
from local.cloud.processes import LOOPBACK, Daemon
from local.cloud.stopping import end_processes
from local.fargate.pace import parse_speed
from local.fargate.runtime import RuntimeName

AWS_PORT: Final = 4566
"""Where people expect a local AWS; another port is taken when this one is not free."""

FILE_SYSTEM: Final = "fs-0c0ffee0000000001"
ACCESS_POINT: Final = "fsap-0c0ffee0000000001"
AGENT_IMAGE: Final = "sockerless/agent:latest"
IMAGE_WITH_AGENT: Final = "sockerless/with-agent:latest"
"""An image that already has the agent, for the strategy `image`."""
TASK_LOG_GROUP: Final = "/sockerless/tasks"

PARAMETERS: Final[Mapping[str, str]] = {
    "ClusterName": "default",
    "TaskSubnets": "subnet-0c0ffee0000000001,subnet-0c0ffee0000000002",
    "TaskSecurityGroups": "sg-0c0ffee0000000001",
    "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task-execution",
    "TaskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
    "EfsFileSystemId": FILE_SYSTEM,
    "EfsAccessPointId": ACCESS_POINT,
    "AgentImage": AGENT_IMAGE,
    "TaskLogGroup": TASK_LOG_GROUP,
    "HealthTimeoutSeconds": "20",
    # This machine has no quota of concurrent executions.
    "ProberMaximumConcurrency": "50",
}
"""The stack's parameters, where they are not the template's defaults. Agents start in seconds here, so less is late."""

_START_SECONDS: Final = 60
_REAL_START_SECONDS: Final = 300
"""The template's default of StartTimeoutSeconds, for tasks that take their time as on Fargate."""


class LocalCloud:
    """The local AWS with the stack deployed to it, and the local Fargate. As a context, it stops what it started.

    `parameters` go over `PARAMETERS`. `port` is where the local AWS should listen, if it is free. `speed` is the pace
    of the local Fargate, `seed` makes it repeatable, `runtime` is what its containers are. `images` need no registry
    in Docker mode: each is the base image. `keeper` says that commands may end this process to stop the cloud.
    `say` hears one line for each step.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        layout: Layout | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        port: int | None = None,
        speed: str = "fast",
        seed: int | None = None,
        runtime: RuntimeName = RuntimeName.PROCESS,
        images: Iterable[str] = (),
        keeper: bool = False,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.layout = layout or Layout()
        self.parameters = {**PARAMETERS, **_timeouts(speed), **(parameters or {})}
        self.outputs: dict[str, str] = {}
        self.daemons: dict[str, Daemon] = {}
        """The two processes by name, as they were started last."""
        self._wanted = port
        self._ports: dict[str, Port] = {}
        self._manner = Manner(speed=speed, seed=seed, runtime=runtime)
        self._images = tuple(images)
        self._keeper = keeper
        self._hold: Hold | None = None
        self._say = say or (lambda _: None)

    @property
    def endpoint(self) -> str:
        """The local AWS. Known from the start on."""
        return self._address(ministack.NAME)

    @property
    def ecs_endpoint(self) -> str:
        """The local Fargate. Known from the start on."""
        return self._address(fargate.NAME)

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        return aws_client(service, self.ecs_endpoint if service == "ecs" else self.endpoint)

    def start(self) -> None:
        """Starts everything and returns when it is usable. Raises `AlreadyUp`, `CloudError`; nothing runs then."""
        self._hold = Hold.take(self.layout, keeper=self._keeper, manner={"port": self._wanted, **asdict(self._manner)})
        try:
            left = end_processes(self.layout)
            if left:
                self._say(f"stopped what was left of the one before: {', '.join(left)}")
            shutil.rmtree(self.layout.fargate, ignore_errors=True)
            self._reserve_ports()
            self._bring_up(again=False)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything, last started first. Idempotent."""
        if self._hold is None:
            return
        try:
            end_processes(self.layout)
        finally:
            self._hold.release()
            self._hold = None
            for port in self._ports.values():
                port.release()

    def start_fargate_again(self) -> None:
        """After its end: on the same port, in the same state directory. Returns before it is ready."""
        self.daemons[fargate.NAME] = self._start_fargate(again=True)

    def start_again(self) -> None:
        """After the end of both processes: on the same ports, and deployed again, for the local AWS forgets.

        File systems and images stay. Raises `CloudError`; something may run then.
        """
        self._bring_up(again=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _address(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self._ports[name].number}"

    def _reserve_ports(self) -> None:
        aws = Port.reserve(self._wanted)
        self._ports = {ministack.NAME: aws, fargate.NAME: Port.reserve()}
        if self._wanted not in (None, aws.number):
            self._say(f"port {self._wanted} is taken: the AWS endpoint is on {aws.number}")

    def _bring_up(self, *, again: bool) -> None:
        aws_port, ecs_port = (self._ports[name].number for name in (ministack.NAME, fargate.NAME))
        # Each of the two knows the other's address, and neither needs the other to start; the build needs none.
        aws = start_ministack(self.layout, aws_port, self.ecs_endpoint, append=again)
        ecs = self._start_fargate(again=again)
        self.daemons = {ministack.NAME: aws, fargate.NAME: ecs}
        with built(self.layout, self._say) as template:
            if not again:
                with self._step("agent packed and staged"):
                    self._stage()
            with self._step("local AWS and local Fargate ready"):
                aws.wait_until_ready(aws_port, ministack.READY_PATH, ministack.READY_SECONDS)
                ecs.wait_until_ready(ecs_port, fargate.READY_PATH, fargate.READY_SECONDS)
            with self._step("sam deploy"):
                self._make_log_group()
                self.outputs = deploy(self.layout, template, self.endpoint, self.parameters)
        write_environment(self.layout.env, published_environment(self.endpoint, self.ecs_endpoint, self.outputs))

    def _make_log_group(self) -> None:
        """As an operator would: the execution role may write to a group, and not make one."""
        if group := self.parameters["TaskLogGroup"]:
            self.client("logs").create_log_group(logGroupName=group)

    def _start_fargate(self, *, again: bool) -> Daemon:
        port = self._ports[fargate.NAME].number
        return start_fargate(self.layout, port, self.endpoint, self._manner, append=again)

    def _stage(self) -> None:
        stage_agent(self.layout, self.parameters, (self.parameters["AgentImage"], IMAGE_WITH_AGENT))
        stage_images(self.layout, self._images)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._say(f"{name} ({time.monotonic() - begun:.1f} s)")


def _timeouts(speed: str) -> dict[str, str]:
    """Tasks start in seconds here, unless they are to take their time."""
    return {"StartTimeoutSeconds": str(max(_START_SECONDS, round(_REAL_START_SECONDS * parse_speed(speed))))}
