from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest

from core.model.record import Record
from reach.app import main
from tests.factories import pending
from tests.records import exited, failed, healthy
from tests.unit.local.agent.running import HOST, TOKEN, RunningAgent, running_agent
from tests.unit.local.ports import free_port
from tests.unit.reach.commands.test_containers import SHORT, Shell, refused
from tests.unit.reach.deployment import Deployment


@pytest.fixture(scope="module")
def agent() -> Iterator[RunningAgent]:
    """An agent without a main process."""
    with running_agent("--keep-alive", "--") as agent:
        yield agent


@pytest.fixture
def container(agent: RunningAgent, deployment: Deployment) -> str:
    """A healthy container with that agent."""
    deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
    return SHORT


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is piped into the command."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"in\x00put")))


def test_both_outputs_and_the_exit_code(container: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """They pass through as they are."""
    assert main(["exec", container, "--", "sh", "-c", r"printf 'a\377'; printf b >&2; exit 7"]) == 7
    assert capfdbinary.readouterr() == (b"a\xff", b"b")


def test_standard_input_is_sent_when_it_is_asked_for(
    container: str, stdin: None, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """To its end."""
    assert main(["exec", container, "-i", "--", "cat"]) == 0
    assert capfdbinary.readouterr().out == b"in\x00put"


def test_standard_input_is_left_alone(container: str, stdin: None, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A loop of a shell that reads ids keeps the next ones, as with `docker exec`."""
    assert main(["exec", container, "--", "cat"]) == 0
    assert capfdbinary.readouterr().out == b""
    assert sys.stdin.buffer.read() == b"in\x00put"


def test_environment_and_directory(container: str, capfd: Shell) -> None:
    """Options of the command itself come after `--`."""
    command = ["sh", "-c", 'echo "$WHO in $PWD"']
    assert main(["exec", "-e", "WHO=me", "-w", "/", container, "--", *command]) == 0
    assert capfd.readouterr().out == "me in /\n"


def test_json(container: str, capsys: Shell) -> None:
    """One document with both outputs; the exit code is the command's all the same."""
    command = ["sh", "-c", "echo a; echo b >&2; exit 3"]
    assert main(["exec", container, "--output", "json", "--", *command]) == 3
    assert json.loads(capsys.readouterr().out) == {"exit_code": 3, "stdout": "a\n", "stderr": "b\n"}


@pytest.mark.parametrize("record", [pending(), failed(), exited()], ids=lambda one: one.state)
def test_a_container_that_is_not_healthy_is_125(deployment: Deployment, capsys: Shell, record: Record) -> None:
    """The error names the state, and where the reason is."""
    deployment.put(record)
    shown = refused(capsys, 125, "exec", SHORT, "--", "true")
    assert shown == f"Container {SHORT} is {record.state}: no agent of it can be reached. What to do: reach why {SHORT}"


def test_a_command_that_the_agent_refuses_is_125(container: str, capsys: Shell) -> None:
    """No such program: it did not run."""
    assert "no-such-program" in refused(capsys, 125, "exec", container, "--", "no-such-program")


def test_an_agent_that_is_not_there_is_125(deployment: Deployment, capsys: Shell) -> None:
    """The error says what to check."""
    deployment.put(healthy(agent_address=f"{HOST}:{free_port(HOST)}"))
    assert "Check that the container still runs" in refused(capsys, 125, "exec", SHORT, "--", "true")


def test_a_command_is_needed(deployment: Deployment, capsys: Shell) -> None:
    """A wrong command line."""
    assert main(["exec", SHORT]) == 2
