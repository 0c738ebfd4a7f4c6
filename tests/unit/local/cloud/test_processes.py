"""Processes of the local cloud: nothing is left behind, and nothing of somebody else's is touched."""

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.cloud.processes import (
    LOOPBACK,
    CloudError,
    Command,
    Daemon,
    call,
    first_to_end,
    forget,
    free_port,
    noted,
    spawn,
)

# Starts a child that ignores SIGTERM, says its id, and waits.
PARENT = """
import signal, subprocess, sys
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
child.stdout.readline()
open(sys.argv[1], "w").write(str(child.pid))
signal.pause()
"""
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def daemons() -> Iterator[list[Daemon]]:
    """Whatever a test adds is stopped after it."""
    started: list[Daemon] = []
    yield started
    for daemon in started:
        daemon.stop(grace=0)


def command(directory: Path, *arguments: str) -> Command:
    return Command([sys.executable, *arguments], dict(os.environ), directory, directory / "log")


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_stopping_ends_the_children_too(tmp_path: Path, daemons: list[Daemon]) -> None:
    """Stopping ends the whole session, also a child that ignores the request; stopping again does nothing."""
    fifo = tmp_path / "child"
    os.mkfifo(fifo)
    daemons.append(spawn("parent", command(tmp_path, "-c", PARENT, str(fifo)), tmp_path / "run"))
    child = int(fifo.read_text())
    assert daemons[0].alive()
    assert running(child)
    daemons[0].stop()
    assert not daemons[0].alive()
    assert not running(child)
    daemons[0].stop()


def test_daemon_is_found_again(tmp_path: Path, daemons: list[Daemon]) -> None:
    """Another process finds what was started by its note, until it is forgotten."""
    run = tmp_path / "run"
    daemons.append(spawn("one", command(tmp_path, "-c", "import signal; signal.pause()"), run))
    assert list(noted(run)) == daemons
    forget(run, daemons[0])
    assert list(noted(run)) == []


def test_reused_process_id_is_left_alone(tmp_path: Path, daemons: list[Daemon]) -> None:
    """A note whose process has gone does not end the stranger that has its process id now."""
    daemons.append(spawn("stranger", command(tmp_path, "-c", "import signal; signal.pause()"), tmp_path / "run"))
    stale = replace(daemons[0], started=daemons[0].started - 1)
    assert not stale.alive()
    stale.stop()
    assert daemons[0].alive()


def test_readiness_is_the_health_answer(tmp_path: Path, daemons: list[Daemon]) -> None:
    """A daemon is ready when its health path answers 200."""
    port = free_port()
    daemons.append(spawn("server", command(tmp_path, "-c", SERVER, str(port)), tmp_path / "run"))
    daemons[0].wait_until_ready(port, "/ready", timeout=30)
    with pytest.raises(CloudError, match=r"server did not get ready within 0 s"):
        daemons[0].wait_until_ready(port, "/other", timeout=0)


def test_death_at_start_is_told_with_its_log(tmp_path: Path) -> None:
    """A daemon that ends before it is ready is reported at once, with the end of its log."""
    daemon = spawn("broken", command(tmp_path, "-c", "raise SystemExit('port taken')"), tmp_path / "run")
    with pytest.raises(CloudError, match=r"broken ended while it started\.\n.*log:\n +port taken"):
        daemon.wait_until_ready(free_port(), "/ready", timeout=30)
    daemon.stop()


def test_failed_command_is_told_with_its_log_and_advice(tmp_path: Path) -> None:
    """A command that fails is reported with the end of its output and what to do."""
    failing = command(tmp_path, "-c", "print('no such parameter'); raise SystemExit(3)")
    with pytest.raises(CloudError, match=r"ended with 3\.\n[^\n]*\n +no such parameter\nWhat to do: try harder"):
        call(failing, timeout=30, advice="try harder")


def test_hanging_command_is_ended(tmp_path: Path) -> None:
    """A command that does not end in time is ended, and reported."""
    with pytest.raises(CloudError, match="did not end within 0 s"):
        call(command(tmp_path, "-c", "import signal; signal.pause()"), timeout=0, advice="wait longer")


def test_answer_is_apart_from_the_log(tmp_path: Path) -> None:
    """Standard output goes where the answer is wanted, and nothing else does."""
    speaking = replace(
        command(tmp_path, "-c", "import sys; print('answer'); print('log', file=sys.stderr)"), answer=tmp_path / "said"
    )
    call(speaking, timeout=30, advice="none")
    assert (tmp_path / "said").read_text() == "answer\n"
    assert speaking.log.read_text() == "log\n"


def test_command_is_noted_while_it_runs(tmp_path: Path) -> None:
    """A command whose caller is killed can be found and ended by its note; one that ended has none."""
    run = tmp_path / "run"
    look = "import pathlib, sys; print(*(one.name for one in pathlib.Path(sys.argv[1]).iterdir()))"
    one = command(tmp_path, "-c", look, str(run))
    call(one, timeout=30, advice="none", run=run)
    assert one.log.read_text() == "python -c.json\n"
    assert list(run.iterdir()) == []


def test_end_of_a_process_is_noticed(tmp_path: Path, daemons: list[Daemon]) -> None:
    """The first that has ended is told, whoever ended it; while all run, there is none."""
    daemons += [
        spawn(name, command(tmp_path, "-c", "import signal; signal.pause()"), tmp_path / "run") for name in "ab"
    ]
    assert first_to_end(daemons, timeout=0) is None
    os.kill(daemons[1].pid, 9)
    assert first_to_end(daemons) is daemons[1]
    assert daemons[1].stop() == -9
    assert first_to_end(daemons) is daemons[1]


def test_log_is_continued_when_asked(tmp_path: Path) -> None:
    """What a crashed process wrote stays in the log of its successor; a new start begins a new log."""
    for append, lines in ((False, ["one"]), (True, ["one", "one"]), (False, ["one"])):
        one = replace(command(tmp_path, "-c", "print('one')"), append=append)
        call(one, timeout=30, advice="none")
        assert one.log.read_text().split() == lines


def test_wanted_port_is_taken_only_if_free() -> None:
    """A wanted port that somebody listens on gives way to another."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
