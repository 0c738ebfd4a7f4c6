"""How an agent begins and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from local.agent.child import Child
from local.agent.process import Process
from local.agent.protocol import Stream
from local.agent.reaper import Reaper
from local.agent.server import AgentServer, listen
from local.agent.session import Container
from tests.unit.local.agent.running import HOST, PATIENCE, TOKEN, RunningAgent, running_agent


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 42", 42), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
def test_the_exit_code_is_the_childs(script: str, code: int) -> None:
    """The agent ends when its child does, with its code, 128 + n for a signal."""
    with running_agent("--", "sh", "-c", script, wait=False) as agent:
        assert agent.end() == (code, b"", b"")


def test_all_output_reaches_the_log() -> None:
    """What the child wrote just before its end is not lost."""
    script = "import sys; sys.stdout.write('x' * 60_000 + '\\n'); sys.stderr.write('y' * 60_000)"
    with running_agent("--", sys.executable, "-c", script, wait=False) as agent:
        assert agent.end() == (0, b"x" * 60_000 + b"\n", b"y" * 60_000)


def test_what_the_child_leaves_behind_ends() -> None:
    """A background process of the child neither keeps the agent nor outlives it, as in a container."""
    with running_agent("--", "sh", "-c", "sleep 600 & echo $!", wait=False) as agent:
        code, stdout, _ = agent.end()

    assert code == 0
    assert ended(int(stdout))


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), ("/etc/passwd", 126)])
def test_a_child_that_cannot_run(program: str, code: int) -> None:
    """The agent ends at once with a shell's code and says why."""
    with running_agent("--", program, wait=False) as agent:
        returned, _, stderr = agent.end()

    assert returned == code
    assert stderr.startswith(f"sockerless-agent: cannot run {program}: ".encode())


def test_sigterm_in_keep_alive_mode() -> None:
    """Sessions end with their commands, connections close, and the agent exits 0."""
    with running_agent("--keep-alive", "--") as agent, agent.conversation() as talk:
        talk.send("exec", id="a", cmd=["sh", "-c", "echo $$; exec cat"])
        pid = int(talk.receive_until("a", b"\n"))
        agent.process.terminate()

        assert talk.receive_all("a")[0] == 137
        with pytest.raises(ConnectionClosed) as caught:
            talk.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
        assert agent.end() == (0, b"", b"")
        assert ended(pid)


def test_sigterm_ends_the_child() -> None:
    """The child gets the signal; when that ends it, the agent sends the `exit` to attached clients and exits 0."""
    with running_agent("--", "sh", "-c", "echo ready; exec cat") as agent, agent.conversation() as talk:
        talk.send("attach", id="a")
        talk.receive_until("a", b"ready")
        agent.process.terminate()

        assert talk.receive_all("a")[0] == 143
        assert agent.end() == (0, b"ready\n", b"")


def test_sigterm_lets_the_child_finish() -> None:
    """A child that handles the signal is waited for, and its own exit code counts."""
    script = "trap 'echo cleaning up; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
    with running_agent("--", "sh", "-c", script) as agent:
        agent.read_line()
        agent.process.terminate()

        assert agent.end() == (3, b"cleaning up\n", b"")


@pytest.mark.parametrize("number", [signal.SIGWINCH, signal.SIGUSR1, signal.SIGQUIT, signal.SIGRTMIN + 3], ids=str)
def test_any_stop_signal_of_an_image_reaches_the_child(number: int) -> None:
    """ECS sends the image's STOPSIGNAL to the first process, which is the agent."""
    script = f"trap 'echo cleaning up; exit 3' {int(number)}; echo ready; while :; do sleep 0.01; done"
    with running_agent("--", "sh", "-c", script) as agent:
        agent.read_line()
        agent.process.send_signal(number)

        assert agent.end() == (3, b"cleaning up\n", b"")


def test_health_after_the_end_of_the_child() -> None:
    """Until the agent is gone, health says that the child has ended, and how."""

    async def scenario() -> dict[str, object]:
        reaper = Reaper(adopts=False)
        process = Process.start(["sh", "-c", "exit 9"], env=os.environ, reaper=reaper)
        child = Child(process, {})
        server = AgentServer(TOKEN, Container({}, reaper, child))
        listener = listen(HOST, 0)
        port = listener.getsockname()[1]
        await server.start(listener)
        assert await child.finished == 9
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: agent\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await server.finish(flush_seconds=1)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        return {**json.loads(body), "pid": process.pid == json.loads(body)["pid"]}

    assert asyncio.run(scenario()) == {"status": "ok", "pid": True, "exited": True, "exitCode": 9}


def test_input_after_the_end_is_dropped() -> None:
    """The client's message may cross the `exit`: an error in front of that would hide the exit code."""

    async def scenario() -> tuple[int, bool]:
        async def ignore(stream: Stream, data: bytes) -> None:
            raise AssertionError("this command prints nothing")

        process = Process.start(["sh", "-c", "exit 3"], env=os.environ, reaper=Reaper(adopts=False))
        code = await process.relay(ignore)
        return code, await process.feed(b"x")

    assert asyncio.run(scenario()) == (3, True)


@pytest.mark.parametrize("arguments", [(), ("--",), ("sh",), ("-addr", "127.0.0.17:1")])
def test_neither_a_command_nor_keep_alive(arguments: tuple[str, ...]) -> None:
    """An agent without a command and without keep-alive prints an error and exits 2."""
    with running_agent(*arguments, wait=False) as agent:
        code, _, stderr = agent.end()

    assert code == 2
    assert b"sockerless-agent: error: " in stderr


@pytest.mark.parametrize(
    ("env", "arguments"),
    [
        ({"SOCKERLESS_AGENT_TOKEN": ""}, ("--keep-alive", "--")),
        ({"SOCKERLESS_AGENT_PORT": "http"}, ("--keep-alive", "--")),
        ({}, ("--keep-alive", "-addr", "127.0.0.17", "--")),
    ],
)
def test_wrong_settings(env: dict[str, str], arguments: tuple[str, ...]) -> None:
    """Without a token, or with an address that is none, the agent does not start."""
    with running_agent(*arguments, env=env, wait=False) as agent:
        assert agent.end()[0] == 2


def test_keep_alive_from_the_environment() -> None:
    """SOCKERLESS_KEEP_ALIVE=true is as good as the option, and wins over a command."""
    with running_agent("--", "sh", "-c", "exit 1", env={"SOCKERLESS_KEEP_ALIVE": "true"}) as agent:
        assert agent.wait_until_healthy() == {"status": "ok"}


def test_the_address_option() -> None:
    """`-addr` replaces host and port of the environment."""
    with running_agent("--keep-alive", "--") as busy:
        address = busy.address
        with running_agent("-addr", address, "--keep-alive", "--", wait=False) as agent:
            code, _, stderr = agent.end()

    assert code == 1
    assert stderr.startswith(f"sockerless-agent: cannot listen on {address}: ".encode())


def test_the_token_is_nowhere_to_be_read() -> None:
    """The token is neither in the child's environment nor in the agent's output, whatever its clients do."""
    with running_agent("--", "sh", "-c", "env; read line; exit 0") as agent:
        for path in ("/health", "/ws", "/nothing"):
            agent.request(path, {"Authorization": f"Bearer {TOKEN}"})
            agent.request(path, {"Authorization": f"Bearer {TOKEN}x"})
        send_raw(agent, f"GET /ws HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nbad header {TOKEN}\r\n\r\n".encode())
        with agent.conversation() as talk:
            talk.send("attach", id="a").send("dance", id="b").send("stdin", id="a", data=b"\n")
            while talk.receive()["type"] != "exit":
                pass
        code, stdout, stderr = agent.end()

    assert code == 0
    assert b"SOCKERLESS_AGENT_PORT=" in stdout
    assert TOKEN.encode() not in stdout + stderr
    assert stderr == b""


def test_orphans_are_reaped_by_pid_1() -> None:
    """As PID 1 the agent waits for processes whose parent has ended, so that none stays a zombie."""
    # A subreaper inherits orphans as PID 1 does, without a PID namespace, for which tests have no permission.
    script = """
import asyncio, ctypes, os
from local.agent.process import Process
from local.agent.protocol import Stream
from local.agent.reaper import Reaper

PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0

async def ignore(stream, data):
    raise AssertionError("these commands print nothing")

async def scenario():
    reaper = Reaper(adopts=True)
    process = Process.start(["sh", "-c", "(exit 7) & (exit 8) & exit 4"], env=os.environ, reaper=reaper)
    code = await process.relay(ignore)
    while True:  # until there is no child any more, alive or not
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return code
        await asyncio.sleep(0)

print(asyncio.run(asyncio.wait_for(scenario(), 20)))
"""
    with running_agent(program=(sys.executable, "-c", script), wait=False) as agent:
        assert agent.end() == (0, b"4\n", b"")


def ended(pid: int) -> bool:
    """Whether the process, which was sent SIGKILL, ends."""
    deadline = time.monotonic() + PATIENCE
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def send_raw(agent: RunningAgent, request: bytes) -> None:
    with socket.create_connection((HOST, agent.port)) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
