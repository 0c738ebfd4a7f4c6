"""A local Fargate in this process, and the definitions and requests of its tests."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import boto3
import pytest
from aiohttp import web
from botocore.config import Config
from botocore.exceptions import ClientError

from local.fargate.client import LocalFargate
from local.fargate.server import Options, build_app
from local.fargate.state_directory import efs_directory, image_directory

QUICK = 0.004
"""A speed at which each phase takes some hundredths of a second."""
PATIENCE = 120.0
AGENT = f"""#!{sys.executable} -IS
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(sys.argv[1:], flush=True)
print(os.environ.get("COLOUR"), os.getcwd(), flush=True)
with socket.create_server((os.environ["SOCKERLESS_AGENT_HOST"], int(os.environ["SOCKERLESS_AGENT_PORT"]))) as server:
    while True:
        server.accept()[0].close()
"""
"""Accepts connections on an agent's port, prints its arguments and environment, and exits with 0 on SIGTERM."""
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}}

T = TypeVar("T")
_SESSION = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


def until(read: Callable[[], T], accepted: Callable[[T], object] = bool) -> T:
    """Reads until the value is accepted. Fails after `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        value = read()
        if accepted(value):
            return value
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.01)


def ecs_client(endpoint: str) -> Any:
    """A boto3 client without retries: each refusal reaches the test."""
    settings = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    return _SESSION.client("ecs", endpoint_url=endpoint, config=settings)


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and message of the error that answers a call."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


class LocalServer:
    """A server on a free port with its own event loop and thread."""

    def __init__(self, state_dir: Path, **options: Any) -> None:
        self.state_dir = state_dir
        self._options = Options(state_dir=state_dir, **{"speed": QUICK, "seed": 1, **options})
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.local = LocalFargate(self.endpoint)
        self.ecs = ecs_client(self.endpoint)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # noqa: BLE001 - the test's own thread raises it
            self._failure = exc
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        runner = web.AppRunner(build_app(self._options), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, self._listener).start()
        self._ready.set()
        await self._end.wait()
        await runner.cleanup()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)
        self.ecs.close()
        assert not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure

    def image_file(self, image: str, path: str, text: str, *, mode: int = 0o755) -> Path:
        """A file of an image."""
        return _write(image_directory(self.state_dir, image) / path.lstrip("/"), text, mode)

    def efs_file(self, file_system: str, access_point: str, path: str, text: str, *, mode: int = 0o755) -> Path:
        """A file on an access point of a file system."""
        return _write(efs_directory(self.state_dir, file_system, access_point) / path, text, mode)

    def run(self, definition: dict[str, Any], **parameters: Any) -> dict[str, Any]:
        """Registers a definition and runs one task of it: the task as RunTask answers it."""
        self.ecs.register_task_definition(**definition)
        answer = self.ecs.run_task(**request(definition["family"], **parameters))
        assert answer["failures"] == []
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def task(self, arn: str) -> dict[str, Any]:
        """The task as DescribeTasks has it."""
        task: dict[str, Any] = self.ecs.describe_tasks(tasks=[arn])["tasks"][0]
        return task

    def task_when(self, arn: str, *statuses: str) -> dict[str, Any]:
        """The task once it has one of these statuses."""
        return until(lambda: self.task(arn), lambda task: task["lastStatus"] in statuses)

    def log(self, task: dict[str, Any], container: str) -> str:
        """The output of a container so far."""
        path = self.state_dir / "logs" / task["taskArn"].rpartition("/")[2] / f"{container}.log"
        return path.read_text() if path.exists() else ""


def _write(path: Path, text: str, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def request(family: str, **parameters: Any) -> dict[str, Any]:
    """A RunTask request."""
    return {"taskDefinition": family, "launchType": "FARGATE", "networkConfiguration": NETWORK, **parameters}


def definition(*containers: dict[str, Any], family: str = "tests", **members: Any) -> dict[str, Any]:
    """A RegisterTaskDefinition request of the smallest size."""
    return {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": list(containers),
        **members,
    }


def container(*command: str, name: str = "main", **members: Any) -> dict[str, Any]:
    """A container that runs a command of the host; SIGKILL follows SIGTERM after two seconds."""
    return {"name": name, "image": "debian:stable-slim", "command": list(command), "stopTimeout": 2, **members}


def environment(**variables: str) -> list[dict[str, str]]:
    """A mapping as ECS writes it."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def agent_definition(port: int, **members: Any) -> dict[str, Any]:
    """The `image` strategy: the image has the agent at /sockerless-agent."""
    main = container("--keep-alive", "--", entryPoint=["/sockerless-agent"], image="agent/baked:1")
    return definition({**main, "environment": environment(SOCKERLESS_AGENT_PORT=str(port))}, **members)


def efs_definition(port: int, **members: Any) -> dict[str, Any]:
    """The `efs` strategy: the access point is mounted read-only at /sockerless-agent."""
    volume = {
        "name": "agent",
        "efsVolumeConfiguration": {
            "fileSystemId": "fs-0123456789abcdef0",
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
        },
    }
    mount = {"sourceVolume": "agent", "containerPath": "/sockerless-agent", "readOnly": True}
    main = container("--keep-alive", "--", entryPoint=["/sockerless-agent/sockerless-agent"], mountPoints=[mount])
    main["environment"] = environment(SOCKERLESS_AGENT_PORT=str(port))
    return definition(main, volumes=[volume], **members)


def init_definition(port: int, *, read_only_init: bool = False) -> dict[str, Any]:
    """The `init-container` strategy: `init` copies the agent from its image, `main` depends on its success."""
    mount = {"sourceVolume": "agent", "containerPath": "/sockerless-agent-volume", "readOnly": read_only_init}
    init = container(
        "/sockerless-agent", "/sockerless-agent-volume/sockerless-agent",
        name="init", image="sockerless/agent:latest", entryPoint=["cp"], essential=False, mountPoints=[mount],
    )  # fmt: skip
    main = container(
        "--keep-alive", "--",
        entryPoint=["/sockerless-agent/sockerless-agent"],
        mountPoints=[{"sourceVolume": "agent", "containerPath": "/sockerless-agent", "readOnly": True}],
        dependsOn=[{"containerName": "init", "condition": "SUCCESS"}],
        environment=environment(SOCKERLESS_AGENT_PORT=str(port)),
    )  # fmt: skip
    return definition(init, main, volumes=[{"name": "agent"}])


def statuses(events: Iterable[dict[str, Any]]) -> list[str]:
    """The lastStatus of each event."""
    return [event["detail"]["lastStatus"] for event in events]


def address_of(task: dict[str, Any]) -> str:
    """The private address in the API's spelling."""
    attachment = next(one for one in task["attachments"] if one["type"] == "ElasticNetworkInterface")
    details = {detail["name"]: detail["value"] for detail in attachment["details"]}
    return str(details["privateIPv4Address"])
