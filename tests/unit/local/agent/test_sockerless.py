"""The stand-in's manners: the table of agent-protocol.md 5, a row or a part of one a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.unit.local.agent.running import HOST, TOKEN, RunningAgent, running_agent, running_stand_in

RIGHT = {"Authorization": f"Bearer {TOKEN}"}
CHILD = ("-keep-alive", "--", "sh", "-c")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[RunningAgent]:
    """One without a child, shared by tests that leave nothing behind."""
    with running_stand_in() as agent:
        yield agent


def test_words_without_keep_alive_are_ignored() -> None:
    """Without `-keep-alive` no child runs; exec is served, and `/health` is 200 without `pid`."""
    with running_stand_in("--", "sh", "-c", "echo ran; exit 1") as agent:
        assert agent.wait_until_healthy() == {"status": "ok"}
        with agent.conversation() as talk:
            assert talk.send("exec", id="a", cmd=["true"]).receive() == {"type": "exit", "id": "a", "code": 0}
        agent.process.terminate()
        assert agent.end()[1] == b""


def test_keep_alive_runs_the_words() -> None:
    """With `-keep-alive` the words after `--` are the child, and `/health` has its `pid`."""
    with running_stand_in(*CHILD, "echo $$; read line") as agent:
        pid = int(agent.read_line())
        assert agent.wait_until_healthy() == {"status": "ok", "pid": pid, "exited": False}


def test_an_empty_command_is_a_shell() -> None:
    """`-keep-alive` without words starts /bin/sh."""
    with running_stand_in("-keep-alive", "--") as agent, agent.conversation() as talk:
        talk.send("attach", id="a").send("stdin", id="a", data=b"echo $0; exit 3\n")
        assert talk.receive_all("a") == (3, b"/bin/sh\n", b"")


def test_a_child_that_cannot_run() -> None:
    """Where the command, the shell too, is not in the image, the agent exits with 1 and says so at every level."""
    with running_stand_in("-keep-alive", "--", "/no/such/shell", wait=False) as agent:
        code, _, stderr = agent.end()
    assert (code, stderr.count(b"\n")) == (1, 1)
    assert b"cannot run /no/such/shell" in stderr


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -1), ("kill -15 $$", -1)])
def test_it_stays_after_the_childs_end(script: str, code: int) -> None:
    """`/health` says `exited` and the exit code, -1 for a signal; exec is served on, and attach sends the same code."""
    with running_stand_in(*CHILD, script) as agent, agent.conversation() as talk:
        assert talk.send("attach", id="a").receive() == {"type": "exit", "id": "a", "code": code}
        health = agent.wait_until_healthy()
        assert health == {"status": "ok", "pid": health["pid"], "exited": True, "exitCode": code}
        assert talk.send("exec", id="b", cmd=["true"]).receive_all("b")[0] == 0


def test_a_killed_command_is_minus_one(stand_in: RunningAgent) -> None:
    """The `exit` of a command that a signal killed has the code -1."""
    with stand_in.conversation() as talk:
        talk.send("exec", id="a", cmd=["cat"]).send("signal", id="a", signal="SIGKILL")
        assert talk.receive_all("a")[0] == -1


def test_the_port_is_the_options_alone() -> None:
    """`-addr` names the port, whatever SOCKERLESS_AGENT_PORT says; one that is taken ends the agent with 1."""
    with running_stand_in() as agent, running_stand_in("-addr", f":{agent.port}", wait=False) as second:
        code, _, stderr = second.end()
    assert code == 1
    assert b"server failed" in stderr


def test_the_host_is_the_environments(stand_in: RunningAgent) -> None:
    """`:PORT` means SOCKERLESS_AGENT_HOST, which is the stand-in's alone."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((f"{HOST}1", stand_in.port))


def test_sigterm_ends_it_at_once() -> None:
    """SIGTERM ends it with 143; the child neither gets the signal nor is waited for."""
    with running_stand_in(*CHILD, "trap 'echo told' TERM; echo ready; cat") as agent:
        agent.read_line()
        agent.process.terminate()
        assert agent.end() == (143, b"", b"")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws", RIGHT, 400),
        (f"/ws?token={TOKEN}", {}, 400),
        ("/", RIGHT, 404),
        ("/ws", {}, 401),
        ("/ws?token=wrong", {}, 401),
        (f"/ws?token={TOKEN}", {"Authorization": "Bearer wrong"}, 401),
    ],
)
def test_where_the_socket_is(stand_in: RunningAgent, path: str, headers: dict[str, str], status: int) -> None:
    """`/ws` alone, with the header or, without one, `?token=`; 400 for a right token without an upgrade."""
    assert stand_in.request(path, headers)[0] == status


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("error", 1), ("fatal", 0)])
def test_a_refused_upgrade_is_logged(level: str, lines: int) -> None:
    """A right token without an upgrade is one line of the log, unless the level is `fatal`; a wrong one is none."""
    with running_stand_in(log_level=level) as agent:
        agent.request("/ws", RIGHT)
        agent.request("/ws", {"Authorization": "Bearer wrong"})
        agent.process.terminate()
        stderr = agent.end()[2]
    assert stderr.count(b"\n") == lines
    assert TOKEN.encode() not in stderr


def test_one_table_for_all_connections(stand_in: RunningAgent) -> None:
    """A session takes the place of another connection's with its id: it gets its input, and ends with it."""
    with stand_in.conversation() as second:
        with stand_in.conversation() as first:
            first.send("exec", id="1", cmd=["cat"])
            first.send("exec", id="here", cmd=["true"]).receive()
            second.send("exec", id="1", cmd=["cat"])
            second.send("exec", id="here", cmd=["true"]).receive()
            first.send("stdin", id="1", data=b"of the first")
            assert second.receive_until("1", b"of the first")
        assert second.receive_all("1")[0] == -1


@pytest.mark.parametrize(
    ("type_", "members"),
    [
        ("dance", {}),
        ("stdin", {"data": b"x"}),
        ("stdin", {"data": "no base64"}),
        ("close_stdin", {}),
        ("signal", {"signal": "SIGTERM"}),
        ("resize", {"width": 80, "height": 24}),
    ],
)
def test_silence(stand_in: RunningAgent, type_: str, members: dict[str, object]) -> None:
    """An unknown message, and one to an unknown session, is not answered."""
    with stand_in.conversation() as talk:
        talk.websocket.send("no JSON")
        talk.send(type_, id="unknown", **members)
        assert talk.send("exec", id="a", cmd=["true"]).receive() == {"type": "exit", "id": "a", "code": 0}


def test_commands_have_the_token(stand_in: RunningAgent) -> None:
    """The environment of commands is the agent's whole one."""
    with stand_in.conversation() as talk:
        talk.send("exec", id="a", cmd=["printenv", "SOCKERLESS_AGENT_TOKEN"])
        assert talk.receive_all("a") == (0, f"{TOKEN}\n".encode(), b"")


@pytest.mark.parametrize(("type_", "members"), [("exec", {"cmd": ["no-such-program"]}), ("attach", {})])
def test_a_session_that_cannot_begin(stand_in: RunningAgent, type_: str, members: dict[str, object]) -> None:
    """`exec` of what cannot run and `attach` without a child are answered with `error`."""
    with stand_in.conversation() as talk:
        answer = talk.send(type_, id="a", **members).receive()
    assert (answer["type"], answer["id"]) == ("error", "a")


def test_the_reference_agent_has_a_table_a_connection() -> None:
    """The protocol's sessions are their connection's: the same id on two of them is two sessions."""
    with running_agent("--keep-alive", "--") as agent, agent.conversation() as first, agent.conversation() as second:
        for number, talk in enumerate((first, second)):
            talk.send("exec", id="1", cmd=["cat"]).send("stdin", id="1", data=b"%d" % number)
        for number, talk in enumerate((first, second)):
            assert talk.send("close_stdin", id="1").receive_all("1") == (0, b"%d" % number, b"")
