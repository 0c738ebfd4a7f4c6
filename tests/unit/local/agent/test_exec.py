"""Exec sessions, over the wire."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.local.agent.running import TOKEN, Conversation, RunningAgent


def test_output_and_exit_code(talk: Conversation) -> None:
    """Both outputs come as written and apart, and the exit code after them."""
    talk.send("exec", id="a", cmd=["sh", "-c", r"printf 'out\000\377'; printf err >&2; exit 3"])

    assert talk.receive_all("a") == (3, b"out\x00\xff", b"err")


def test_stdin_until_it_is_closed(talk: Conversation) -> None:
    """The command reads what was sent, in order, and then the end of its input."""
    talk.send("exec", id="a", cmd=["cat"])
    talk.send("stdin", id="a", data=b"one ").send("stdin", id="a", data=b"two").send("close_stdin", id="a")

    assert talk.receive_all("a") == (0, b"one two", b"")


def test_much_output_and_input(talk: Conversation) -> None:
    """Nothing is lost when the data is many times what a pipe holds."""
    data = os.urandom(3 * 1024 * 1024)
    talk.send("exec", id="a", cmd=["cat"]).send("stdin", id="a", data=data).send("close_stdin", id="a")

    assert talk.receive_all("a") == (0, data, b"")


def test_stdin_after_its_end_is_an_error(talk: Conversation) -> None:
    """`stdin` after `close_stdin` is answered with an error."""
    talk.send("exec", id="a", cmd=["sh", "-c", "read line; sleep 60"])
    talk.send("close_stdin", id="a").send("stdin", id="a", data=b"x")

    assert talk.receive() == {"type": "error", "id": "a", "message": "stdin is closed"}


def test_input_that_is_not_read_is_dropped(talk: Conversation) -> None:
    """A command that has closed its input goes on, and so does its session."""
    talk.send("exec", id="a", cmd=["sh", "-c", "exec <&-; echo closed; exec tail -f /dev/null"])
    talk.receive_until("a", b"closed")
    talk.send("stdin", id="a", data=b"x" * 200_000).send("stdin", id="a", data=b"y").send(
        "signal", id="a", signal="SIGTERM"
    )

    assert talk.receive_all("a") == (143, b"", b"")


def test_environment_and_directory(talk: Conversation, tmp_path: Path) -> None:
    """`env` is added to the agent's environment and `workdir` is where the command runs."""
    talk.send("exec", id="a", cmd=["sh", "-c", 'echo "$NAME $SOCKERLESS_AGENT_HOST"; pwd'], env=["NAME=a=b"])
    assert talk.receive_all("a")[1].startswith(b"a=b 127.0.0.")

    talk.send("exec", id="a", cmd=["pwd"], workdir=str(tmp_path))
    assert talk.receive_all("a")[1] == f"{tmp_path}\n".encode()


def test_the_token_stays_with_the_agent(talk: Conversation) -> None:
    """A command finds the token neither in its environment nor in the list of processes."""
    talk.send("exec", id="a", cmd=["sh", "-c", "env; cat /proc/*/cmdline 2>/dev/null; true"])

    code, stdout, stderr = talk.receive_all("a")

    assert code == 0
    assert b"SOCKERLESS_AGENT_PORT" in stdout
    assert TOKEN.encode() not in stdout + stderr


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"cmd": ["no-such-program"]}, "cannot run no-such-program: No such file or directory"),
        ({"cmd": ["/etc/passwd"]}, "cannot run /etc/passwd: Permission denied"),
        ({"cmd": ["true"], "workdir": "/no/such"}, "cannot run true: No such file or directory: /no/such"),
        ({"cmd": ["a\0b"]}, "cannot run 'a\0b': embedded null byte"),
    ],
)
def test_a_command_that_cannot_run(talk: Conversation, request_: dict[str, object], message: str) -> None:
    """A command that cannot be started is answered with the reason, and leaves no session."""
    answer = talk.send("exec", id="a", **request_).receive()

    assert answer["type"] == "error"
    assert answer["message"].startswith(message)
    assert talk.send("close_stdin", id="a").receive()["message"] == "no such session"


@pytest.mark.parametrize(("name", "number"), [("SIGTERM", 15), ("SIGKILL", 9), ("usr1", 10)])
def test_a_signal_ends_the_command(talk: Conversation, name: str, number: int) -> None:
    """The signal arrives, and the exit code is a shell's for it."""
    talk.send("exec", id="a", cmd=["sh", "-c", "echo ready; exec cat"])
    talk.receive_until("a", b"ready")
    talk.send("signal", id="a", signal=name)

    assert talk.receive_all("a")[0] == 128 + number


def test_a_signal_that_is_handled(talk: Conversation) -> None:
    """A command that traps the signal goes on and ends with its own code."""
    talk.send(
        "exec", id="a", cmd=["sh", "-c", "trap 'echo caught; exit 5' HUP; echo ready; while :; do sleep 0.01; done"]
    )
    talk.receive_until("a", b"ready")
    talk.send("signal", id="a", signal="SIGHUP")

    assert talk.receive_all("a") == (5, b"caught\n", b"")


def test_a_terminal(talk: Conversation) -> None:
    """With `tty` the command has a controlling terminal of the requested size, and one output."""
    script = "test -t 0 && test -t 2 && echo on >/dev/tty; echo err >&2; read line; stty size; exit 6"
    talk.send("exec", id="a", cmd=["sh", "-c", script], tty=True)
    before = talk.receive_until("a", b"err")
    talk.send("resize", id="a", width=132, height=43).send("stdin", id="a", data=b"\n")

    code, stdout, stderr = talk.receive_all("a")

    assert before.startswith(b"on\r\nerr")
    assert b"43 132" in stdout
    assert (code, stderr) == (6, b"")


def test_the_end_of_a_terminal(talk: Conversation) -> None:
    """`close_stdin` is an end of file for a command on a terminal, too."""
    talk.send("exec", id="a", cmd=["sh", "-c", "stty -echo; echo ready; cat; echo done"], tty=True)
    talk.receive_until("a", b"ready\r\n")
    talk.send("stdin", id="a", data=b"line\n").send("close_stdin", id="a")

    assert talk.receive_all("a") == (0, b"line\r\ndone\r\n", b"")


def test_an_interrupt_typed_on_a_terminal(talk: Conversation) -> None:
    """Control-C reaches the command as SIGINT, because the terminal is its controlling one."""
    talk.send("exec", id="a", cmd=["sh", "-c", "echo ready; exec cat"], tty=True)
    talk.receive_until("a", b"ready")
    talk.send("stdin", id="a", data=b"\x03")

    assert talk.receive_all("a")[0] == 130


def test_several_sessions_share_a_connection(talk: Conversation) -> None:
    """Each message carries the id of its session; one session may wait while another ends."""
    talk.send("exec", id="slow", cmd=["cat"]).send("exec", id="quick", cmd=["sh", "-c", "exit 2"])
    assert talk.receive() == {"type": "exit", "id": "quick", "code": 2}

    talk.send("stdin", id="slow", data=b"still here").send("close_stdin", id="slow")
    assert talk.receive_all("slow") == (0, b"still here", b"")


def test_an_id_in_use(talk: Conversation) -> None:
    """A second session under the same id is refused while the first lasts, and allowed after it."""
    talk.send("exec", id="a", cmd=["cat"]).send("exec", id="a", cmd=["true"])
    assert talk.receive() == {"type": "error", "id": "a", "message": "the session exists already"}

    talk.send("close_stdin", id="a")
    assert talk.receive_all("a")[0] == 0
    talk.send("exec", id="a", cmd=["true"])
    assert talk.receive_all("a")[0] == 0


def test_background_processes_do_not_hold_the_session(talk: Conversation) -> None:
    """The session ends with its command, also when a process it left has the outputs open and writes on."""
    talk.send("exec", id="a", cmd=["sh", "-c", "yes & echo $! >&2; exit 1"])

    code, _, stderr = talk.receive_all("a")

    assert code == 1
    talk.send("exec", id="b", cmd=["kill", "-9", stderr.decode().strip()])
    talk.receive_all("b")


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"type": "dance", "id": "a"}, {"id": "a", "message": "unknown message type: dance"}),
        ({"id": "a"}, {"id": "a", "message": "unknown message type: "}),
        ({"type": "stdin", "id": "x", "data": ""}, {"id": "x", "message": "no such session"}),
        ({"type": "close_stdin", "id": "x"}, {"id": "x", "message": "no such session"}),
        ({"type": "signal", "id": "x", "signal": "SIGTERM"}, {"id": "x", "message": "no such session"}),
        ({"type": "resize", "id": "x", "width": 1, "height": 1}, {"id": "x", "message": "no such session"}),
        ({"type": "signal", "id": "x", "signal": "SIGNAL"}, {"id": "x", "message": "unknown signal: SIGNAL"}),
    ],
)
def test_requests_that_are_refused(talk: Conversation, message: dict[str, object], answer: dict[str, object]) -> None:
    """The error texts of the protocol, under the id of the request; the connection stays usable."""
    type_ = str(message.pop("type", ""))
    assert talk.send(type_, **message).receive() == {"type": "error", **answer}

    talk.send("exec", id="after", cmd=["true"])
    assert talk.receive_all("after")[0] == 0


def test_the_end_of_the_connection_kills(idle_agent: RunningAgent, talk: Conversation, tmp_path: Path) -> None:
    """A connection's commands end with it, with their process groups; those of other connections do not."""
    fifo = tmp_path / "held-open"
    os.mkfifo(fifo)
    talk.send("exec", id="other", cmd=["cat"])
    with idle_agent.conversation() as doomed:
        doomed.send("exec", id="a", cmd=["sh", "-c", 'exec 3>"$0"; sleep 600 & wait', str(fifo)])
        reader = fifo.open("rb")  # opens when the command has opened it for writing

    with reader:
        assert reader.read() == b""  # returns when every writer has ended
    talk.send("close_stdin", id="other")
    assert talk.receive_all("other")[0] == 0
