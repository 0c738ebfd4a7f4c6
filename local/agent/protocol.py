"""The agent's messages: JSON texts in a WebSocket, bytes in base64.

`decode` turns a client's text into a request, or raises `Rejected` with the text of the `error` message that
answers it. The other functions write the messages to the client.
"""

from __future__ import annotations

import base64
import binascii
import json
import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

NO_SUCH_SESSION: Final = "no such session"
NO_MAIN_PROCESS: Final = "there is no main process to attach to: the agent runs in keep-alive mode"
MAX_MESSAGE: Final = 16 * 1024 * 1024
"""The longest message taken from the other side, in bytes."""

_LARGEST_SIZE: Final = 65535  # a terminal's width and height are unsigned shorts (struct winsize)


class Stream(StrEnum):
    """Where output was written; also the type of the message that carries it."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True)
class Exec:
    """Run `cmd` as a new session. `env` is added to the agent's environment; `workdir` None: the agent's own."""

    id: str
    cmd: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str | None
    tty: bool


@dataclass(frozen=True, slots=True)
class Attach:
    """Join the streams of the child process as a new session."""

    id: str


@dataclass(frozen=True, slots=True)
class Stdin:
    """Bytes for the session's standard input."""

    id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseStdin:
    """End of the session's standard input."""

    id: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal for the session's process."""

    id: str
    signal: signal.Signals


@dataclass(frozen=True, slots=True)
class Resize:
    """The new size of the session's terminal, in characters."""

    id: str
    width: int
    height: int


Request = Exec | Attach | Stdin | CloseStdin | Signal | Resize


class Rejected(Exception):
    """A request that is not carried out; `message` is the text of the `error` that answers it."""

    def __init__(self, session_id: str, message: str) -> None:
        super().__init__(message)
        self.session_id = session_id
        self.message = message


def decode(text: str | bytes) -> Request:
    """The request in a client's message. Raises `Rejected`."""
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise Rejected("", f"invalid message: not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise Rejected("", "invalid message: not a JSON object")
    fields = _Fields(document)
    match fields.type:
        case "exec":
            return Exec(fields.id, fields.cmd(), fields.env(), fields.text("workdir") or None, fields.tty())
        case "attach":
            return Attach(fields.id)
        case "stdin":
            return Stdin(fields.id, fields.data())
        case "close_stdin":
            return CloseStdin(fields.id)
        case "signal":
            return Signal(fields.id, fields.signal())
        case "resize":
            return Resize(fields.id, fields.size("width"), fields.size("height"))
        case unknown:
            raise Rejected(fields.id, f"unknown message type: {unknown}")


def output(session_id: str, stream: Stream, data: bytes) -> str:
    """What the session's process wrote."""
    return json.dumps({"type": stream, "id": session_id, "data": base64.b64encode(data).decode("ascii")})


def exited(session_id: str, code: int) -> str:
    """The session's process has ended, and all its output was sent before."""
    return json.dumps({"type": "exit", "id": session_id, "code": code})


def error(session_id: str, message: str) -> str:
    """The answer to a request that was not carried out."""
    return json.dumps({"type": "error", "id": session_id, "message": message})


class _Fields:
    """The members of one message, each checked when it is read."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.id = ""
        self.id = self.text("id")
        self.type = self.text("type")

    def cmd(self) -> tuple[str, ...]:
        cmd = self._texts("cmd")
        if not cmd or not cmd[0]:
            raise self._wrong("cmd", "a list that begins with a program")
        return cmd

    def env(self) -> tuple[tuple[str, str], ...]:
        pairs = [text.partition("=") for text in self._texts("env")]
        if not all(key and separator for key, separator, _ in pairs):
            raise self._wrong("env", "a list of K=V")
        return tuple((key, value) for key, _, value in pairs)

    def tty(self) -> bool:
        value = self._document.get("tty", False)
        if not isinstance(value, bool):
            raise self._wrong("tty", "true or false")
        return value

    def data(self) -> bytes:
        try:
            return base64.b64decode(self.text("data"), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise self._wrong("data", "base64") from exc

    def signal(self) -> signal.Signals:
        name = self.text("signal")
        try:
            return signal.Signals["SIG" + name.upper().removeprefix("SIG")]
        except KeyError as exc:
            raise Rejected(self.id, f"unknown signal: {name}") from exc

    def size(self, name: str) -> int:
        value = self._document.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_SIZE:
            raise self._wrong(name, f"a number from 1 to {_LARGEST_SIZE}")
        return value

    def text(self, name: str) -> str:
        value = self._document.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def _texts(self, name: str) -> tuple[str, ...]:
        value = self._document.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self._wrong(name, "a list of strings")
        return tuple(value)

    def _wrong(self, name: str, expected: str) -> Rejected:
        return Rejected(self.id, f"invalid message: {name} must be {expected}")
