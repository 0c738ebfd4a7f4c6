"""Signals to this process, as events of the loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextmanager
def caught(*numbers: signal.Signals) -> Iterator[asyncio.Queue[signal.Signals]]:
    """Those that arrive, instead of what they do otherwise. What is ignored stays so, as under nohup."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[signal.Signals] = asyncio.Queue()
    before = {one: handler for one in numbers if (handler := signal.getsignal(one)) is not signal.SIG_IGN}
    for one in before:
        loop.add_signal_handler(one, arrived.put_nowait, one)
    try:
        yield arrived
    finally:
        for one, handler in before.items():
            loop.remove_signal_handler(one)
            signal.signal(one, handler)
