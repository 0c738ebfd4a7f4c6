from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import BinaryIO
from unittest.mock import patch

import pytest

from core.adapters.clock import SystemClock
from core.model.record import Record
from reach.app import main
from tests.factories import pending
from tests.records import exited, failed, healthy
from tests.terminal import Terminal, on_terminal
from tests.unit.local.agent.running import TOKEN, RunningAgent, running_agent, running_stand_in
from tests.unit.reach.commands.on_one_container import command, environment
from tests.unit.reach.commands.test_containers import SHORT, Shell, refused
from tests.unit.reach.deployment import Deployment

Running = Callable[..., AbstractContextManager[RunningAgent]]
BOTH = pytest.mark.parametrize(
    "running",
    [
        pytest.param(partial(running_agent, "--"), id="spec"),
        pytest.param(partial(running_stand_in, "-keep-alive", "--"), id="sockerless"),
    ],
)
ECHO = 'echo before; while read line; do echo "got $line"; test "$line" = last && exit 6; done; exit 7'


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[BinaryIO]:
    """The other end of standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as piped, os.fdopen(writing, "wb", buffering=0) as typed:
        monkeypatch.setattr(sys, "stdin", piped)
        yield typed


@BOTH
def test_what_was_and_what_comes(
    deployment: Deployment, typed: BinaryIO, running: Running, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The earlier output first, then the live one; standard input on demand; the exit code is the process's."""
    with running("sh", "-c", ECHO) as agent:
        agent.read_line()
        deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
        typed.write(b"one\nlast\n")
        assert main(["attach", SHORT, "-i"]) == 6
    assert capfdbinary.readouterr() == (b"before\ngot one\ngot last\n", b"")


def test_the_end_of_the_input_is_not_sent(
    deployment: Deployment, typed: BinaryIO, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What the process reads next may come from another client."""

    def another_client() -> None:
        with agent.conversation() as talk:
            talk.send("attach", id="a")
            talk.receive_until("a", b"got one")
            talk.send("stdin", id="a", data=b"last\n").receive_all("a")

    with running_agent("--", "sh", "-c", ECHO) as agent, ThreadPoolExecutor(1) as pool:
        deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
        other = pool.submit(another_client)
        typed.write(b"one\n")
        typed.close()
        assert main(["attach", SHORT, "-i"]) == 6
        other.result()


def test_json(deployment: Deployment, capsys: Shell) -> None:
    """One document, when the process has ended."""
    with running_stand_in("-keep-alive", "--", "sh", "-c", "echo out; echo err >&2; exit 3") as agent:
        deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
        assert main(["attach", SHORT, "--output", "json"]) == 3
    assert json.loads(capsys.readouterr().out) == {"exit_code": 3, "stdout": "out\n", "stderr": "err\n"}


@pytest.mark.parametrize("record", [pending(), failed(), exited()], ids=lambda one: one.state)
def test_a_container_that_is_not_healthy_is_125(deployment: Deployment, capsys: Shell, record: Record) -> None:
    """The error names the state, and where the reason is."""
    deployment.put(record)
    assert f"is {record.state}: no agent of it can be reached. What to do: reach why" in refused(
        capsys, 125, "attach", SHORT
    )


def test_a_container_without_a_main_process_is_125(deployment: Deployment, capsys: Shell) -> None:
    """The agent's own words, and how to enter it."""
    with running_agent("--keep-alive", "--") as agent:
        deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
        shown = refused(capsys, 125, "attach", SHORT)
    assert "there is no main process to attach to" in shown
    assert "is entered by exec" in shown


@contextmanager
def agent_that_dies(deployment: Deployment) -> Iterator[None]:
    """A healthy container whose agent is killed with its process, before it can say how that ended."""
    with running_agent("--", "sh", "-c", "read line; kill -9 $PPID") as agent:
        deployment.put(healthy(agent_address=agent.address, agent_token=TOKEN))
        yield


def test_a_container_that_ended_has_its_code_in_the_item(
    deployment: Deployment, typed: BinaryIO, capfd: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its agent is gone before it has said it; the end is recorded a moment later."""
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: deployment.put(exited(9)))
    with agent_that_dies(deployment):
        typed.write(b"\n")
        assert main(["attach", SHORT, "-i"]) == 9


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (healthy(), "was still agent-healthy after 30.0 s"),
        (failed(), "failed with AgentUnreachable"),
        (exited(generation=2), "was started again, as generation 2"),
        (exited(stop=None), "the item does not have the exit code"),
    ],
    ids=["lost", "failed", "restarted", "unknown"],
)
def test_an_end_that_is_unknown_is_125(
    deployment: Deployment, typed: BinaryIO, capfd: Shell, later: Record, words: str
) -> None:
    """The connection ended, and the item does not say how the process did: no exit code is made up."""
    sleep = SystemClock.sleep

    def meanwhile(clock: SystemClock, seconds: float) -> None:
        deployment.put(later)
        sleep(clock, seconds)

    with agent_that_dies(deployment), patch.object(SystemClock, "sleep", meanwhile):
        typed.write(b"\n")
        shown = refused(capfd, 125, "attach", SHORT, "-i")
    assert words in shown
    assert "What to do: reach why" in shown


@contextmanager
def attached(*options: str, script: str) -> Iterator[tuple[RunningAgent, Terminal]]:
    """`reach attach` on a terminal, to a process that runs this."""
    with (
        running_agent("--", "sh", "-c", script) as agent,
        on_terminal(command("attach", *options), environment(agent)) as terminal,
    ):
        yield agent, terminal


def test_ctrl_c_leaves_the_process_alone() -> None:
    """Who only watches ends nothing: 130 here, and the process still answers another client."""
    with attached(script=ECHO) as (agent, terminal):
        terminal.until(b"before")
        terminal.type(b"\x03")
        assert terminal.end() == 130
        assert_answers(agent)


@pytest.mark.parametrize("options", [["-i"], ["--sig-proxy"]])
def test_ctrl_c_goes_to_the_process_on_demand(options: list[str]) -> None:
    """With `--stdin`, or by `--sig-proxy`: its exit code is what it makes of it."""
    script = "trap 'exit 5' INT; echo before; while :; do sleep 0.01; done"
    with attached(*options, script=script) as (_, terminal):
        terminal.until(b"before")
        terminal.type(b"\x03")
        assert terminal.end() == 5


def test_a_second_ctrl_c_leaves() -> None:
    """A process that is deaf to the first one is said to run on, and does."""
    with attached("-i", script=f"trap '' INT; {ECHO}") as (agent, terminal):
        terminal.until(b"before")
        terminal.type(b"\x03")
        terminal.until(b"The process got Ctrl-C and still runs. A second one leaves it.")
        terminal.type(b"\x03")
        assert terminal.end() == 130
        assert_answers(agent)


def test_ctrl_c_leaves_when_signals_are_kept() -> None:
    """`--no-sig-proxy`: what is typed is sent, signals are not."""
    with attached("-i", "--no-sig-proxy", script=ECHO) as (agent, terminal):
        terminal.until(b"before")
        terminal.type(b"one\r")
        terminal.until(b"got one")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
        assert_answers(agent)


def test_detach_keys_leave_the_process_alone() -> None:
    """0 and a sentence; the terminal is as before."""
    with attached("-i", script=ECHO) as (agent, terminal):
        before = terminal.modes()
        terminal.until(b"before")
        terminal.type(b"\x10\x11")
        terminal.until(b"Left the session: the container goes on")
        assert terminal.end() == 0
        assert terminal.modes() == before
        assert_answers(agent)


def assert_answers(agent: RunningAgent) -> None:
    """The process has neither ended nor lost its input."""
    with agent.conversation() as talk:
        talk.send("attach", id="a").send("stdin", id="a", data=b"again\n")
        talk.receive_until("a", b"got again")
