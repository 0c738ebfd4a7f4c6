"""The local terminal: its size, and its modes, which are put back whatever ends the block."""

from __future__ import annotations

import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

_INPUT_FLAGS: Final = 0
_CONTROL_CHARACTERS: Final = 6


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Each byte as it is typed, also Ctrl-C: the terminal at the other end makes of it what it is set to."""
    with _restored(fd):
        tty.setraw(fd, termios.TCSANOW)
        yield


@contextmanager
def by_line(fd: int, last_key: bytes) -> Iterator[None]:
    """Lines as before, edited and echoed here; `last_key`, of the keys to leave with, ends one as Enter does.

    The terminal itself must not take it: Ctrl-Q would start stopped output.
    """
    with _restored(fd) as attributes:
        attributes[_INPUT_FLAGS] &= ~(termios.IXON | termios.IXANY)
        attributes[_CONTROL_CHARACTERS][termios.VEOL] = last_key
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
        yield


def size(fd: int) -> tuple[int, int] | None:
    """Columns and lines; None where it has no size, as under some programs, or is gone."""
    try:
        lines, columns = termios.tcgetwinsize(fd)
    except termios.error:
        return None
    return (columns, lines) if columns and lines else None


@contextmanager
def _restored(fd: int) -> Iterator[list[Any]]:
    """Gives the attributes, to be changed."""
    before = termios.tcgetattr(fd)
    try:
        yield termios.tcgetattr(fd)
    finally:
        with suppress(termios.error):  # it is gone: its window was closed
            termios.tcsetattr(fd, termios.TCSANOW, before)
