"""The whole local cloud, started and stopped as one."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from local.cloud import deploy
from local.cloud.agent_binary import place_agent
from local.cloud.clients import aws_client
from local.cloud.environment import (
    ACCOUNT,
    isolated_environment,
    published_environment,
    write_environment,
)
from local.cloud.layout import ROOT, Layout
from local.cloud.ministack import READY_PATH, READY_SECONDS, start_ministack
from local.cloud.processes import LOOPBACK, CloudError, Command, Daemon, forget, free_port, noted, spawn
from local.fargate.engine.marker import engine_marker
from local.fargate.runtime import RuntimeName
from local.fargate.view import image_directory
from local.fargate.volumes import efs_directory

AWS_PORT: Final = 4566
"""Where people expect a local AWS; another port is taken when this one is not free."""
FARGATE_HEALTH_PATH: Final = "/_local/health"
FARGATE_SECONDS: Final = 20

FILE_SYSTEM: Final = "fs-0c0ffee0000000001"
ACCESS_POINT: Final = "fsap-0c0ffee0000000001"
AGENT_IMAGE: Final = "sockerless/agent:latest"
IMAGE_WITH_AGENT: Final = "sockerless/with-agent:latest"
"""An image that already has the agent, for the strategy `image`."""

_ENGINE_VARIABLES: Final = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")

PARAMETERS: Final[Mapping[str, str]] = {
    "ClusterName": "default",
    "TaskSubnets": "subnet-0c0ffee0000000001,subnet-0c0ffee0000000002",
    "TaskSecurityGroups": "sg-0c0ffee0000000001",
    "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task-execution",
    "TaskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
    "EfsFileSystemId": FILE_SYSTEM,
    "EfsAccessPointId": ACCESS_POINT,
    "AgentImage": AGENT_IMAGE,
    "HealthTimeoutSeconds": "20",
    "StartTimeoutSeconds": "60",
}
"""The stack's parameters, where they are not the template's defaults. Tasks start in seconds here, so less is late."""


class AlreadyUp(CloudError):
    """A cloud of this directory runs already."""


class LocalCloud:
    """The local AWS with the stack deployed to it, and the local Fargate. As a context, it stops what it started.

    `parameters` go over `PARAMETERS`. `port` is where the local AWS should listen, if it is free. `speed` is the pace
    of the local Fargate, `runtime` what its containers are. `say` hears one line for each step.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        layout: Layout | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        port: int | None = None,
        speed: str = "fast",
        runtime: RuntimeName = RuntimeName.PROCESS,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.layout = layout or Layout()
        self.parameters = {**PARAMETERS, **(parameters or {})}
        self.outputs: dict[str, str] = {}
        self._port = port
        self._fargate_port = 0
        self._speed = speed
        self._runtime = runtime
        self._say = say

    @property
    def endpoint(self) -> str:
        """The local AWS. Known from the start on."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def ecs_endpoint(self) -> str:
        """The local Fargate. Known from the start on."""
        return f"http://{LOOPBACK}:{self._fargate_port}"

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        return aws_client(service, self.ecs_endpoint if service == "ecs" else self.endpoint)

    def start(self) -> None:
        """Starts everything and returns when it is usable. Raises `AlreadyUp`, `CloudError`; nothing runs then."""
        if running(self.layout):
            raise AlreadyUp("This local cloud runs already. What to do: make down")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything, last started first. Idempotent."""
        stop(self.layout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        _remove_leftovers(self.layout)
        for directory in (self.layout.fargate, self.layout.scratch):
            shutil.rmtree(directory, ignore_errors=True)
        self._port, self._fargate_port = free_port(self._port), free_port()
        # Each of the two knows the other's address, and neither needs the other to start; the build needs none.
        aws = start_ministack(self.layout, self._port, self.ecs_endpoint)
        fargate = self._start_fargate()
        with self._step("sam build"):
            deploy.build(self.layout)
        with self._step("agent packed and staged"):
            self._stage_agent()
        with self._step("local AWS and local Fargate ready"):
            aws.wait_until_ready(self._port, READY_PATH, READY_SECONDS)
            fargate.wait_until_ready(self._fargate_port, FARGATE_HEALTH_PATH, FARGATE_SECONDS)
        with self._step("sam deploy"):
            self.outputs = deploy.deploy(self.layout, self.endpoint, self.parameters)
        write_environment(self.layout.env, published_environment(self.endpoint, self.ecs_endpoint, self.outputs))

    def _start_fargate(self) -> Daemon:
        arguments = [
            *(sys.executable, "-m", "local.fargate"),
            *("--host", LOOPBACK),
            *("--port", str(self._fargate_port)),
            *("--aws-endpoint", self.endpoint),
            *("--state-dir", str(self.layout.fargate)),
            *("--speed", self._speed),
            *("--runtime", self._runtime),
        ]
        # It refuses by the rules of the core, which is not installed.
        engine = {name: os.environ[name] for name in _ENGINE_VARIABLES if name in os.environ}
        environment = isolated_environment(
            {"AWS_ENDPOINT_URL": self.endpoint, "PYTHONPATH": str(ROOT / "src"), **engine}
        )
        command = Command(arguments, environment, cwd=ROOT, log=self.layout.logs / "fargate.log")
        return spawn("fargate", command, self.layout.run)

    def _stage_agent(self) -> None:
        """Puts the agent where an operator would: on the file system, and into the images that bring it."""
        efs = efs_directory(
            self.layout.fargate, self.parameters["EfsFileSystemId"], self.parameters["EfsAccessPointId"]
        )
        agent = place_agent(efs / "sockerless-agent")
        for image in (self.parameters["AgentImage"], IMAGE_WITH_AGENT):
            directory = image_directory(self.layout.fargate, image)
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copy2(agent, directory / "sockerless-agent")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        if self._say is not None:
            self._say(f"{name} ({time.monotonic() - begun:.1f} s)")


def running(layout: Layout) -> bool:
    """Whether a process of this directory's cloud runs."""
    return any(daemon.alive() for daemon in noted(layout.run))


def stop(layout: Layout) -> list[str]:
    """Stops exactly the processes noted in this directory, the tasks before the AWS that hears of their end.

    Returns the names of those that ran. Idempotent.
    """
    stopped = []
    for daemon in noted(layout.run):  # in the order of their names: fargate, ministack
        if daemon.alive():
            stopped.append(daemon.name)
        daemon.stop()
        forget(layout.run, daemon)
    layout.env.unlink(missing_ok=True)
    _remove_leftovers(layout)
    return stopped


def _remove_leftovers(layout: Layout) -> None:
    """Containers outlive a local Fargate that was killed, as processes do not."""
    if not engine_marker(layout.fargate).exists():
        return
    from local.fargate.engine.connection import NoEngine  # noqa: PLC0415 - process mode needs no engine's client
    from local.fargate.engine.ownership import remove_leftovers  # noqa: PLC0415 - as above

    try:
        remove_leftovers(layout.fargate)
    except NoEngine as exc:
        raise CloudError(f"{exc} Containers of {layout.directory} may be left in it.") from exc
