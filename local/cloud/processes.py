"""Processes that may outlive the command that started them: started, found again, and ended with their children.

Each leads a session, so Ctrl-C in the terminal does not reach it and its children end with it. A file of the cloud's
directory `run` names it by process id and start time, because process ids are used again.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from reach.signals import deferred

LOOPBACK: Final = "127.0.0.1"
TAIL_LINES: Final = 25
_POLL_SECONDS: Final = 0.05
_CLOCK_SECONDS: Final = 2.0
"""How far two readings of one start time may differ: psutil adds the time of boot, which setting the clock changes."""


class CloudError(Exception):
    """The local cloud could not do what the command line says. The message says what to do next."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that leads a session. `started` is its start time, in seconds since the epoch."""

    name: str
    pid: int
    started: float
    log: Path

    def alive(self) -> bool:
        """Whether this very process runs; a zombie does not."""
        process = self._process()
        return process is not None and running(process)

    def wait_until_ready(self, host: str, port: int, path: str, timeout: float) -> None:
        """Returns when `GET path` answers 200. Raises `CloudError` when the process ends or `timeout` s pass first."""
        deadline = time.monotonic() + timeout
        while not _answers(host, port, path):
            if not self.alive():
                raise CloudError(f"{self.name} ended while it started.\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise CloudError(f"{self.name} did not get ready within {timeout:.0f} s.\n{tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def stop(self, grace: float = 10) -> None:
        """Sends SIGTERM to the session, waits up to `grace` s for its leader, then kills the rest. Idempotent."""
        leader = self._process()
        if leader is None and psutil.pid_exists(self.pid):
            return  # another process has the id by now
        _signal_session(self.pid, signal.SIGTERM)
        if leader is not None:
            psutil.wait_procs([leader], timeout=grace)
        left = _session(self.pid)
        _signal_session(self.pid, signal.SIGKILL)
        psutil.wait_procs(left, timeout=grace)

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.started) < _CLOCK_SECONDS else None
        except psutil.NoSuchProcess:
            return None


def running(process: psutil.Process) -> bool:
    """Whether it runs. A zombie does not: whoever has started it has not asked for its end yet."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: in `cwd`, with this environment and no other, its output in `log`.

    `inherited` are the file descriptors that it gets besides.
    """

    arguments: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    inherited: Sequence[int] = ()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it as the leader of a session."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                self.arguments,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.inherited,
            )


def spawn(name: str, command: Command, run: Path) -> Daemon:
    """Starts a daemon and writes its pid file to `run`."""
    run.mkdir(parents=True, exist_ok=True)
    with deferred():
        process = command.start()
        # psutil waits for it from here on; the Popen object would warn that it still runs.
        process.returncode = 0
        daemon = Daemon(name, process.pid, psutil.Process(process.pid).create_time(), command.log)
        note = {"name": name, "pid": daemon.pid, "started": daemon.started, "log": str(daemon.log)}
        (run / f"{name}.json").write_text(json.dumps(note) + "\n")
    return daemon


def call(command: Command, *, timeout: float, advice: str, run: Path) -> None:
    """Runs a command to its end. Raises `CloudError` with the end of its log and `advice` when it fails.

    Its children end with it, also when this process is interrupted. `run` has its pid file meanwhile, for the case
    that this process is killed.
    """
    name = " ".join([Path(command.arguments[0]).name, *command.arguments[1:2]])
    daemon: Daemon | None = None
    try:
        with deferred():
            daemon = spawn(name, command, run)
        code = psutil.Process(daemon.pid).wait(timeout)
    except psutil.TimeoutExpired:
        ended = f"did not end within {timeout:.0f} s"
    else:
        ended = f"ended with {code}"
        if code == 0:
            return
    finally:
        if daemon is not None:
            daemon.stop(grace=0)
            forget(run, daemon)
    raise CloudError(f"`{name}` {ended}.\n{tail(command.log)}\nWhat to do: {advice}")


def noted(run: Path) -> Iterator[Daemon]:
    """The daemons that have a pid file in `run`, whether they still run or not."""
    for file in sorted(run.glob("*.json")):
        note = json.loads(file.read_text())
        yield Daemon(note["name"], note["pid"], note["started"], Path(note["log"]))


def forget(run: Path, daemon: Daemon) -> None:
    """Removes the pid file of a daemon."""
    (run / f"{daemon.name}.json").unlink(missing_ok=True)


def tail(log: Path) -> str:
    """The last lines of a log, and where the rest is."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in lines)])


def free_port(wanted: int | None = None, host: str = LOOPBACK) -> int:
    """`wanted` if it is free, else any port that is. Bind it at once."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe:
            # As servers do, or a port they just left would count as taken for a minute.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return int(probe.getsockname()[1])
    raise CloudError(f"There is no free port on {host}. What to do: give an address of this machine as --host.")


def _session(leader: int) -> list[psutil.Process]:
    """The processes of the leader's session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader:
                found.append(process)
    return found


def _signal_session(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _answers(host: str, port: int, path: str) -> bool:
    # Not urllib: a proxy of the environment has no business here.
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
