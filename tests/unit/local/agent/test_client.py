"""The client against a running agent, and against what is none."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from reach.agent import client as agent_client
from reach.agent.client import Completed
from reach.agent.connection import CLOSE_SECONDS
from tests.unit.local.agent.running import HOST, PATIENCE, TOKEN, RunningAgent, running_agent, running_stand_in
from tests.unit.local.ports import free_port


def test_run(any_agent: RunningAgent) -> None:
    """A command's exit code and both outputs, its input, environment and directory."""
    done = agent_client.run(
        any_agent.address,
        TOKEN,
        ["sh", "-c", 'cat; echo "$WHO in $PWD" >&2; exit 3'],
        env=["WHO=me"],
        workdir="/",
        stdin=b"input",
    )

    assert done == Completed(3, b"input", b"me in /\n")


def test_a_taker_that_fails_ends_the_session(idle_agent: RunningAgent) -> None:
    """As in `reach exec … -- yes | head -1`: soon, although the command goes on to print."""

    def full(data: bytes) -> None:
        time.sleep(0.5)  # meanwhile the command fills every buffer, so that no closing handshake gets through
        raise BrokenPipeError

    running = agent_client.exec_command(idle_agent.address, TOKEN, ["yes"], on_stdout=full, on_stderr=full)
    with pytest.raises(BrokenPipeError):
        asyncio.run(asyncio.wait_for(running, CLOSE_SECONDS + 6))


def test_without_input_a_command_reads_its_end(any_agent: RunningAgent) -> None:
    """`stdin` None is an empty input, not one that never ends."""
    assert agent_client.run(any_agent.address, TOKEN, ["cat"]) == Completed(0, b"", b"")


def test_much_data_both_ways(any_agent: RunningAgent) -> None:
    """Input is written while output is read, so that neither side waits for the other for ever."""
    data = bytes(range(256)) * 8192

    assert agent_client.run(any_agent.address, TOKEN, ["cat"], stdin=data).stdout == data


def test_exec_on_a_terminal(any_agent: RunningAgent) -> None:
    """With `tty`, all output comes to on_stdout."""
    out, err = bytearray(), bytearray()
    code = asyncio.run(
        agent_client.exec_command(
            any_agent.address,
            TOKEN,
            ["sh", "-c", "test -t 1 && echo terminal >&2"],
            tty=True,
            on_stdout=out.extend,
            on_stderr=err.extend,
        )
    )

    assert (code, bytes(err)) == (0, b"")
    assert b"terminal\r\n" in out


def test_a_session_has_its_own_id(any_agent: RunningAgent) -> None:
    """Sessions at the same time get their own input, also from an agent with one table for all connections."""

    async def echo(text: bytes) -> bytes:
        out = bytearray()
        await agent_client.exec_command(
            any_agent.address, TOKEN, ["cat"], stdin=text, on_stdout=out.extend, on_stderr=print
        )
        return bytes(out)

    async def at_once() -> list[bytes]:
        return await asyncio.gather(*map(echo, texts))

    texts = [bytes([number]) * 500_000 for number in range(5)]
    assert asyncio.run(asyncio.wait_for(at_once(), PATIENCE)) == texts


@pytest.mark.parametrize(
    "running",
    [
        pytest.param(partial(running_agent, "--"), id="spec"),
        pytest.param(partial(running_stand_in, "-keep-alive", "--"), id="sockerless"),
    ],
)
def test_attach(running: Callable[..., AbstractContextManager[RunningAgent]]) -> None:
    """The main process's output, also the earlier one, and its exit code; its input on demand."""
    out, err = bytearray(), bytearray()
    with running("sh", "-c", "echo started; cat; exit 6") as agent:
        agent.read_line()
        code = asyncio.run(
            agent_client.attach(agent.address, TOKEN, stdin=b"hello", on_stdout=out.extend, on_stderr=err.extend)
        )

    assert (code, bytes(out), bytes(err)) == (6, b"started\nhello", b"")


def test_attach_without_a_main_process(any_agent: RunningAgent) -> None:
    """The agent's own error message is the exception's."""
    with pytest.raises(agent_client.SessionRejected, match="there is no main process to attach to"):
        asyncio.run(agent_client.attach(any_agent.address, TOKEN, on_stdout=print, on_stderr=print))


def test_a_command_that_cannot_run(any_agent: RunningAgent) -> None:
    """No exit code is made up for a command that never ran."""
    with pytest.raises(agent_client.SessionRejected, match="cannot run no-such-program: No such file"):
        agent_client.run(any_agent.address, TOKEN, ["no-such-program"])


def test_a_wrong_token(any_agent: RunningAgent, caplog: pytest.LogCaptureFixture) -> None:
    """401 has its own error; neither it nor a log at the finest level shows the token."""
    caplog.set_level(logging.DEBUG)
    wrong = "f" * 64

    with pytest.raises(agent_client.AgentUnauthorized, match=r"Read agent_address and agent_token again") as caught:
        agent_client.run(any_agent.address, wrong, ["true"])
    agent_client.run(any_agent.address, TOKEN, ["true"])

    assert wrong not in str(caught.value) + repr(caught.value) + caplog.text
    assert caught.value.__suppress_context__
    assert TOKEN not in caplog.text


def test_nothing_listens() -> None:
    """The error of a refused connection says that the agent may not run."""
    address = f"{HOST}:{free_port(HOST)}"

    with pytest.raises(agent_client.AgentRefusedConnection, match="Check that the container still runs"):
        agent_client.run(address, TOKEN, ["true"])


def test_no_answer() -> None:
    """A connection without an answer names the security group and the port."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]

        async def connect() -> int:
            return await agent_client.exec_command(
                f"{HOST}:{port}", TOKEN, ["true"], on_stdout=print, on_stderr=print, connect_seconds=0.05
            )

        with pytest.raises(agent_client.AgentTimedOut, match=f"security group lets TCP {port} in"):
            asyncio.run(connect())


def test_a_command_that_takes_too_long(any_agent: RunningAgent) -> None:
    """After `seconds` the call raises; the command ends with the connection."""
    with pytest.raises(agent_client.AgentTimedOut, match=r"tail -f /dev/null did not end within 0.05 s"):
        agent_client.run(any_agent.address, TOKEN, ["tail", "-f", "/dev/null"], seconds=0.05)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.18/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_something_else_listens(answer: bytes) -> None:
    """Another program at the address of an ended task is an error, and no redirect is followed."""
    with socket.create_server((HOST, 0)) as stranger:

        def serve() -> None:
            connection, _ = stranger.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(agent_client.NotAnAgent, match="is not an agent"):
            agent_client.run(f"{HOST}:{stranger.getsockname()[1]}", TOKEN, ["true"])
        thread.join()


def test_the_agent_goes_away() -> None:
    """A connection that ends before the session is an error, not an exit code."""
    with (
        running_agent("--keep-alive", "--") as agent,
        pytest.raises(agent_client.AgentGone, match="ended before the command did"),
    ):
        asyncio.run(
            agent_client.exec_command(
                agent.address,
                TOKEN,
                ["sh", "-c", "echo ready; exec sleep 3600"],
                tty=True,
                on_stdout=lambda _: agent.process.kill(),
                on_stderr=print,
            )
        )


def test_no_proxy_is_used(any_agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent is reached directly, whatever the environment says about proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:1")
        monkeypatch.setenv(name.upper(), f"http://{HOST}:1")

    assert agent_client.run(any_agent.address, TOKEN, ["true"]).exit_code == 0
