"""The standard streams of this process, as a session's. A shell may have closed any of them."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from reach import Refused
from reach.agent import descriptors
from reach.agent.session import Stream


def stdin() -> int | None:
    """Its descriptor."""
    return None if sys.stdin is None else sys.stdin.fileno()


def terminal() -> int | None:
    """Its descriptor where it is a terminal."""
    return stdin() if sys.stdin is not None and sys.stdin.isatty() else None


class PassedThrough:
    """Output of a session, to the output of this process with the same name, as it comes."""

    def __init__(self) -> None:
        self._to: dict[Stream, TextIO | None] = {Stream.STDOUT: sys.stdout, Stream.STDERR: sys.stderr}

    async def take(self, stream: Stream, data: bytes) -> None:
        """Raises `BrokenPipeError`; `Refused` when it cannot be written for another reason."""
        if (own := self._to[stream]) is None:
            return
        try:
            await descriptors.write(own.fileno(), data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Refused(
                f"The command's {stream} cannot be written: {error.strerror}. What to do: check where it is sent to."
            ) from error


class Collected:
    """Output of a session, for one document at the end."""

    def __init__(self) -> None:
        self._of = {Stream.STDOUT: bytearray(), Stream.STDERR: bytearray()}

    async def take(self, stream: Stream, data: bytes) -> None:
        """Keeps it."""
        self._of[stream] += data

    def document(self, code: int) -> dict[str, Any]:
        """Bytes that are no UTF-8 are replaced."""
        return {"exit_code": code, **{name: data.decode(errors="replace") for name, data in self._of.items()}}
