"""The parent of one container's main process, as containerd-shim is for a real one. Run as a program, never imported.

It makes a process behave like PID 1 of a container: when it ends, everything it started ends; when the local Fargate
ends or crashes, so does the container. The shim is the subreaper of all its descendants, also of those that leave the
session. Its standard input is a pipe: the end of file means that the server died.

On stdin, first a JSON line: `program`, `argv`, `environment`, `directory`, `log`, `open_files`; then lines `TERM` or
`KILL`.
On stdout, JSON lines: `{"pid": n}` or `{"errno": n, "stage": "chdir" | "exec"}`; at the end `{"exit": code}`,
128 + n for signal n. Standard library only, no `site`: it is started for every container.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import select
import signal
import sys
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int) -> None:
    """Calls prctl, section 2 of the manual. Raises `OSError`."""
    if _LIBC.prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become(spec: dict[str, Any], complaints: int) -> None:
    """In the forked child: turns into the container's process, or writes errno and stage to `complaints`."""
    stage = "exec"
    try:
        os.setsid()
        # When the shim itself is killed, at least the main process is killed too.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)  # an ignored signal stays ignored across exec
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        limit_open_files(spec["open_files"])
        stage = "chdir"
        os.chdir(spec["directory"])
        stage = "exec"
        os.execve(spec["program"], spec["argv"], spec["environment"])  # noqa: S606 - running programs is its job
    except OSError as exc:
        os.write(complaints, json.dumps({"errno": exc.errno, "stage": stage}).encode())
    except ValueError:  # a NUL character in an argument or in the environment
        os.write(complaints, json.dumps({"errno": errno.EINVAL, "stage": stage}).encode())
    finally:
        os._exit(127)


def limit_open_files(limits: list[int] | None) -> None:
    """Sets soft and hard limit, as far as this user's own hard limit allows: only root may raise that."""
    if limits is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft, hard = (limit if most == resource.RLIM_INFINITY else min(limit, most) for limit in limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def children() -> list[int]:
    """The direct children of this process, orphans that came back to it among them."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would cost more than all the rest of this program
        if not name.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123 - as above
            parent = stat.read().rpartition(b")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(name))
    return found


def end_all() -> None:
    """Kills and reaps every descendant: those of a killed one become ours, and the next round finds them."""
    while pids := children():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def say(**message: int) -> None:
    """Reports to the server; a server that is gone needs no report."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
        sys.stdout.buffer.flush()


def spawn(spec: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """Starts the main process: its pid, and the complaint of `become`."""
    reading, writing = os.pipe()  # both close on exec: the end of file says that it worked
    pid = os.fork()
    if pid == 0:
        become(spec, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as complaints:
        complaint = complaints.read()
    return pid, json.loads(complaint) if complaint else None


def exit_code_of(main: int) -> int | None:
    """Reaps what has ended; the exit code of `main` once that has."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == main:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def obey(main: int, wakeup: int) -> int | None:
    """Waits for the main process and for orders: its exit code, or None when the server is gone."""
    pending = b""
    while True:
        ready, _, _ = select.select([0, wakeup], [], [])
        if wakeup in ready:
            os.read(wakeup, 4096)
            code = exit_code_of(main)
            if code is not None:
                return code
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                return None
            *orders, pending = (pending + data).split(b"\n")
            for order in orders:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(main, signal.SIGKILL if order == b"KILL" else signal.SIGTERM)


def read_spec() -> dict[str, Any] | None:
    """The first line of stdin, unbuffered so that no order behind it is swallowed; None at end of file."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return None
        line += piece
    spec: dict[str, Any] = json.loads(line)
    return spec


def main() -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    spec = read_spec()
    if spec is None:
        return
    pid, complaint = spawn(spec)
    if complaint is not None:
        os.waitpid(pid, 0)
        say(**complaint)
        return
    say(pid=pid)
    code = obey(pid, reading)
    end_all()
    if code is not None:
        say(exit=code)


if __name__ == "__main__":
    main()
