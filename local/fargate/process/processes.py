"""A container's process on the server's side: started through `shim`, awaited, signalled."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.fargate.log_groups import LogStream

_SHIM: Final = Path(__file__).with_name("shim.py")
_KILLED: Final = 137


@dataclass(frozen=True, slots=True)
class Spec:
    """`program` is the file to run, `argv` has `argv[0]`; of the server only limits are inherited.

    `open_files` is the soft and the hard limit; None leaves them as they are.
    """

    program: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    log: str
    open_files: tuple[int, int] | None = None

    def __repr__(self) -> str:
        # The environment and the arguments may hold secrets.
        return f"Spec(program={self.program!r})"


class NotExecuted(Exception):
    """The program could not be executed: `number` is the errno."""

    def __init__(self, number: int, stage: str) -> None:
        super().__init__(f"{stage} failed with errno {number}")
        self.number = number


class Process:
    """One running container process. `pid` is that of the main process; `stream` follows what it prints."""

    def __init__(self, shim: asyncio.subprocess.Process, pid: int, stream: LogStream | None) -> None:
        self._shim = shim
        self._stream = stream
        self.pid = pid
        self._exit = asyncio.create_task(self._read_exit())

    @classmethod
    async def start(cls, spec: Spec, stream: LogStream | None = None) -> Process:
        """Starts it and returns once it is executing. Raises `NotExecuted`."""
        shim = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(_SHIM),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
            start_new_session=True,  # Ctrl-C on the terminal is for the server alone
        )  # fmt: skip
        try:
            _send(shim, json.dumps({
                "program": spec.program, "argv": spec.argv, "environment": spec.environment,
                "directory": spec.directory, "log": spec.log, "open_files": spec.open_files,
            }))  # fmt: skip
            report = await _read(shim)
        except BaseException:
            await _let_go(shim)
            raise
        if report is None or "pid" not in report:
            await _let_go(shim)
            report = report or {"errno": 0, "stage": "shim"}
            raise NotExecuted(report["errno"], report["stage"])
        if stream is not None:
            stream.follow(Path(spec.log))
        return cls(shim, report["pid"], stream)

    async def wait(self) -> int:
        """The exit code, 128 + n after signal n, once all it printed is in its log. May be awaited by several."""
        return await asyncio.shield(self._exit)

    def terminate(self) -> None:
        _send(self._shim, "TERM")

    def kill(self) -> None:
        """SIGKILL to the main process; its descendants end with it."""
        _send(self._shim, "KILL")

    async def close(self) -> None:
        """Ends everything at once and waits until it has ended."""
        await _let_go(self._shim)
        await self._exit

    async def _read_exit(self) -> int:
        report = await _read(self._shim)
        await self._shim.wait()
        if self._stream is not None:
            await self._stream.close()
        return _KILLED if report is None else int(report["exit"])


def _send(shim: asyncio.subprocess.Process, line: str) -> None:
    if shim.stdin is not None and not shim.stdin.is_closing():
        shim.stdin.write(line.encode() + b"\n")


async def _read(shim: asyncio.subprocess.Process) -> dict[str, Any] | None:
    line = await shim.stdout.readline() if shim.stdout is not None else b""
    report: dict[str, Any] | None = json.loads(line) if line else None
    return report


async def _let_go(shim: asyncio.subprocess.Process) -> None:
    if shim.stdin is not None:
        shim.stdin.close()
    await shim.wait()
