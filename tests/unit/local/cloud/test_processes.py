"""Processes of the local cloud: nothing is left behind, and no other process is touched."""

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local.cloud.processes import (
    LOOPBACK,
    CloudError,
    Command,
    Daemon,
    call,
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
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


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
    """A note whose process has gone does not end the other process that has its id now."""
    daemons.append(spawn("other", command(tmp_path, "-c", "import signal; signal.pause()"), tmp_path / "run"))
    stale = replace(daemons[0], started=daemons[0].started - 60)
    assert not stale.alive()
    stale.stop()
    assert daemons[0].alive()


def test_readiness_is_the_health_answer(tmp_path: Path, daemons: list[Daemon]) -> None:
    """A daemon is ready when its health path answers 200."""
    port = free_port()
    daemons.append(spawn("server", command(tmp_path, "-c", SERVER, str(port)), tmp_path / "run"))
    daemons[0].wait_until_ready(LOOPBACK, port, "/ready", timeout=30)
    with pytest.raises(CloudError, match=r"server did not get ready within 0 s"):
        daemons[0].wait_until_ready(LOOPBACK, port, "/other", timeout=0)


def test_death_at_start_is_reported_with_its_log(tmp_path: Path) -> None:
    """A daemon that ends before it is ready is reported at once, with the end of its log."""
    daemon = spawn("broken", command(tmp_path, "-c", "raise SystemExit('port taken')"), tmp_path / "run")
    with pytest.raises(CloudError, match=r"broken ended while it started\.\n.*log:\n +port taken"):
        daemon.wait_until_ready(LOOPBACK, free_port(), "/ready", timeout=30)
    daemon.stop()


def test_failed_command_is_reported_with_its_log_and_advice(tmp_path: Path) -> None:
    """A command that fails is reported with the end of its output and what to do."""
    failing = command(tmp_path, "-c", "print('no such parameter'); raise SystemExit(3)")
    with pytest.raises(CloudError, match=r"ended with 3\.\n[^\n]*\n +no such parameter\nWhat to do: try harder"):
        call(failing, timeout=30, advice="try harder", run=tmp_path / "run")


def test_hanging_command_is_ended(tmp_path: Path) -> None:
    """A command that does not end in time is ended, and reported."""
    with pytest.raises(CloudError, match="did not end within 0 s"):
        call(
            command(tmp_path, "-c", "import signal; signal.pause()"),
            timeout=0,
            advice="wait longer",
            run=tmp_path / "run",
        )


def test_command_is_noted_while_it_runs(tmp_path: Path) -> None:
    """A command whose caller is killed can be found and ended by its note; one that ended has none."""
    run = tmp_path / "run"
    listing = "import pathlib, sys; print(*(one.name for one in pathlib.Path(sys.argv[1]).iterdir()))"
    one = command(tmp_path, "-c", listing, str(run))
    call(one, timeout=30, advice="none", run=run)
    assert one.log.read_text() == "python -c.json\n"
    assert list(run.iterdir()) == []


def test_killed_daemon_is_not_alive(tmp_path: Path, daemons: list[Daemon]) -> None:
    """A process that was killed does not count as running; stopping it ends the children it has left."""
    fifo = tmp_path / "child"
    os.mkfifo(fifo)
    daemons.append(spawn("parent", command(tmp_path, "-c", PARENT, str(fifo)), tmp_path / "run"))
    child = int(fifo.read_text())
    os.kill(daemons[0].pid, 9)
    psutil.Process(daemons[0].pid).wait(10)
    assert not daemons[0].alive()
    assert running(child)
    daemons[0].stop()
    assert not running(child)


def test_wanted_port_is_taken_only_if_free() -> None:
    """A wanted port that is in use gives way to another."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
