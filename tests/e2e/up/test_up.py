"""`python -m local up` and `down`, as an operator uses them: `up` again mends a crash, `down` leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from core.adapters.clients import reach_client
from core.client import Reachable
from local.cloud.environment import aws_client, read_environment, upper_snake_case
from local.cloud.layout import ROOT, Layout
from local.cloud.processes import Daemon, free_port, noted
from local.fargate.client import LocalFargate
from local.fargate.runtime import RuntimeName
from tests.e2e.engine import NOTHING, owned
from tests.e2e.stack import IMAGE, PATIENCE, POLL_SECONDS, SERVER

T = TypeVar("T")


class Operator:
    """A person at a shell, with one directory, one preferred port and one runtime."""

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
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.status() != psutil.STATUS_ZOMBIE:
                    traces = [*process.cmdline(), *process.environ().values(), process.cwd()]
                    if any(str(self.layout.directory) in trace for trace in traces):
                        found[process.pid] = " ".join(process.cmdline())
        return found

    def owned(self) -> dict[str, list[str]]:
        """What the container engine holds of this cloud: nothing where tasks are processes."""
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
    assert f"--runtime {operator.runtime} --speed fast" in done.stdout
    assert "it is left as it is" in done.stdout
    assert f"http://127.0.0.1:{operator.port}" in done.stdout
    assert operator.processes().keys() == before.keys()


def test_up_with_other_options_is_refused(operator: Operator) -> None:
    """What was asked for is not ignored, and what runs stays."""
    before = operator.processes()
    command = [*operator.command("up"), "--speed", "real"]
    done = subprocess.run(command, env=shell(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not with --speed real. What to do: make down" in done.stderr
    assert operator.processes().keys() == before.keys()


@pytest.mark.parametrize("name", ["fargate", "ministack"])
def test_up_again_after_a_crash(operator: Operator, container_id: str, name: str) -> None:
    """When a process was killed, `up` stops the rest and starts all of it again, on the same port; containers start."""
    before = operator.environment()
    operator.healthy(container_id)
    operator.kill(name)
    left, held = operator.processes().keys(), operator.owned()
    done = operator.up()
    assert done.returncode == 0, done.stdout + done.stderr
    rest = {"fargate": "ministack", "ministack": "fargate"}[name]
    assert f"stopped what was left of the one before: {rest}\n" in done.stdout
    assert not left & operator.processes().keys()
    now = operator.owned()
    for kind in ("container", "network", "volume"):
        assert not set(held[kind]) & set(now[kind])
    assert operator.environment()["AWS_ENDPOINT_URL"] == before["AWS_ENDPOINT_URL"]
    assert LocalFargate(operator.environment()["AWS_ENDPOINT_URL_ECS"]).tasks() == []
    assert operator.healthy(container_id).address


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
    """`down` while `up` starts a cloud ends that `up`."""
    up = second.starting()
    assert up.stdout is not None
    assert any("agent packed" in line for line in up.stdout)
    assert second.down().stdout.startswith("Stopped: up")
    done = ended(up)
    assert (done.returncode, "Interrupted" in done.stderr) == (130, True)


def test_down_after_up_was_killed(second: Operator) -> None:
    """What a killed `up` had started so far is stopped."""
    up = second.starting()
    assert up.stdout is not None
    assert any("agent packed" in line for line in up.stdout)
    up.kill()
    ended(up)
    assert second.processes() != {}
    assert "ministack" in second.down().stdout


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


def test_functions_of_sam_local_know_the_stack(operator: Operator) -> None:
    """The file for `sam local invoke --env-vars` has each function's variables and the endpoints."""
    env, variables = operator.environment(), json.loads(operator.layout.function_variables.read_text())
    assert {name for name in env if name.endswith("_FUNCTION_ARN")} == {
        f"{upper_snake_case(name)}_ARN" for name in variables
    }
    for one in variables.values():
        assert one["TABLE_NAME"] == env["CONTAINERS_TABLE_NAME"]
        assert one["AWS_ENDPOINT_URL_ECS"] == env["AWS_ENDPOINT_URL_ECS"]


def test_down_leaves_nothing(operator: Operator, container_id: str) -> None:
    """No process, no container, no code of a function, no env file; and a second `down` has nothing to do."""
    operator.healthy(container_id)
    assert operator.down().stdout == "Stopped: fargate, ministack.\n"
    assert_nothing_is_left(operator)
    assert operator.down().stdout == "The local cloud was not running.\n"


@pytest.mark.parametrize("names", [["fargate"], ["ministack"], ["fargate", "ministack"]], ids="+".join)
def test_down_after_a_crash_leaves_nothing(operator: Operator, container_id: str, names: list[str]) -> None:
    """Whichever process was killed while a container ran, what it has left is ended."""
    assert operator.up().returncode == 0
    operator.healthy(container_id)
    for name in names:
        operator.kill(name)
    operator.down()
    assert_nothing_is_left(operator)


def assert_nothing_is_left(operator: Operator) -> None:
    assert operator.processes() == {}
    assert operator.owned() == NOTHING
    left = (operator.layout.env, operator.layout.function_variables, operator.layout.options, operator.layout.scratch)
    assert [path for path in left if path.exists()] == []
