"""Attach sessions, over the wire."""

from __future__ import annotations

from tests.unit.local.agent.running import Conversation, running_agent

ECHO = "echo started; echo problem >&2; while read line; do echo got $line; done; exit 5"


def test_attach_sees_what_was_and_what_comes() -> None:
    """Who attaches late gets the earlier output first, then the rest, nothing twice, and the exit code."""
    with running_agent("--", "sh", "-c", ECHO) as agent:
        assert agent.read_line() == b"started\n"
        with agent.conversation() as talk:
            talk.send("attach", id="a").send("stdin", id="a", data=b"one\n")
            talk.receive_until("a", b"got one\n")
            talk.send("stdin", id="a", data=b"two\n").send("close_stdin", id="a")

            assert talk.receive_all("a") == (5, b"got two\n", b"")


def test_the_outputs_stay_apart_and_reach_the_log() -> None:
    """Attached clients and the agent's own outputs get the same bytes, stdout and stderr apart."""
    with running_agent("--", "sh", "-c", ECHO) as agent, agent.conversation() as talk:
        talk.send("attach", id="a").send("stdin", id="a", data=b"x\n").send("close_stdin", id="a")

        assert talk.receive_all("a") == (5, b"started\ngot x\n", b"problem\n")
        assert agent.end() == (5, b"started\ngot x\n", b"problem\n")


def test_the_backlog_holds_the_latest_64_kib() -> None:
    """Of much earlier output, a late client sees the end; the log has all of it."""
    script = "import sys; sys.stdout.write('a' * 100_000 + 'b' * 65_535 + '\\n'); sys.stdout.flush(); sys.stdin.read()"
    with running_agent("--", "python3", "-c", script) as agent:
        assert agent.read_line() == b"a" * 100_000 + b"b" * 65_535 + b"\n"
        with agent.conversation() as talk:
            talk.send("attach", id="a").send("close_stdin", id="a")

            assert talk.receive_all("a") == (0, b"b" * 65_535 + b"\n", b"")


def test_several_clients_attach() -> None:
    """All attached clients see the same; one that leaves does not end the child."""
    with running_agent("--", "sh", "-c", ECHO) as agent, agent.conversation() as first:
        with agent.conversation() as second:
            second.send("attach", id="b").send("stdin", id="b", data=b"x\n")
            second.receive_until("b", b"got x\n")
        first.send("attach", id="a").send("attach", id="a2").send("stdin", id="a", data=b"y\n")

        # The agent reads the child's two outputs apart, so their order is open.
        stdout = first.receive_until("a", b"got y\n").replace(b"problem\n", b"")
        assert stdout == b"started\ngot x\ngot y\n"


def test_a_signal_to_the_child() -> None:
    """A signal to an attach session is one to the child."""
    with running_agent("--", "sh", "-c", "echo ready; exec cat") as agent, agent.conversation() as talk:
        talk.send("attach", id="a")
        talk.receive_until("a", b"ready")
        talk.send("signal", id="a", signal="SIGINT")

        assert talk.receive_all("a")[0] == 130
        assert agent.end()[0] == 130


def test_exec_beside_the_child() -> None:
    """Exec and attach share a connection."""
    with running_agent("--", "sh", "-c", ECHO) as agent, agent.conversation() as talk:
        talk.send("exec", id="e", cmd=["echo", "hello"])
        assert talk.receive_all("e") == (0, b"hello\n", b"")

        talk.send("attach", id="a").send("close_stdin", id="a")
        assert talk.receive_all("a")[0] == 5


def test_there_is_nothing_to_attach_to_in_keep_alive_mode(talk: Conversation) -> None:
    """Without a child, attach is answered with an error."""
    answer = talk.send("attach", id="a").receive()

    assert answer == {
        "type": "error",
        "id": "a",
        "message": "there is no main process to attach to: the agent runs in keep-alive mode",
    }
