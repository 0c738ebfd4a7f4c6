"""The awslogs driver: it sends a container's output to the log group of its definition, line by line.

The stream is `<awslogs-stream-prefix>/<container>/<task id>`, as the driver names it on Fargate.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.fargate.reasons import InitializationFailed, log_stream_refused
from local.fargate.task import Container, Task

log: Final = logging.getLogger("local.fargate")
_FLUSH_SECONDS: Final = 0.5
# PutLogEvents takes up to 10,000 events and 1,048,576 bytes: UTF-8 plus 26 for each event.
_BATCH, _BATCH_BYTES, _OVERHEAD = 10_000, 900 * 1024, 26
_LONGEST: Final = 200 * 1024
"""An event may be 256 KiB; what does not decode grows."""


async def open_stream(logs: Any, task: Task, container: Container) -> LogStream:
    """Makes the stream of a container. Raises `InitializationFailed`.

    As the driver does it: the group is made only where `awslogs-create-group` says so. `logs` is a client of boto3's.
    """
    options = container.definition["logConfiguration"]["options"]
    group = options["awslogs-group"]
    name = f"{options['awslogs-stream-prefix']}/{container.name}/{task.id}"
    try:
        if options.get("awslogs-create-group") == "true":
            await asyncio.to_thread(_create_group, logs, group)
        await asyncio.to_thread(logs.create_log_stream, logGroupName=group, logStreamName=name)
    except (BotoCoreError, ClientError) as exc:
        raise InitializationFailed(log_stream_refused(exc)) from exc
    return LogStream(logs, group, name)


def _create_group(logs: Any, group: str) -> None:
    try:
        logs.create_log_group(logGroupName=group)
    except logs.exceptions.ResourceAlreadyExistsException:
        log.debug("log group %s is there already", group)


class LogStream:
    """One stream, written in the background: twice a second, and at the end. Output comes by `feed` or from a file."""

    def __init__(self, logs: Any, group: str, name: str) -> None:
        self._logs = logs
        self._names = {"logGroupName": group, "logStreamName": name}
        self._partial: dict[int, bytes] = {}
        self._events: list[dict[str, Any]] = []
        self._file: BinaryIO | None = None
        self._closing = asyncio.Event()
        self._writer = asyncio.create_task(self._write())

    def feed(self, data: bytes, output: int = 1) -> None:
        """More of stdout, 1, or stderr, 2. A line becomes an event when it is complete."""
        *lines, self._partial[output] = (self._partial.get(output, b"") + data).split(b"\n")
        self._add(lines)

    def follow(self, file: Path) -> None:
        """Reads this file from its beginning, and what is appended to it."""
        self._file = file.open("rb")

    async def close(self) -> None:
        """Writes the rest, a last line without an end too. May be repeated."""
        self._closing.set()
        await self._writer

    def _add(self, lines: list[bytes]) -> None:
        at = int(time.time() * 1000)
        # CloudWatch Logs refuses an empty message.
        texts = (line[:_LONGEST].decode(errors="replace") for line in lines if line)
        self._events += [{"timestamp": at, "message": text} for text in texts]

    async def _write(self) -> None:
        while not self._closing.is_set():
            await asyncio.wait([closing := asyncio.create_task(self._closing.wait())], timeout=_FLUSH_SECONDS)
            closing.cancel()
            self._read()
            await self._flush()
        self._read()
        if self._file is not None:
            self._file.close()
        self._add(list(self._partial.values()))
        await self._flush()

    def _read(self) -> None:
        if self._file is not None:
            self.feed(self._file.read())

    async def _flush(self) -> None:
        while self._events:
            batch, self._events = _split(self._events)
            try:
                await asyncio.to_thread(self._logs.put_log_events, **self._names, logEvents=batch)
            except (BotoCoreError, ClientError) as exc:
                log.warning("%d lines did not reach %s: %s", len(batch), self._names["logStreamName"], exc)


def _split(events: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The first batch of events, and the others."""
    size = 0
    for count, event in enumerate(events[:_BATCH]):
        size += len(event["message"].encode()) + _OVERHEAD
        if size > _BATCH_BYTES and count:
            return events[:count], events[count:]
    return events[:_BATCH], events[_BATCH:]
