"""Processes that may outlive the command that started them: started, found again, and ended whole.

Each leads a session of its own, so Ctrl-C in the terminal does not reach it and its children can be ended with it.
A file says who it is: the process id and the kernel's start time, because process ids are used again.
Linux only: /proc, pidfd.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from local.cloud.interruption import undisturbed

LOOPBACK: Final = "127.0.0.1"
TAIL_LINES: Final = 25
_POLL_SECONDS: Final = 0.05


class CloudError(Exception):
    """The local cloud could not do what was asked. The message says what to do next."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that leads a session of its own. `started` is its start time in clock ticks since boot."""

    name: str
    pid: int
    started: int
    log: Path

    @classmethod
    def this(cls, name: str, log: Path) -> Self:
        """The process that runs this code."""
        status = _status(os.getpid())
        if status is None:
            raise CloudError("There is no /proc. What to do: mount it; the local cloud needs Linux.")
        return cls(name, os.getpid(), status[0], log)

    def alive(self) -> bool:
        """Whether that very process still runs; a zombie does not."""
        status = _status(self.pid)
        return status is not None and status == (self.started, True)

    def wait_until_ready(self, port: int, path: str, timeout: float) -> None:
        """Returns when `GET path` answers 200. Raises `CloudError` when the process ends or `timeout` s pass first."""
        deadline = time.monotonic() + timeout
        while not _answers(port, path):
            if not self.alive():
                raise CloudError(f"{self.name} ended while it started.\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise CloudError(f"{self.name} did not get ready within {timeout:.0f} s.\n{tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def stop(self, grace: float = 10) -> int | None:
        """Asks the whole session to end, waits up to `grace` s, then kills what is left of it. Idempotent.

        The exit code, -n after signal n; None unless it was a child of this process.
        """
        status = _status(self.pid)
        if status is not None and status[0] != self.started:
            return None  # the id belongs to somebody else by now
        _signal_group(self.pid, signal.SIGTERM)
        _wait(self.pid, grace)
        left = list(_session(self.pid))
        _signal_group(self.pid, signal.SIGKILL)
        for pid in left:
            _wait(pid, grace)  # being killed takes a moment
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])  # ours: leave no zombie
        except ChildProcessError:
            return None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: in `cwd`, with this environment and no other, output to `log`, anew or after what is there.

    `answer` is where standard output goes instead. `inherited` are the file descriptors that it gets besides.
    """

    arguments: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    append: bool = False
    answer: Path | None = None
    inherited: Sequence[int] = ()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it as the leader of a session of its own."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            log = opened.enter_context(self.log.open("ab" if self.append else "wb"))
            return subprocess.Popen(
                self.arguments,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log if self.answer is None else opened.enter_context(self.answer.open("wb")),
                stderr=log,
                start_new_session=True,
                pass_fds=self.inherited,
            )


def launch(name: str, command: Command) -> Daemon:
    """Starts a daemon."""
    process = command.start()
    status = _status(process.pid)
    if status is None:
        raise CloudError(f"{name} ended at once.\n{tail(command.log)}")
    # From here on this is what is known of it; the Popen object would complain that nobody waits for it.
    process.returncode = 0
    return Daemon(name, process.pid, status[0], command.log)


def spawn(name: str, command: Command, run: Path) -> Daemon:
    """Starts a daemon and notes it in the directory `run`."""
    run.mkdir(parents=True, exist_ok=True)
    with undisturbed():
        daemon = launch(name, command)
        note = {"name": name, "pid": daemon.pid, "started": daemon.started, "log": str(daemon.log)}
        (run / f"{name}.json").write_text(json.dumps(note) + "\n")
    return daemon


def first_to_end(daemons: Sequence[Daemon], timeout: float | None = None) -> Daemon | None:
    """The first of these, in this order, that has ended. Waits until one has, or `timeout` s: None then."""
    with contextlib.ExitStack() as opened:
        descriptors = []
        for daemon in daemons:
            with contextlib.suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(daemon.pid))
                opened.callback(os.close, descriptors[-1])
        if all(daemon.alive() for daemon in daemons):
            select.select(descriptors, [], [], timeout)
    return next((daemon for daemon in daemons if not daemon.alive()), None)


def noted(run: Path) -> Iterator[Daemon]:
    """The daemons noted in a directory, whether they still run or not."""
    for file in sorted(run.glob("*.json")):
        note = json.loads(file.read_text())
        yield Daemon(note["name"], note["pid"], note["started"], Path(note["log"]))


def forget(run: Path, daemon: Daemon) -> None:
    """Removes the note of a daemon."""
    (run / f"{daemon.name}.json").unlink(missing_ok=True)


def call(command: Command, *, timeout: float, advice: str, run: Path | None = None) -> None:
    """Runs a command to its end. Raises `CloudError` with the end of its log and `advice` when it fails.

    Its own children end with it, also when this process is interrupted. While it runs it is noted in `run`, if given,
    for the case that this process is killed.
    """
    name = " ".join([Path(command.arguments[0]).name, *command.arguments[1:2]])
    daemon: Daemon | None = None
    code: int | None = None
    try:
        with undisturbed():
            daemon = launch(name, command) if run is None else spawn(name, command, run)
        in_time = first_to_end([daemon], timeout) is not None
    finally:
        if daemon is not None:
            code = daemon.stop(grace=0)
            if run is not None:
                forget(run, daemon)
    if code != 0 or not in_time:
        ended = f"did not end within {timeout:.0f} s" if not in_time else f"ended with {code}"
        raise CloudError(f"`{name}` {ended}.\n{tail(command.log)}\nWhat to do: {advice}")


def tail(log: Path) -> str:
    """The last lines of a log, and where the rest is."""
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in lines)])


def free_port(wanted: int | None = None) -> int:
    """`wanted` if nobody listens there, else any port that is free now. Whoever binds it should do so at once."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe:
            # As servers do, or a port they just left would count as taken for a minute.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise CloudError("There is no free port on the loopback interface.")


def _status(pid: int) -> tuple[int, bool] | None:
    """Start time and whether it runs (and is no zombie); None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): after the name, field 3 is the state and field 22 the start time.
    return int(fields[22 - 3]), fields[0] not in "ZX"


def _session(leader: int) -> Iterator[int]:
    """The processes of the leader's session, zombies included."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[6 - 3]) == leader:  # proc(5): field 6
                yield int(stat.parent.name)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _wait(pid: int, timeout: float) -> None:
    """Returns when the process has ended, but after `timeout` s at the latest. It need not be a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [], timeout)
    finally:
        os.close(descriptor)


def _answers(port: int, path: str) -> bool:
    # Not urllib: a proxy of the environment has no business here.
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
