"""Reading and writing descriptors of this process on the event loop: no threads, and no change of a descriptor's mode.

Standard streams are shared with the shell and with other programs, which a non-blocking mode would break.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
from collections.abc import AsyncIterator, Callable
from typing import Final

CHUNK: Final = 32 * 1024


async def read(fd: int) -> AsyncIterator[bytes]:
    """What comes, up to the end; a terminal that is gone is at its end. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    while True:
        await _ready(fd, loop.add_reader, loop.remove_reader)
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            continue  # another program has made it non-blocking, or read before this one
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        if not data:
            return
        yield data


async def write(fd: int, data: bytes) -> None:
    """All of `data`, waiting while the other end is full. Raises `OSError`, `BrokenPipeError` above all."""
    loop = asyncio.get_running_loop()
    view = memoryview(data)
    while view:
        await _ready(fd, loop.add_writer, loop.remove_writer)
        try:
            # What is ready takes this much without blocking (pipe(7)).
            view = view[os.write(fd, view[: select.PIPE_BUF]) :]
        except BlockingIOError:
            continue


async def _ready(fd: int, add: Callable[..., None], remove: Callable[[int], object]) -> None:
    """Returns when `fd` can be read, or written, without waiting."""
    ready = asyncio.Event()
    try:
        add(fd, ready.set)
    except PermissionError:
        await asyncio.sleep(0)  # epoll refuses files and /dev/null, because they are always ready
        return
    try:
        await ready.wait()
    finally:
        remove(fd)
