"""The signals that end a command: it unwinds, and so stops what it has started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def unwind_on_signals() -> None:
    """The first of these signals raises `KeyboardInterrupt`; later ones are ignored, so that unwinding completes."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


@contextmanager
def unwinding() -> Iterator[None]:
    """`unwind_on_signals` inside, and the handlers of before at the end. It does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    unwind_on_signals()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Inside, these signals wait; those that arrived take effect at the end.

    Between a process and its pid file, or a call that makes something and its answer, a signal would leave what no
    later command could find. Python runs handlers in the main thread only, so in other threads there is nothing to
    defer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in arrived:
            signal.raise_signal(one)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt
