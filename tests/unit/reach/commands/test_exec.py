from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.model.record import Record
from reach.app import main
from tests.factories import pending
from tests.records import exited, failed, healthy
from tests.unit.local.agent.running import HOST, PATIENCE, TOKEN, RunningAgent, running_agent, running_stand_in
from tests.unit.local.ports import free_port
from tests.unit.reach.commands.on_one_container import command, environment
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
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something is piped into the command."""
    reading, writing = os.pipe()
    os.write(writing, b"in\x00put")
    os.close(writing)
    with os.fdopen(reading) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        yield


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


@pytest.mark.parametrize("dashes", [(), ("--",)], ids=["", "--"])
@pytest.mark.parametrize(
    "given", [("-e", "WHO=me", "ID"), ("ID", "-e", "WHO=me"), ("-e", "A=b", "ID", "-e", "WHO=me")], ids=" ".join
)
def test_the_first_word_of_the_command_ends_the_options(
    container: str, capfd: Shell, given: tuple[str, ...], dashes: tuple[str, ...]
) -> None:
    """Those of `reach` stand on both sides of the id. What the command gets is never read, and nothing is left out."""
    theirs = ["-i", "-e", "x", "-w", "20", "--env", "--no-such-option", "--", "--help"]
    command = ["sh", "-c", 'echo "$WHO" "$@"', "sh", *theirs]
    arguments = [container if one == "ID" else one for one in given]
    assert main(["exec", *arguments, *dashes, *command]) == 0
    assert capfd.readouterr().out == " ".join(["me", *theirs]) + "\n"


def test_an_option_that_reach_lacks_is_2(capsys: Shell) -> None:
    """Before the command, on both sides of the id."""
    for arguments in (["-l", SHORT, "ls"], [SHORT, "-l", "ls"]):
        assert main(["exec", *arguments]) == 2
        assert "No such option: -l" in capsys.readouterr().err


def test_environment_and_directory(container: str, capfd: Shell) -> None:
    """They are the command's."""
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


@pytest.mark.parametrize("arguments", [(), ("-it",), ("-t", "--", "true")])
def test_a_terminal_is_needed(deployment: Deployment, stdin: None, capsys: Shell, arguments: tuple[str, ...]) -> None:
    """Without a COMMAND it is a shell on a terminal; what is piped is none. The error says what to leave out."""
    shown = refused(capsys, 2, "exec", SHORT, *arguments)
    assert "The input is no terminal" in shown
    assert "leave --tty out" in shown


def test_keys_that_are_none(deployment: Deployment, capsys: Shell) -> None:
    """A wrong command line, before anything is asked."""
    assert "'ctrl-1' is no key" in refused(capsys, 2, "exec", SHORT, "--detach-keys", "ctrl-1", "--", "true")


def test_input_that_cannot_be_read(
    container: str, monkeypatch: pytest.MonkeyPatch, capfd: Shell, tmp_path: Path
) -> None:
    """A file that is open for writing alone, for example."""
    with (tmp_path / "written").open("w") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "Standard input cannot be read: Bad file descriptor" in refused(
            capfd, 2, "exec", container, "-i", "--", "cat"
        )


def test_output_that_cannot_be_written(container: str, monkeypatch: pytest.MonkeyPatch, capfd: Shell) -> None:
    """A full disk, for example; the command is killed."""
    with Path("/dev/full").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert "stdout cannot be written: No space left on device" in refused(capfd, 2, "exec", container, "--", "yes")


def test_closed_streams_are_no_streams(
    container: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """`<&- >&-`: what else has got their descriptors is neither read nor written."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["exec", container, "-i", "--", "sh", "-c", "cat; echo a; echo b >&2"]) == 0
    assert capfdbinary.readouterr() == (b"", b"b\n")


@contextmanager
def piping(agent: RunningAgent, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`reach exec` as a process between pipes, ended when it is left."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command("exec", *arguments), env=environment(agent), **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def piped(agent: RunningAgent) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts one with the agent."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(piping(agent, *arguments))


def test_input_goes_as_it_comes(piped: Callable[..., subprocess.Popen[bytes]]) -> None:
    """The command answers before the input has ended; its end is passed on, and the output after it comes."""
    process = piped("-i", "--", "sh", "-c", "cat; echo end")
    assert process.stdin is not None
    assert process.stdout is not None
    for line in (b"one\n", b"two\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
    assert process.communicate(timeout=PATIENCE) == (b"end\n", b"")
    assert process.returncode == 0


def test_a_reader_that_has_enough_ends_it_quietly(piped: Callable[..., subprocess.Popen[bytes]]) -> None:
    """`| head`: 141, as of a program that SIGPIPE ended; no message, and the agent has killed the command."""
    process = piped("--", "yes")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_signals_go_to_the_command(piped: Callable[..., subprocess.Popen[bytes]], name: str) -> None:
    """What it makes of the signal is the exit code. A slow machine is told of a command that has not ended yet."""
    script = f"trap 'echo caught; exit 5' {name}; echo ready; while :; do sleep 0.01; done"
    process = piped("--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.Signals[f"SIG{name}"])
    output, said = process.communicate(timeout=PATIENCE)
    assert (output, process.returncode) == (b"caught\n", 5)
    assert said == b"" or b"still runs" in said


def test_an_ignored_signal_stays_ignored(agent: RunningAgent) -> None:
    """Under nohup, or in the background of a script: it is not sent to the command."""
    script = "trap '' HUP; exec \"$@\""
    caught = "trap 'exit 5' HUP; echo ready; read line; exit 0"
    with subprocess.Popen(
        ["sh", "-c", script, "sh", *command("exec", "-i", "--", "sh", "-c", caught)],
        env=environment(agent),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGHUP)
        process.communicate(b"\n", timeout=PATIENCE)
        assert process.returncode == 0


@pytest.mark.parametrize(("passed", "code"), [(True, 130), (False, 255)])
def test_a_signal_names_what_the_public_agent_does_not(passed: bool, code: int) -> None:
    """Its -1 after a signal of ours is 128 + n, else 255."""
    script = f"echo ready; {'exec sleep 1000' if passed else 'kill -9 $$'}"
    with running_stand_in() as agent, piping(agent, "--", "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if passed:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == code
