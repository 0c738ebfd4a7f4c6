"""`reach exec` as a person sees it: a process on a pseudo-terminal, with the reference agent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Terminal, on_terminal
from tests.unit.local.agent.running import RunningAgent, running_agent
from tests.unit.reach.commands.on_one_container import command, environment

Start = Callable[..., AbstractContextManager[Terminal]]
READY = r"printf 'rea%s\n' dy; "
"""Prints what is not on the command line, so that its echo is not taken for it."""


@pytest.fixture(scope="module")
def agent() -> Iterator[RunningAgent]:
    """An agent without a main process."""
    with running_agent("--keep-alive", "--") as agent:
        yield agent


@pytest.fixture
def starting(agent: RunningAgent) -> Start:
    """Starts `reach exec` on a terminal."""

    def start(*arguments: str, **more: Any) -> AbstractContextManager[Terminal]:
        return on_terminal(command("exec", *arguments), environment(agent), **more)

    return start


@contextmanager
def held(path: Path) -> Iterator[str]:
    """A script that ends when nothing holds the pipe open that it opens first; then nothing of it runs any more."""
    os.mkfifo(path)
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        yield f"exec 9>{path}; {READY}"
        os.set_blocking(reader.fileno(), True)
        assert reader.read() == b""  # the end comes when every writer has ended


def test_without_a_command_it_is_a_shell_on_a_terminal(starting: Start) -> None:
    """`/bin/sh`, with the size of the local terminal, as TERM what each image knows, and the shell's exit code."""
    with starting(columns=101, lines=37) as terminal:
        terminal.until(rb"[#$] ")
        terminal.type(b"stty size; echo $TERM; test -t 0 && exit 7\r")
        terminal.until(rb"37 101\r\nxterm\r\n")
        assert terminal.end() == 7


def test_the_size_follows_the_window(starting: Start) -> None:
    """Each change of the local window is one of the command's terminal."""
    script = f"trap 'stty size' WINCH; {READY} while :; do sleep 0.01; done"
    with starting("-it", "--", "sh", "-c", script) as terminal:
        terminal.until(b"ready")
        for columns, lines in [(132, 43), (40, 10)]:
            terminal.resize(columns, lines)
            terminal.until(b"%d %d" % (lines, columns))


def test_ctrl_c_is_a_key(starting: Start) -> None:
    """It interrupts what runs in the shell; the shell and the session go on."""
    with starting("-it", "--", "sh") as terminal:
        terminal.until(rb"[#$] ")
        terminal.type(f'sh -c "{READY} exec sleep 1000"\r'.encode())  # it prints when it is in the foreground
        terminal.until(b"ready")
        terminal.type(b"\x03")
        terminal.until(rb"\^C.*[#$] ")
        terminal.type(b"exit 3\r")
        assert terminal.end() == 3


def test_every_byte_goes_both_ways(starting: Start) -> None:
    """Keys of an editor, of flow control and of job control, and the bytes of UTF-8, are not touched."""
    keys = "\x1b[A\x1bOP\x13\x11\x1a\x1c\x04\x16\x7f\r\nzoë ✓\x03".encode()
    script = f"stty raw -echo; {READY} head -c {len(keys)} | od -An -v -tx1 | tr -d '\\n '; printf '\\033[1m✓'"
    with starting("-it", "--detach-keys", "", "--", "sh", "-c", script) as terminal:
        terminal.until(b"ready")
        terminal.type(keys)
        terminal.until(re.escape(keys.hex().encode() + "\x1b[1m✓".encode()))
        assert terminal.end() == 0


def test_the_terminal_is_as_before(starting: Start) -> None:
    """Raw while the session lasts; afterwards with its own modes again."""
    with starting("-it", "--", "sh", "-c", f"{READY} read line; exit 1") as terminal:
        before = terminal.modes()
        terminal.until(b"ready")
        assert terminal.modes() != before
        terminal.type(b"\r")
        assert terminal.end() == 1
        assert terminal.modes() == before


@pytest.mark.parametrize(("options", "keys"), [([], b"\x10\x11"), (["--detach-keys", "ctrl-],."], b"\x1d.")])
def test_detach_keys_leave_what_hangs(starting: Start, tmp_path: Path, options: list[str], keys: bytes) -> None:
    """137 and a sentence; the terminal is as before, and the agent has killed the command."""
    with (
        held(tmp_path / "held") as script,
        starting("-it", *options, "--", "sh", "-c", f"trap '' INT; {script} sleep 1000") as terminal,
    ):
        before = terminal.modes()
        terminal.until(b"ready")
        terminal.type(b"\x03" + keys)
        terminal.until(b"Left the session: the agent kills the command")
        assert terminal.end() == 137
        assert terminal.modes() == before


def test_an_agent_that_is_gone_leaves_the_terminal_as_before() -> None:
    """The session ends with 125, and what to do."""
    with (
        running_agent("--keep-alive", "--") as agent,
        on_terminal(command("exec", "-it", "--", "sh"), environment(agent)) as terminal,
    ):
        before = terminal.modes()
        terminal.until(rb"[#$] ")
        agent.process.kill()
        terminal.until(b"Read the container's item")
        assert terminal.end() == 125
        assert terminal.modes() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_an_interactive_session(starting: Start, tmp_path: Path, number: signal.Signals) -> None:
    """From outside, not typed: the terminal is as before, and the agent has killed the command."""
    with (
        held(tmp_path / "held") as script,
        starting("-it", "--", "sh", "-c", f"trap '' TERM HUP INT QUIT; {script} sleep 1000") as terminal,
    ):
        before = terminal.modes()
        terminal.until(b"ready")
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert terminal.modes() == before


def test_a_window_that_is_closed_ends_the_session(starting: Start, tmp_path: Path) -> None:
    """The agent has killed the command, and nothing is left here."""
    with held(tmp_path / "held") as script, starting("-it", "--", "sh", "-c", f"{script} sleep 1000") as terminal:
        terminal.until(b"ready")
        terminal.close()
        assert terminal.end() == 128 + signal.SIGHUP


def test_the_kill_of_this_process_ends_what_runs_in_its_shell(starting: Start, tmp_path: Path) -> None:
    """Nothing is said any more: the agent sees the end of the connection, and the terminal hangs up."""
    with held(tmp_path / "held") as script, starting() as terminal:
        terminal.until(rb"[#$] ")
        terminal.type(f"({script} sleep 1000)\r".encode())
        terminal.until(b"ready")
        terminal.process.kill()
        assert terminal.end() == -signal.SIGKILL


def test_without_a_terminal_of_the_command_lines_are_edited_here(starting: Start) -> None:
    """`-i` alone: the local terminal keeps its modes but for the keys to leave, and Ctrl-D ends the input."""
    with starting("-i", "--", "sh", "-c", f"{READY} cat") as terminal:
        terminal.until(b"ready")
        terminal.type(b"abx\x7fc\r")
        terminal.until(b"abc\r\n")
        terminal.type(b"\x04")
        assert terminal.end() == 0


def test_detach_keys_without_a_terminal_of_the_command(starting: Start, tmp_path: Path) -> None:
    """They need no Enter, and the modes are as before."""
    with held(tmp_path / "held") as script, starting("-i", "--", "sh", "-c", f"{script} cat") as terminal:
        before = terminal.modes()
        terminal.until(b"ready")
        terminal.type(b"\x10\x11")
        assert terminal.end() == 137
        assert terminal.modes() == before


def test_ctrl_c_is_a_signal_without_a_terminal_of_the_command(starting: Start) -> None:
    """The command gets it as SIGINT, and what it makes of it is the exit code."""
    script = f"trap 'echo caught; exit 5' INT; {READY} while :; do sleep 0.01; done"
    with starting("--", "sh", "-c", script) as terminal:
        terminal.until(b"ready")
        terminal.type(b"\x03")
        terminal.until(b"caught")
        assert terminal.end() == 5


def test_a_second_ctrl_c_kills(starting: Start, tmp_path: Path) -> None:
    """A command that is deaf to the first one is said to run on; 130."""
    with (
        held(tmp_path / "held") as script,
        starting("--", "sh", "-c", f"trap '' INT; {script} sleep 1000") as terminal,
    ):
        terminal.until(b"ready")
        terminal.type(b"\x03")
        terminal.until(b"The command got Ctrl-C and still runs. A second one kills it.")
        terminal.type(b"\x03")
        assert terminal.end() == 130


def test_a_terminal_for_the_command_alone(starting: Start) -> None:
    """`-t` without `-i`: its input is empty, the local terminal keeps its modes, and Ctrl-C is a signal."""
    script = f"test -t 1; echo $?; read line || {READY} exec sleep 1000"
    with starting("-t", "--", "sh", "-c", script) as terminal:
        before = terminal.modes()
        terminal.until(b"0\r+\n")
        terminal.until(b"ready")
        assert terminal.modes() == before
        terminal.type(b"\x03")
        assert terminal.end() == 130


def test_the_output_of_a_terminal_may_go_elsewhere(starting: Start) -> None:
    """The keyboard is the terminal, the output a pipe. The size follows the command (agent-protocol.md 3)."""
    sized = "until stty size | grep -x '24 99'; do :; done"
    with starting("-it", "--", "sh", "-c", sized, columns=99, stdout=subprocess.PIPE) as terminal:
        assert terminal.process.stdout is not None
        with terminal.process.stdout as stdout:
            assert stdout.read() == b"24 99\r\n"
        assert terminal.end() == 0
