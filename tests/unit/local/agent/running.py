"""An agent as a process, and conversations with it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil
from websockets.sync.client import ClientConnection, connect

from tests.unit.local.ports import free_port

HOST = "127.0.0.17"
TOKEN = "0123456789abcdef" * 4
MODULE = (sys.executable, "-m", "local.agent")
STAND_IN = (sys.executable, "-m", "local.agent.sockerless")
ROOT = Path(__file__).parents[4]
PATIENCE = 20.0
"""Seconds after which a test has failed; nothing takes that long."""


class RunningAgent:
    """A started agent; its output is collected until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def request(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()

    def wait_until_healthy(self) -> dict[str, Any]:
        """Sends GET /health until it is answered, as the prober does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                status, body = self.request("/health")
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the agent was never healthy"
                assert self.process.poll() is None, f"the agent ended with {self.process.returncode}"
                time.sleep(0.01)
            else:
                assert status == 200
                return dict(json.loads(body))

    def read_line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> tuple[int, bytes, bytes]:
        """Waits for the agent to end by itself: exit code and what is left of its output."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, stdout, stderr

    @contextlib.contextmanager
    def conversation(self, path: str = "/ws") -> Iterator[Conversation]:
        with connect(
            f"ws://{self.address}{path}", additional_headers={"Authorization": f"Bearer {TOKEN}"}, proxy=None
        ) as websocket:
            yield Conversation(websocket)


class Conversation:
    """Messages to and from an agent, on one connection."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    def send(self, type_: str, **members: object) -> Self:
        if isinstance(members.get("data"), bytes):
            members["data"] = base64.b64encode(members["data"]).decode()  # type: ignore[arg-type]  # just checked
        self.websocket.send(json.dumps({"type": type_, **members}))
        return self

    def receive(self) -> dict[str, Any]:
        message = dict(json.loads(self.websocket.recv(timeout=PATIENCE)))
        if "data" in message:
            message["data"] = base64.b64decode(message["data"])
        return message

    def receive_until(self, session: str, text: bytes) -> bytes:
        """The session's output up to the message in which `text` is complete."""
        received = b""
        while text not in received:
            message = self.receive()
            assert message["type"] in {"stdout", "stderr"}, message
            if message["id"] == session:
                received += message["data"]
        return received

    def receive_all(self, session: str) -> tuple[int, bytes, bytes]:
        """The session's exit code and outputs, with no other session in between."""
        received = {"stdout": b"", "stderr": b""}
        while True:
            message = self.receive()
            assert message["id"] == session, message
            if message["type"] == "exit":
                return message["code"], received["stdout"], received["stderr"]
            received[message["type"]] += message["data"]


@contextlib.contextmanager
def running_agent(
    *arguments: str,
    program: Sequence[str] = MODULE,
    env: Mapping[str, str] | None = None,
    wait: bool = True,
    port: int | None = None,
) -> Iterator[RunningAgent]:
    """An agent with these arguments, killed at the end with what it has started; `wait`: until it is healthy."""
    port = port or free_port(HOST)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SOCKERLESS_AGENT_HOST": HOST,
        "SOCKERLESS_AGENT_PORT": str(port),
        "SOCKERLESS_AGENT_TOKEN": TOKEN,
        **(env or {}),
    }
    with subprocess.Popen(
        [*program, *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        agent = RunningAgent(process, port)
        try:
            if wait:
                agent.wait_until_healthy()
            yield agent
        finally:
            _kill(process.pid)


def _kill(pid: int) -> None:
    """A killed agent cannot end what it has started, so that is killed with it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        agent = psutil.Process(pid)
        for process in [agent, *agent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@contextlib.contextmanager
def running_stand_in(
    *arguments: str, program: Sequence[str] = STAND_IN, log_level: str = "fatal", wait: bool = True
) -> Iterator[RunningAgent]:
    """The stand-in for the public agent, whose port only `-addr` names."""
    port = free_port(HOST)
    options = ("-addr", f":{port}", "-log-level", log_level)
    elsewhere = {"SOCKERLESS_AGENT_PORT": str(free_port(HOST))}
    with running_agent(*options, *arguments, program=program, env=elsewhere, wait=wait, port=port) as agent:
        yield agent
