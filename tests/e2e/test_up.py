"""`python -m local up` and `down`, as an operator has them: what crashes comes back, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from core.adapters.clients import reach_client
from core.client import Reachable
from local.cloud.clients import aws_client
from local.cloud.environment import read_environment
from local.cloud.hold import holder
from local.cloud.keeper import restarts
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Daemon, free_port, noted
from local.fargate.client import LocalFargate
from local.fargate.runtime import RuntimeName
from tests.e2e.engine import NOTHING, owned
from tests.e2e.stack import IMAGE, PATIENCE, POLL_SECONDS, SERVER

T = TypeVar("T")


class Operator:
    """Someone at a shell, with one directory, one preferred port and one runtime."""

    def __init__(self, directory: Path, port: int, runtime: RuntimeName) -> None:
        self.layout = Layout(directory)
        self.port = port
        self.runtime = runtime

    def starting(self, **environment: str) -> subprocess.Popen[str]:
        """`up`, just started. Its output is to be read to its end."""
        command = [*self.command("up"), "--runtime", self.runtime, "--port", str(self.port)]
        return subprocess.Popen(
            command, env=shell(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs `up` to its end."""
        return ended(self.starting(**environment))

    def down(self) -> subprocess.CompletedProcess[str]:
        """Runs `down` to its end."""
        return subprocess.run(self.command("down"), env=shell(), capture_output=True, text=True, check=False)

    def command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "local", name, "--directory", str(self.layout.directory)]

    def daemon(self, name: str) -> Daemon:
        """One of the two, as it is noted now."""
        return next(daemon for daemon in noted(self.layout.run) if daemon.name == name)

    def kill(self, name: str) -> None:
        """As the kernel does when memory runs out."""
        os.kill(self.daemon(name).pid, signal.SIGKILL)

    def started_again(self, **times: int) -> None:
        """Returns when each process was started again that often in all."""
        eventually(lambda: restarts(self.layout) == times, f"{times}; see {self.layout.logs}")

    def environment(self) -> dict[str, str]:
        return read_environment(self.layout.env)

    def healthy(self, container_id: str) -> Reachable:
        """A container that is started now, once its agent has answered."""
        env = self.environment()
        request = {"container_id": container_id, "image": IMAGE, "cmd": list(SERVER)}
        answer = aws_client("lambda", env["AWS_ENDPOINT_URL"]).invoke(
            FunctionName=env["START_CONTAINER_FUNCTION_ARN"], Payload=json.dumps(request)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        items = reach_client(env["CONTAINERS_TABLE_NAME"], aws_client("dynamodb", env["AWS_ENDPOINT_URL"]))
        return items.wait_until_healthy(container_id, timeout=PATIENCE)

    def processes(self) -> dict[int, str]:
        """Every process that has this directory in its arguments, its environment or as its own, and its arguments."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes()
                traces = [arguments, (process / "environ").read_bytes(), os.fsencode((process / "cwd").readlink())]
            except OSError:  # it has just ended, or is a zombie
                continue
            if any(os.fsencode(self.layout.directory) in trace for trace in traces):
                found[int(process.name)] = arguments.replace(b"\0", b" ").decode()
        return found

    def owned(self) -> dict[str, list[str]]:
        """What the container engine holds of this cloud: nothing where tasks are processes, and nobody is asked."""
        return owned(self.layout.fargate) if self.runtime is RuntimeName.DOCKER else NOTHING


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """What became of a command."""
    with process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def shell(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **more}


def eventually(look: Callable[[], T], what: str) -> T:
    """The first answer of `look` that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE:g} s: {what}")
        time.sleep(POLL_SECONDS)
    return seen


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory, runtime: RuntimeName) -> Iterator[Operator]:
    """A cloud that is up; the tests of this module are its life, in their order."""
    operator = Operator(tmp_path_factory.mktemp("operator"), free_port(), runtime)
    try:
        done = operator.up()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "sam deploy" in done.stdout
        yield operator
    finally:
        operator.down()


@pytest.fixture
def second(tmp_path: Path, operator: Operator) -> Iterator[Operator]:
    """Another directory, with the port that is taken already."""
    second = Operator(tmp_path, operator.port, operator.runtime)
    yield second
    assert second.processes() == {}
    assert second.owned() == NOTHING
    assert not second.layout.env.exists()


def test_up_names_what_runs_already(operator: Operator) -> None:
    """A second `up` changes nothing and prints the endpoints, and how it runs."""
    before = operator.processes()
    done = operator.up()
    assert done.returncode == 0
    assert f"--speed fast --runtime {operator.runtime}); it is left as it is" in done.stdout
    assert f"http://127.0.0.1:{operator.port}" in done.stdout
    assert operator.processes().keys() == before.keys()


def test_up_in_another_manner_is_refused(operator: Operator) -> None:
    """What was asked for is not ignored, and what runs goes on."""
    before = operator.processes()
    command = [*operator.command("up"), "--speed", "real"]
    done = subprocess.run(command, env=shell(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not with --speed real. What to do: make down" in done.stderr
    assert operator.processes().keys() == before.keys()


def test_local_fargate_comes_back(operator: Operator, container_id: str) -> None:
    """Killed, it is started again on its port with what was staged, and containers start; the local AWS stays."""
    aws, env = operator.daemon("ministack"), operator.environment()
    operator.kill("fargate")
    operator.started_again(fargate=1)
    assert operator.environment() == env
    assert operator.daemon("ministack") == aws
    ecs = LocalFargate(env["AWS_ENDPOINT_URL_ECS"])
    eventually(ecs.healthy, "the local Fargate answers")
    address = operator.healthy(container_id).address
    assert [task["address"] for task in ecs.tasks()] == [address.partition(":")[0]]
    assert operator.layout.logs.joinpath("fargate.log").read_text().count("listening on") == 2


def test_local_aws_comes_back_with_the_stack(operator: Operator, container_id: str) -> None:
    """Killed, it takes all tasks with it, and is there again on its port with a stack that works."""
    before = operator.environment()
    assert LocalFargate(before["AWS_ENDPOINT_URL_ECS"]).tasks()
    operator.kill("ministack")
    operator.started_again(fargate=1, ministack=1)
    env = operator.environment()
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"):
        assert env[name] == before[name]
    assert LocalFargate(env["AWS_ENDPOINT_URL_ECS"]).tasks() == []
    assert operator.healthy(container_id).address


def test_up_tells_of_restarts(operator: Operator) -> None:
    """Someone who asks learns that something crashed."""
    told = operator.up().stdout
    assert "fargate ended 1 time and was started again" in told
    assert "ministack ended 1 time and was started again" in told


def test_failed_start_says_why_and_leaves_nothing(second: Operator) -> None:
    """`up` that cannot be done exits with 1 and the reason."""
    done = second.up(AGENT_BINARY="no/such/agent")
    assert done.returncode == 1
    assert "AGENT_BINARY names no/such/agent" in done.stderr


def test_interrupted_start_leaves_nothing(second: Operator) -> None:
    """Ctrl-C while `up` starts stops everything. The port of another cloud is not taken, which is said."""
    up = second.starting()
    assert up.stdout is not None
    assert any(f"port {second.port} is taken" in line for line in up.stdout)
    up.send_signal(signal.SIGINT)
    assert ended(up).returncode == 130


def test_start_that_is_stopped_says_so(second: Operator) -> None:
    """`down` while `up` starts ends it; of the log, which tells of older starts too, nothing is shown."""
    log = second.layout.logs / "keeper.log"
    log.parent.mkdir()
    log.write_text("an older start\n")
    up = second.starting()
    assert up.stdout is not None
    assert any("agent packed" in line for line in up.stdout)
    assert "keeper" in second.down().stdout
    done = ended(up)
    assert (done.returncode, done.stderr) == (1, "The start was stopped: by `down`, or by a signal.\n")
    assert log.read_text().startswith("an older start\n")


def test_two_at_the_same_moment(second: Operator) -> None:
    """One starts the cloud; the other waits for that, and names the same endpoints."""
    ups = [second.starting(), second.starting()]
    done = [ended(up) for up in ups]
    try:
        assert [one.returncode for one in done] == [0, 0], done
        assert sorted("runs already" in one.stdout for one in done) == [False, True]
        first, other = (one.stdout.partition("\n  AWS endpoint")[2] for one in done)
        assert first == other
    finally:
        second.down()


def test_up_after_the_keeper_was_killed(operator: Operator) -> None:
    """What it has left is stopped, and all of it is started anew, on the same port."""
    before = operator.environment()
    found = holder(operator.layout)
    assert found is not None
    os.kill(found.process.pid, signal.SIGKILL)
    left, held = operator.processes().keys(), operator.owned()
    assert bool(held["container"]) is (operator.runtime is RuntimeName.DOCKER)
    done = operator.up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stopped what was left of the one before: fargate, ministack" in done.stdout
    assert not left & operator.processes().keys()
    now = operator.owned()
    for kind in ("container", "network", "volume"):
        assert not set(held[kind]) & set(now[kind])
    assert operator.environment()["AWS_ENDPOINT_URL"] == before["AWS_ENDPOINT_URL"]


def test_down_leaves_nothing(operator: Operator, container_id: str) -> None:
    """No process, no container, no code of a function, no env file; and a second `down` has nothing to do."""
    operator.healthy(container_id)
    assert operator.down().stdout == "Stopped: fargate, ministack, keeper.\n"
    assert operator.processes() == {}
    assert operator.owned() == NOTHING
    assert not operator.layout.env.exists()
    assert not operator.layout.scratch.exists()
    assert operator.down().stdout == "The local cloud was not running.\n"
