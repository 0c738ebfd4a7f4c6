from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from reach.agent import descriptors

DATA = bytes(range(256)) * 4096
MODES = pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])


@MODES
def test_a_pipe_takes_and_gives_all(blocking: bool) -> None:
    """More than it holds, since the writer waits for the reader; whatever mode the pipe has, it stays as it is."""

    async def scenario() -> bytes:
        writing_all = asyncio.create_task(descriptors.write(writing, DATA))
        writing_all.add_done_callback(lambda _: os.close(writing))
        return b"".join([data async for data in descriptors.read(reading)])

    reading, writing = os.pipe()
    for fd in (reading, writing):
        os.set_blocking(fd, blocking)
    assert asyncio.run(scenario()) == DATA
    assert os.get_blocking(reading) is blocking
    os.close(reading)


def test_a_file_is_read_and_written(tmp_path: Path) -> None:
    """It is always ready, and is not waited for."""

    async def scenario() -> bytes:
        with (tmp_path / "file").open("wb") as file:
            await descriptors.write(file.fileno(), DATA)
        with (tmp_path / "file").open("rb") as file:
            return b"".join([data async for data in descriptors.read(file.fileno())])

    assert asyncio.run(scenario()) == DATA


def test_a_terminal_that_is_gone_is_at_its_end() -> None:
    """Its window was closed."""

    async def scenario() -> list[bytes]:
        return [data async for data in descriptors.read(terminal)]

    window, terminal = os.openpty()
    os.close(window)
    assert asyncio.run(scenario()) == []
    os.close(terminal)


def test_a_reader_that_is_gone_is_an_error() -> None:
    """As in `| head`."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        asyncio.run(descriptors.write(writing, DATA))
    os.close(writing)
