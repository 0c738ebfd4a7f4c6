"""Reading and writing descriptors on the event loop, without buffers or threads.

The next bytes are read only after the receiver took the last ones, so a slow receiver slows the writing process
down, as a pipe would, instead of filling memory.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
from collections.abc import AsyncIterator
from typing import Final

CHUNK: Final = 32 * 1024
PIPE_CAPACITY: Final = 1024 * 1024
"""The most that a pipe can hold for an unprivileged process (pipe(7), /proc/sys/fs/pipe-max-size), in bytes."""


async def chunks(fd: int, ended: asyncio.Future[int]) -> AsyncIterator[bytes]:
    """The bytes written to the other end of the non-blocking `fd`, until it is closed or the process has `ended`.

    What a process wrote before it ended is in the pipe, in front of everything that others write later. So one
    pipe's capacity is still read then, and no more: a background process that keeps the pipe open, or even
    writes on and on, does not keep the session open.
    """
    left = PIPE_CAPACITY
    while left > 0:
        was_over = ended.done()
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            if was_over:
                return
            await _readable(fd, ended)
            continue
        except OSError as exc:
            if exc.errno != errno.EIO:
                raise
            return  # how a terminal says that its last user has closed it
        if not data:
            return
        if was_over:
            left -= len(data)
        yield data


async def write(fd: int, data: bytes) -> None:
    """Writes all of `data`, waiting while the other end is full. Raises `OSError`, `BrokenPipeError` above all.

    Also right for a blocking `fd` that is shared with other processes, like the agent's own output: a
    descriptor that is ready takes `PIPE_BUF` bytes without blocking (pipe(7)).
    """
    view = memoryview(data)
    while view:
        await _writable(fd)
        try:
            view = view[os.write(fd, view[: select.PIPE_BUF]) :]
        except BlockingIOError:
            continue


async def _readable(fd: int, ended: asyncio.Future[int]) -> None:
    """Returns when `fd` can be read without waiting, or when `ended` is done."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()

    def over(_: asyncio.Future[int]) -> None:
        ready.set()

    loop.add_reader(fd, ready.set)
    ended.add_done_callback(over)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)
        ended.remove_done_callback(over)


async def _writable(fd: int) -> None:
    """Returns when `fd` can be written without waiting."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_writer(fd, ready.set)
    except PermissionError:
        return  # epoll refuses files and /dev/null, because they are always ready
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)
